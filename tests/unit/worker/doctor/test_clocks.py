"""Clocks: how far apart they surely are."""

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.clocks import Offset, judge_clocks, offset_of_answer, offset_of_date

NOW = 1_795_608_000.0  # 2026-11-25 12:00:00 UTC
DATE = "Wed, 25 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("offsets", "status"),
    [
        ([Offset("database", 0.0, 0.001)], "ok"),
        ([Offset("database", 1.0, 0.0)], "ok"),
        ([Offset("database", -1.1, 0.0)], "warning"),
        ([Offset("database", 1.4, 0.5)], "ok"),
        ([Offset("database", -0.5, 0.3), Offset("api", 0.9, 0.3)], "ok"),
        ([Offset("database", 30.0, 0.0)], "warning"),
        ([Offset("database", 0.0, 0.0), Offset("api", -30.6, 0.5)], "failed"),
        ([Offset("database", 20.0, 0.0), Offset("api", -20.0, 0.5)], "failed"),
    ],
)
def test_the_widest_sure_gap_between_any_two_clocks_counts(offsets: list[Offset], status: Status) -> None:
    assert judge_clocks(offsets).status == status


def test_the_two_clocks_that_are_farthest_apart_are_named() -> None:
    found = judge_clocks([Offset("database", 0.0, 0.0), Offset("api", 40.0, 0.5), Offset("other", 2.0, 0.0)])
    assert "this machine and api are 39.5 s apart" in str(found.advice)
    assert found.found == (
        "against this machine: database +0.000 s (±0.000), api +40.000 s (±0.500), other +2.000 s (±0.000)"
    )


def test_without_another_clock_there_is_nothing_to_judge() -> None:
    assert judge_clocks([]).status == "skipped"


def test_an_answer_s_time_lies_in_the_middle_of_question_and_answer() -> None:
    assert offset_of_answer("database", NOW + 5, NOW, NOW + 2) == Offset("database", 4.0, 1.0)


def test_a_date_leaves_half_a_second_open() -> None:
    assert offset_of_date("api", DATE, NOW, NOW + 0.2) == pytest.approx(Offset("api", 0.4, 0.6))


@pytest.mark.parametrize("date", [None, "", "tomorrow", "Wed, 99 Nov 2026 12:00:00 GMT"])
def test_without_a_readable_date_there_is_no_offset(date: str | None) -> None:
    assert offset_of_date("api", date, NOW, NOW) is None
