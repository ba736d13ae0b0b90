"""What is in hand: nothing is answered twice or never, whatever goes back, comes again, or ends meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import pytest
from ajo_worker.intake.hub_calls import HubCalls
from ajo_worker.intake.in_hand import QUIET, Fullness, InHand
from ajo_worker.intake.receipt import Key, Receipt
from hypothesis import given
from hypothesis import strategies as st

QUEUE = "ajo-dispatch.standard"


@dataclass
class Message:
    """A message of a broker that keeps account; alike messages have the same body."""

    body: bytes
    place: str = "broker"
    acknowledged: int = 0

    def acknowledge(self, summary: str, *, failed: bool) -> None:  # noqa: ARG002 - a receipt's
        self.place = "gone"
        self.acknowledged += 1

    def give_back(self) -> None:
        self.place = "broker"

    def lost(self) -> None:
        pass

    def show_retry(self, retries: int, reason: str) -> None:
        pass


@dataclass
class Hand:
    """A worker's side, without the work."""

    in_hand: InHand
    work: list[Receipt]
    now: float = 0.0

    def deliver(self, message: Message) -> None:
        message.place = "worker"
        key = Key(QUEUE, message.body, task=True)
        if not self.in_hand.joins(key, message, self.now):
            receipt = Receipt(message, key, HubCalls(), self._ended)
            self.in_hand.hold(receipt, self.now)
            self.work.append(receipt)

    def _ended(self, receipt: Receipt) -> None:
        self.in_hand.ended(receipt, self.now)


@pytest.fixture
def hand() -> Hand:
    return Hand(InHand({QUEUE: Fullness(2, 1_000)}, lambda _: None), [])


def test_what_is_in_hand_for_long_goes_back_and_its_copy_takes_its_place(hand: Hand) -> None:
    old, new = Message(b"old"), Message(b"new")
    hand.deliver(old)
    hand.now = 10
    hand.deliver(new)
    assert hand.in_hand.give_back(before=5, now=10) == 1
    assert (old.place, new.place, hand.in_hand.held, hand.in_hand.away) == ("broker", "worker", 1, 1)
    assert [receipt.away for receipt in hand.work] == [True, False]
    hand.deliver(old)
    assert (len(hand.work), hand.in_hand.held, hand.in_hand.away) == (2, 2, 0)  # no second work
    assert hand.in_hand.give_back(before=5, now=10) == 0  # its time begins anew
    hand.work[0].done("accepted 1")
    assert (old.place, old.acknowledged, hand.in_hand.held) == ("gone", 1, 1)


def test_what_ends_while_it_is_away_is_not_answered(hand: Hand) -> None:
    message = Message(b"one")
    hand.deliver(message)
    hand.in_hand.give_back(before=inf, now=0)
    hand.work[0].done("accepted 1")
    assert (message.place, message.acknowledged, hand.in_hand.away) == ("broker", 0, 0)
    hand.deliver(message)  # the ledger will say that it is done
    assert len(hand.work) == 2


def test_over_a_connection_that_is_lost_nothing_is_answered(hand: Hand) -> None:
    message = Message(b"one")
    hand.deliver(message)
    hand.in_hand.connection_lost(0)
    message.place = "broker"
    hand.work[0].returned()
    assert (message.place, hand.in_hand.held, hand.in_hand.away) == ("broker", 0, 0)


def test_a_worker_is_full_only_of_what_it_holds() -> None:
    fullness = Fullness(1, 1_000)
    hand = Hand(InHand({QUEUE: fullness}, lambda _: None), [])
    hand.deliver(Message(b"one"))
    hand.now = 10
    hand.in_hand.give_back(before=inf, now=10)
    assert fullness.newest(50) == (0, 10)


def test_queues_of_which_too_many_bytes_are_in_hand_are_told_and_told_again_when_they_are_not() -> None:
    told: list[frozenset[str]] = []
    hand = Hand(InHand({QUEUE: Fullness(10, 1_000)}, told.append), [])
    hand.deliver(Message(b"1" * 600))
    assert not hand.in_hand.is_heavy(QUEUE)
    hand.deliver(Message(b"2" * 600))
    assert hand.in_hand.is_heavy(QUEUE)
    hand.work[0].done("")
    assert hand.in_hand.is_heavy(QUEUE)
    hand.work[1].done("")
    assert told == [{QUEUE}, frozenset()]
    assert not hand.in_hand.is_heavy("another")


Step = tuple[str, int]


@given(st.lists(st.tuples(st.sampled_from(["deliver", "back", "lost", "done", "returned"]), st.integers(0, 5))))
def test_every_message_is_with_the_broker_or_answered_for_by_one_work_whatever_happens(steps: list[Step]) -> None:
    hand = Hand(InHand({}, lambda _: None), [])
    messages = [Message(body) for body in (b"a", b"a", b"b", b"c", b"c", b"c")]
    ended: list[Receipt] = []

    def end(number: int, how: Callable[[Receipt], None]) -> None:
        if hand.work:
            receipt = hand.work.pop(number % len(hand.work))
            ended.append(receipt)
            how(receipt)

    for step, number in steps:
        hand.now += 1
        match step:
            case "deliver" if messages[number].place == "broker":
                hand.deliver(messages[number])
            case "back":
                hand.in_hand.give_back(before=hand.now - number, now=hand.now)
            case "lost":
                hand.in_hand.connection_lost(hand.now)
                for message in messages:
                    message.place = "broker" if message.place == "worker" else message.place
            case "done":
                end(number, lambda receipt: receipt.done(""))
            case "returned":
                end(number, lambda receipt: receipt.returned())
        held = [receipt._message for receipt in hand.work if not receipt.away]
        assert sorted(map(id, held)) == sorted(id(message) for message in messages if message.place == "worker")
        assert (hand.in_hand.held, hand.in_hand.away) == (len(held), len(hand.work) - len(held))
        assert all(message.acknowledged == (message.place == "gone") for message in messages)


def full(now: float, *changes: tuple[int, float]) -> tuple[float, float] | None:
    """``changes`` are messages in hand, and since when; it is asked ``now``."""
    fullness, before = Fullness(10, 1_000), 0
    for in_hand, at in changes:
        (fullness.taken if in_hand > before else fullness.ended)(in_hand, in_hand, at)
        before = in_hand
    return fullness.newest(now)


def test_a_worker_with_room_is_not_full() -> None:
    assert full(9.0, (1, 0.0), (9, 1.0), (8, 2.0)) is None


def test_it_is_full_for_as_long_as_nothing_is_answered_for() -> None:
    assert full(9.0, (10, 5.0)) == (5.0, 9.0)
    assert full(9.0, (10, 5.0), (11, 6.0)) == (5.0, 9.0)
    assert full(9.0, (10, 5.0), (9, 6.0)) == (5.0, 6.0)


def test_messages_that_come_and_go_at_the_limit_make_one_while() -> None:
    assert full(9.0, (10, 5.0), (9, 5.1), (10, 5.2), (9, 5.9)) == (5.0, 5.9)


def test_after_a_lull_another_while_begins() -> None:
    assert full(9.0, (10, 5.0), (9, 5.0), (10, 5.0 + QUIET)) == (5.0, 9.0)
    assert full(9.0, (10, 5.0), (9, 5.0), (10, 5.1 + QUIET)) == (5.1 + QUIET, 9.0)


def test_it_is_full_of_bytes_from_its_limit_on_until_half_of_them_are_gone() -> None:
    fullness = Fullness(10, 1_000)
    fullness.taken(1, 999, 1.0)
    assert (fullness.heavy, fullness.newest(9.0)) == (False, None)
    fullness.taken(2, 1_000, 2.0)
    fullness.ended(1, 501, 3.0)
    assert (fullness.heavy, fullness.newest(9.0)) == (True, (2.0, 9.0))
    fullness.ended(1, 500, 4.0)
    assert (fullness.heavy, fullness.newest(9.0)) == (False, (2.0, 4.0))
