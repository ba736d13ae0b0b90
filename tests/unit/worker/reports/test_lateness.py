"""The answer in one sentence, and what leads to it."""

from datetime import UTC, datetime, timedelta

import pytest
from ajo_worker.reports.lateness import Minute, answer, guilty, late_spans, unknowns
from ajo_worker.reports.value import Counts, LateSpan, Report, SystemRow
from msgspec.structs import replace

from tests.support.report_example import example

BEGIN = datetime(2026, 11, 25, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def made(counts: Counts, systems: dict[str, float], *spans: LateSpan) -> Report:
    """A report of two hours, rolled up to its end."""
    return replace(
        example(),
        since=BEGIN,
        until=at(120),
        computed_until=at(120),
        counts=counts,
        late_spans=list(spans),
        systems=[SystemRow(system, 10, seconds) for system, seconds in systems.items()],
    )


def test_a_span_holds_late_minutes_with_hardly_a_gap() -> None:
    late = {3, 4, 7, 20}
    minutes = [Minute(at(number), 100, 1 if number in late else 0) for number in range(30)]
    assert late_spans(minutes) == [LateSpan(at(3), at(8), 300, 3), LateSpan(at(20), at(21), 100, 1)]


def test_a_minute_with_fewer_than_one_late_in_a_hundred_is_in_no_span() -> None:
    assert late_spans([Minute(at(0), 101, 1)]) == []
    assert late_spans([Minute(at(0), 100, 1)]) == [LateSpan(at(0), at(1), 100, 1)]


def test_spans_do_not_depend_on_the_order_of_minutes() -> None:
    minutes = [Minute(at(number), 10, number % 3) for number in range(20)]
    assert late_spans(minutes) == late_spans(reversed(minutes))


@pytest.mark.parametrize("system", ["none", "not-yet-known", "clocks"])
def test_an_answer_that_names_no_system_makes_nobody_guilty(system: str) -> None:
    assert guilty([SystemRow(system, 5, 100.0)]) == []


def test_the_guiltiest_comes_first() -> None:
    assert [row.system for row in guilty([SystemRow("broker", 9, 1.0), SystemRow("worker", 1, 2.0)])] == [
        "worker",
        "broker",
    ]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (made(Counts(), {}), "No trigger was received."),
        (made(Counts(1), {}), "No: the only trigger was on time."),
        (made(Counts(2000), {}), "No: all 2,000 triggers were on time."),
        (
            made(Counts(2000, not_yet_known=500), {}),
            "Nothing is known to be late: 1,500 of 2,000 were on time, the rest is not yet known.",
        ),
        (
            made(Counts(2000, late=100), {"broker": 9.0}, LateSpan(at(10), at(30), 500, 100)),
            "Yes: 100 of 2,000 triggers (5%) were late, from 12:10 to 12:30 UTC; "
            "all of their delay is charged to the broker.",
        ),
        (
            made(Counts(2000, late=100), {"broker": 9.0, "worker": 1.0}, LateSpan(at(10), at(120), 500, 100)),
            "Yes: 100 of 2,000 triggers (5%) were late, since 12:10 UTC and still so; "
            "90% of their delay is charged to the broker.",
        ),
        (
            made(
                Counts(2000, late=100),
                {"producer": 5.0, "adobe-api": 5.5},
                LateSpan(at(0), at(2), 50, 20),
                LateSpan(at(20), at(42), 500, 80),
            ),
            "Yes: 100 of 2,000 triggers (5%) were late, in 2 spells since 12:00 UTC, the worst from 12:20 to 12:42; "
            "52.4% of their delay is charged to Adobe's API and 47.6% to the producers.",
        ),
        (
            made(Counts(200_000, late=1), {"downstream": 400.0}),
            "Hardly: 1 of 200,000 triggers (under 0.1%) was late, at no time many of them; "
            "all of their delay is charged to cloud and mailbox providers.",
        ),
    ],
)
def test_the_answer_says_whether_since_when_and_whose_fault(report: Report, said: str) -> None:
    assert answer(report) == said


def test_days_are_named_where_the_while_has_several() -> None:
    report = replace(
        made(Counts(100, late=10), {"worker": 1.0}, LateSpan(at(-24 * 60), at(-24 * 60 + 5), 20, 10)),
        since=at(-48 * 60),
    )
    assert "from 24 Nov 12:00 to 12:05 UTC" in answer(report)


def test_what_is_not_yet_known_is_told_and_nothing_else() -> None:
    done = Counts(10, accepted=10, departed=10, delivered=9, failed=1)
    assert unknowns(made(done, {})) == []
    told = unknowns(made(Counts(10, not_yet_known=4, sending=2, accepted=8, departed=5, delivered=4), {}))
    assert [line.split(" ", 1)[0] for line in told] == ["4", "2", "3", "1"]
    behind = replace(made(done, {}), computed_until=at(60))
    assert unknowns(behind) == ["Whatever was received after 13:00 UTC: not yet rolled up."]


def test_without_any_feedback_nothing_is_said_of_departures() -> None:
    (line,) = unknowns(made(Counts(10, accepted=7, departed=None, delivered=None, failed=None), {}))
    assert line.startswith("7 triggers accepted, and no feedback of any")


def test_minutes_that_could_not_be_rolled_up_are_not_taken_for_silence() -> None:
    empty = replace(made(replace(example().counts, triggers=0), {}), failed_minutes=2)
    assert answer(empty) == "Not known: what was received could not be rolled up."
    assert "in 2 minutes that couldn't be rolled up" in " ".join(unknowns(empty))
