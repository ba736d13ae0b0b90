"""The order of rounds, how long runs are, and who takes part in them."""

from collections.abc import Iterator

from benchmarks.bench.contender import Contender
from benchmarks.bench.rounds import Length, count_for, play, rotated
from benchmarks.bench.run import Run


def contender(name: str) -> Contender:
    return Contender(name=name, broker="none", work=[], environment=lambda _: {})


def run_of(name: str, count: int, round_: int, wrong: str = "") -> Run:
    return Run(name, "0 ms", round_, count, rate=1000, steady=1000, seconds=count / 1000, wrong=wrong)


A, B, C = map(contender, "abc")


def test_each_round_begins_with_another_contender_and_has_all_of_them() -> None:
    assert [[each.name for each in rotated([A, B, C], by)] for by in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


def test_a_run_has_as_many_triggers_as_take_so_long_after_the_warm_ups_rate() -> None:
    assert count_for(rate=1234.5, seconds=8) == 9900
    assert count_for(rate=3, seconds=2.5) == 200
    assert count_for(rate=1e6, seconds=8) == 100_000


def test_who_went_wrong_in_the_warm_up_takes_no_part_in_the_rounds() -> None:
    def measure(who: Contender, count: int, round_: int) -> Run:
        return run_of(who.name, count, round_, wrong="it ended" if who is A else "")

    runs = list(play([A, B], measure, Length(run=2, rounds=2)))
    assert [(run.name, run.round) for run in runs] == [("a", 0), ("b", 0), ("b", 1), ("b", 2)]
    assert [run.count for run in runs] == [1000, 1000, 2000, 2000]


def test_no_round_begins_that_would_pass_the_limit() -> None:
    assert {run.round for run in play([A], _measured, Length(run=2, rounds=9, limit=0))} == {0, 1}


def _measured(who: Contender, count: int, round_: int) -> Run:
    return run_of(who.name, count, round_)


def test_rounds_are_measured_one_after_the_other_as_they_are_asked_for() -> None:
    asked: list[int] = []

    def measure(who: Contender, count: int, round_: int) -> Run:
        asked.append(round_)
        return run_of(who.name, count, round_)

    rest: Iterator[Run] = play([A], measure, Length(2, 5))
    next(rest), next(rest)
    assert asked == [0, 1]
