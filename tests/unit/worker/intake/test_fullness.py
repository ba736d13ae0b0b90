"""When a worker was full, as it is told to the ledger."""

from ajo_worker.intake.fullness import QUIET, Fullness


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
