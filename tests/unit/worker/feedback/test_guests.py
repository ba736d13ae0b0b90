"""Who has to leave the receiver of feedback when it gets full."""

from collections import Counter

import pytest
from ajo_worker.feedback.guests import Guest, Room, owner_of, who_goes
from hypothesis import given
from hypothesis import strategies as st

ROOM = Room(all=4, of_one=3)
GUESTS = st.lists(st.builds(Guest, st.sampled_from("abcd"), st.none() | st.floats(0, 100), st.booleans()), max_size=12)


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
    assert who_goes([Guest("a", 1), Guest("a", 2), Guest("b", 3)], Guest("a", 4), ROOM) is None


def test_of_an_address_that_has_too_many_the_one_goes_that_was_waited_for_longest() -> None:
    longest = Guest("a", 1)
    assert who_goes([Guest("a", 2), longest, Guest("a", None)], Guest("a", 4), ROOM) is longest


def test_one_that_has_sent_a_request_before_stays_longer_than_one_that_has_not() -> None:
    new = Guest("a", 3)
    assert who_goes([Guest("a", 1, known=True), new, Guest("a", 2, known=True)], Guest("a", 4), ROOM) is new


def test_for_a_newcomer_of_another_address_one_goes_of_the_address_that_keeps_waiting_with_most() -> None:
    first = Guest("a", 2)
    assert who_goes([Guest("b", 1), first, Guest("a", 3), Guest("b", None)], Guest("c", 4), ROOM) is first


def test_where_all_requests_are_in_hand_the_newcomer_goes() -> None:
    newcomer = Guest("a", 4)
    assert who_goes([Guest("a", None)] * 3, newcomer, ROOM) is newcomer
    assert who_goes([Guest("b", None)] * 4, newcomer, ROOM) is newcomer


@given(guests=GUESTS, owner=st.sampled_from("abcd"), all_=st.integers(1, 8), of_one=st.integers(1, 8))
def test_a_request_in_hand_is_never_cut_and_a_newcomer_goes_only_where_nobody_else_can(
    guests: list[Guest], owner: str, all_: int, of_one: int
) -> None:
    newcomer, room = Guest(owner, 200.0), Room(all_, of_one)
    goes = who_goes(guests, newcomer, room)
    own = [guest for guest in guests if guest.owner == owner]
    full = len(guests) >= all_ or len(own) >= of_one
    assert (goes is not None) == full
    if goes is newcomer:
        others = own if len(own) >= of_one else guests
        assert all(guest.waiting_since is None for guest in others)
    elif goes is not None:
        assert goes.waiting_since is not None
        if goes.owner != owner:
            waiting = Counter(guest.owner for guest in guests if guest.waiting_since is not None)
            assert waiting[goes.owner] == max(waiting.values())
