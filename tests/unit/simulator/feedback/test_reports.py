"""What is kept of what is told: the newest, by the time at which it is told."""

from ajo_simulator.feedback.reports import Reports
from ajo_simulator.feedback.rules import FeedbackRules
from ajo_simulator.latency import Latency

from tests.support.feedback import ACCEPTED_AT, acceptance

SLOW = FeedbackRules(departure=Latency(seconds=2), delivery=Latency(seconds=4))


def told(reports: Reports, seconds: float | None) -> list[tuple[str, str]]:
    known = reports.told(None if seconds is None else ACCEPTED_AT + seconds)
    return [(one.message.acceptance.request_id, one.status) for one in known]


def test_only_what_was_told_by_then_is_known_or_all_of_it_in_the_order_of_telling() -> None:
    reports = Reports()
    reports.accept(SLOW, 1, acceptance("slow"))
    reports.accept(FeedbackRules(delivery=Latency(seconds=3)), 1, acceptance("fast"))
    assert told(reports, -1) == []
    assert told(reports, 0) == [("fast", "sent")]
    assert told(reports, 3) == [("fast", "sent"), ("slow", "sent"), ("fast", "delivered")]
    assert told(reports, None) == [*told(reports, 3), ("slow", "delivered")]


def test_what_is_told_out_of_order_is_not_known_before_it_is_told() -> None:
    reports = Reports()
    reports.accept(FeedbackRules(delivery=Latency(seconds=4), disorder=1), 1, acceptance())
    assert told(reports, 3.9) == []
    assert told(reports, 4) == [("r-1", "delivered"), ("r-1", "sent")]


def test_no_more_than_so_many_are_kept_and_the_forgotten_are_counted() -> None:
    reports = Reports(most_kept=3)
    for number in range(3):
        reports.accept(FeedbackRules(), 1, acceptance(f"r-{number}"))
    assert told(reports, None) == [("r-1", "delivered"), ("r-2", "sent"), ("r-2", "delivered")]
    summary = reports.summary()
    assert (summary["scripted"], summary["forgotten"]) == (6, 3)


async def test_after_clearing_nothing_is_known() -> None:
    reports = Reports()
    reports.accept(FeedbackRules(), 1, acceptance())
    await reports.clear()
    assert told(reports, None) == []
    assert set(reports.summary().values()) == {0, None}
