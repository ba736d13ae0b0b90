"""When a worker was full, as it is told to the ledger."""

from ajo_worker.intake.fullness import QUIET, Fullness


def full(*taken: tuple[int, float]) -> tuple[float, float] | None:
    fullness = Fullness(10)
    for in_hand, now in taken:
        fullness.taken(in_hand, now)
    return fullness.newest


def test_a_worker_with_room_is_not_full() -> None:
    assert full((1, 0.0), (9, 1.0)) is None


def test_messages_that_come_and_go_at_the_limit_make_one_while() -> None:
    assert full((10, 5.0), (9, 5.1), (10, 5.2), (10, 5.9)) == (5.0, 5.9)


def test_after_a_lull_another_while_begins() -> None:
    assert full((10, 5.0), (10, 5.0 + QUIET)) == (5.0, 5.0 + QUIET)
    assert full((10, 5.0), (10, 5.1 + QUIET)) == (5.1 + QUIET, 5.1 + QUIET)
