"""A connection that breaks over many messages is followed by one over which fewer are asked for."""

from ajo_worker.intake.valkey import MORE_AFTER, Portion
from ajo_worker.intake.valkey_unacked import MOST_AT_ONCE


def test_each_break_halves_what_is_asked_for_down_to_one() -> None:
    portion, asked = Portion(), []
    for now in range(6):
        asked.append(portion.most(now))
        portion.broke(now)
    assert asked == [MOST_AT_ONCE, 8, 4, 2, 1, 1]


def test_a_while_without_a_break_doubles_it_up_to_what_it_was() -> None:
    portion = Portion()
    for _ in range(5):
        portion.broke(0.0)
    assert portion.most(MORE_AFTER - 1) == 1
    assert [portion.most(MORE_AFTER * n) for n in range(1, 6)] == [2, 4, 8, 16, 16]
