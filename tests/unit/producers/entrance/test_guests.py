"""Who has to leave the receiver of feedback when it gets full."""

from collections import Counter
from collections.abc import Iterable

import pytest
from ajo_producers.entrance.guests import Guest, Guests, Room, owner_of
from hypothesis import given
from hypothesis import strategies as st

ROOM = Room(all=4, of_one=3)
STATES = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans()), max_size=12)
"""Of each guest: its owner, whether it is known, and whether its request is in hand."""


def here(guests: Iterable[Guest], room: Room = ROOM, in_hand: Iterable[Guest] = ()) -> Guests:
    """Guests that came in this order, some of which have sent their request."""
    found = Guests(room)
    for guest in guests:
        found.add(guest)
    for guest in in_hand:
        found.in_hand(guest)
    return found


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_an_address_tells_whose_a_connection_is(address: str, owner: str) -> None:
    assert owner_of(address) == owner


def test_as_long_as_there_is_room_nobody_goes() -> None:
    assert here([Guest("a"), Guest("a"), Guest("b")]).who_goes(Guest("a")) is None


def test_of_an_address_that_has_too_many_the_one_goes_that_was_waited_for_longest() -> None:
    busy, longest, newer = Guest("a"), Guest("a"), Guest("a")
    assert here([busy, longest, newer], in_hand=[busy]).who_goes(Guest("a")) is longest


def test_one_that_has_sent_a_request_before_stays_longer_than_one_that_has_not() -> None:
    new = Guest("a")
    assert here([Guest("a", known=True), Guest("a", known=True), new]).who_goes(Guest("a")) is new


def test_one_whose_request_is_answered_is_waited_for_from_then_on() -> None:
    first, second = Guest("a"), Guest("a")
    guests = here([first, second, Guest("b"), Guest("b")], in_hand=[first])
    first.known = True
    guests.waits(first)
    guests.remove(second)
    assert guests.who_goes(Guest("c")) is None
    guests.add(Guest("a"))
    assert guests.who_goes(Guest("c")) is not first


def test_for_a_newcomer_of_another_address_one_goes_of_the_address_that_keeps_waiting_with_most() -> None:
    busy, first = Guest("b"), Guest("a")
    assert here([Guest("b"), busy, first, Guest("a")], in_hand=[busy]).who_goes(Guest("c")) is first


def test_where_all_requests_are_in_hand_the_newcomer_goes() -> None:
    newcomer = Guest("a")
    for owner, count in (("a", 3), ("b", 4)):
        busy = [Guest(owner) for _ in range(count)]
        assert here(busy, in_hand=busy).who_goes(newcomer) is newcomer


@given(states=STATES, owner=st.sampled_from("abcd"), all_=st.integers(1, 8), of_one=st.integers(1, 8))
def test_a_request_in_hand_is_never_cut_and_a_newcomer_goes_only_where_nobody_else_can(
    states: list[tuple[str, bool, bool]], owner: str, all_: int, of_one: int
) -> None:
    guests = [Guest(one, known) for one, known, _ in states]
    busy = {guest for guest, (_, _, in_hand) in zip(guests, states, strict=True) if in_hand}
    newcomer, known = Guest(owner), here(guests, Room(all_, of_one), busy)
    goes, own = known.who_goes(newcomer), [guest for guest in guests if guest.owner == owner]
    assert (goes is not None) == (len(guests) >= all_ or len(own) >= of_one)
    if goes is newcomer:
        assert busy.issuperset(own if len(own) >= of_one else guests)
    elif goes is not None:
        assert goes not in busy
        if len(own) < of_one:
            waiting = Counter(guest.owner for guest in guests if guest not in busy)
            assert waiting[goes.owner] == max(waiting.values())
    for guest in guests:
        assert guest in known
        known.remove(guest)
        known.remove(guest)
    assert (len(known), known.longest()) == (0, None)
