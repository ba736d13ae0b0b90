"""When a message departs and arrives, what is told of it and in which order: always the same for the same call."""

from collections.abc import Sequence
from typing import Any

import pytest
from ajo_simulator.feedback.message import Report
from ajo_simulator.feedback.rules import CampaignCourse, Failure, FeedbackRules, Standstill
from ajo_simulator.feedback.timeline import passed, reports_of
from ajo_simulator.latency import Latency
from hypothesis import given
from hypothesis import strategies as st

from tests.support.feedback import ACCEPTED_AT, acceptance

IDS = [f"id-{number}" for number in range(2000)]
seconds = st.floats(0, 1000)
SLOW = FeedbackRules(departure=Latency(seconds=2), delivery=Latency(seconds=4))


def still(begin: float, end: float, what: Any = "departure", campaign: str = "*") -> Standstill:
    return Standstill(what=what, from_=begin, until=end, campaign=campaign)


windows = st.lists(
    st.tuples(seconds, st.floats(0.001, 100)).map(lambda one: still(one[0], one[0] + one[1])), max_size=4
)


def told(rules: FeedbackRules, **changes: Any) -> list[tuple[str, float, float]]:
    """What is told of a call: status, when it happens and when it is told, in seconds after the acceptance."""
    return [
        (one.status, one.happened_at - ACCEPTED_AT, one.told_at - ACCEPTED_AT)
        for one in reports_of(rules, 1, acceptance(**changes))
    ]


def statuses(rules: FeedbackRules, request_id: str) -> list[str]:
    return [one.status for one in reports_of(rules, 1, acceptance(request_id))]


@pytest.mark.parametrize(
    ("begun", "takes", "outages", "over"),
    [
        (1, 2, [], 3),
        (1, 2, [still(10, 20)], 3),
        (1, 2, [still(0, 1)], 3),
        (12, 2, [still(10, 20)], 22),
        (12, 0, [still(10, 20)], 20),
        (9, 1, [still(10, 20)], 20),
        (8, 5, [still(10, 20)], 23),
        (8, 50, [still(10, 20)], 68),
        (12, 2, [still(10, 20), still(21, 30)], 31),
        (12, 2, [still(21, 30), still(10, 20)], 31),
        (12, 2, [still(10, 20), still(15, 30)], 32),
        (12, 2, [still(10, 20), still(13, 15)], 22),
        (20, 2, [still(10, 20)], 22),
    ],
)
def test_in_an_outage_time_stands_still(begun: float, takes: float, outages: Sequence[Standstill], over: float) -> None:
    assert passed(begun, takes, outages) == pytest.approx(over)


@given(seconds, seconds, windows)
def test_nothing_is_over_in_an_outage_or_sooner_than_without_one(
    begun: float, takes: float, outages: list[Standstill]
) -> None:
    over = passed(begun, takes, outages)
    assert over >= begun + takes - 1e-6
    assert not any(one.holds(over) for one in outages)


@given(seconds, seconds, st.floats(0, 100), windows)
def test_what_begins_later_is_over_no_sooner(
    begun: float, takes: float, later: float, outages: list[Standstill]
) -> None:
    assert passed(begun, takes, outages) <= passed(begun + later, takes, outages) + 1e-6


def test_a_message_is_sent_and_then_delivered_after_its_latencies() -> None:
    assert told(SLOW) == [("sent", 2, 2), ("delivered", 6, 6)]


def test_by_default_it_departs_and_arrives_at_once() -> None:
    assert told(FeedbackRules()) == [("sent", 0, 0), ("delivered", 0, 0)]


def test_delays_lie_evenly_between_departure_and_delivery_and_are_counted() -> None:
    rules = FeedbackRules(delivery=Latency(seconds=3), delay_events=2)
    reports = reports_of(rules, 1, acceptance())
    assert [(one.status, one.retry_count) for one in reports] == [
        ("sent", 0),
        ("delay", 1),
        ("delay", 2),
        ("delivered", 2),
    ]
    assert [one.happened_at - ACCEPTED_AT for one in reports] == pytest.approx([0, 1, 2, 3])


def test_every_recipient_is_told_of_with_draws_of_its_own() -> None:
    rules = FeedbackRules(departure=Latency(distribution="uniform", high=1))
    reports = reports_of(rules, 1, acceptance(recipients=3))
    assert [one.message.recipient.user_id[:7] for one in reports] == [
        name for name in ("person0", "person1", "person2") for _ in range(2)
    ]
    assert len({one.happened_at for one in reports if one.status == "sent"}) == 3


def test_the_same_call_is_told_of_alike_and_another_attempt_or_seed_differently() -> None:
    rules = FeedbackRules(departure=Latency(distribution="lognormal"))

    def departure(seed: int, **changes: Any) -> float:
        return reports_of(rules, seed, acceptance(**changes))[0].happened_at

    assert departure(1) == departure(1)
    assert len({departure(1), departure(2), departure(1, attempt=2), departure(1, request_id="r-2")}) == 4


@pytest.mark.parametrize(
    ("outage", "expected"),
    [
        (still(4, 15), [("sent", 12), ("delivered", 16)]),
        (still(4, 15, "provider"), [("sent", 2), ("delivered", 14)]),
        (still(8, 15, "provider"), [("sent", 2), ("delivered", 13)]),
        (still(4, 15, campaign="c-1"), [("sent", 12), ("delivered", 16)]),
        (still(4, 15, campaign="c-2"), [("sent", 2), ("delivered", 6)]),
    ],
)
def test_an_outage_holds_up_departure_or_delivery_of_its_campaign(
    outage: Standstill, expected: list[tuple[str, float]]
) -> None:
    rules = FeedbackRules(departure=SLOW.departure, delivery=SLOW.delivery, outage=(outage,))
    assert [(status, happened) for status, happened, _ in told(rules)] == expected


def test_a_campaigns_own_course_is_its_alone() -> None:
    rules = FeedbackRules(campaign=(CampaignCourse(id="c-2", departure=Latency(seconds=7)),))
    assert told(rules, campaign_id="c-2")[0] == ("sent", 7, 7)
    assert told(rules, campaign_id="c-1")[0] == ("sent", 0, 0)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_about_a_share_of_messages_bounces_instead_of_being_delivered(share: float) -> None:
    rules = FeedbackRules(bounce_share=share, bounce=Failure(code="25"))
    ends = [reports_of(rules, 1, acceptance(one))[-1] for one in IDS]
    bounced = [one for one in ends if one.status == "bounce"]
    assert abs(len(bounced) - share * len(IDS)) <= 5 * (share * (1 - share) * len(IDS)) ** 0.5
    assert {one.failure for one in bounced} <= {Failure(code="25")}
    assert {one.failure for one in ends if one.status == "delivered"} <= {None}


def test_about_a_share_of_events_is_told_twice_one_after_the_other() -> None:
    rules = FeedbackRules(duplicate_share=0.25)
    reports = [one for id_ in IDS for one in reports_of(rules, 1, acceptance(id_))]
    twice = len(reports) - 2 * len(IDS)
    assert abs(twice - 0.25 * 2 * len(IDS)) <= 5 * (0.25 * 0.75 * 2 * len(IDS)) ** 0.5
    assert statuses(FeedbackRules(duplicate_share=1), "r-1") == ["sent", "sent", "delivered", "delivered"]


def test_in_disorder_the_last_is_told_first_and_nothing_before_it_happened() -> None:
    rules = FeedbackRules(departure=SLOW.departure, delivery=SLOW.delivery, disorder=1)
    assert told(rules) == [("delivered", 6, 6), ("sent", 2, 6)]


def test_about_a_share_of_messages_is_in_disorder() -> None:
    rules = FeedbackRules(disorder=0.5)
    reversed_ones = sum(statuses(rules, one)[0] == "delivered" for one in IDS)
    assert 850 < reversed_ones < 1150


@pytest.mark.parametrize(
    ("rules", "timestamps", "told_id"),
    [
        (FeedbackRules(), False, "r-1"),
        (FeedbackRules(channel="sms"), True, "r-1"),
        (FeedbackRules(timestamps=True), True, "r-1"),
        (FeedbackRules(channel="sms", timestamps=False), False, "r-1"),
        (FeedbackRules(request_id="gateway"), False, "gateway-1"),
    ],
)
def test_email_has_no_timestamp_unless_the_scenario_wants_it_and_the_id_is_ours_or_the_gateways(
    rules: FeedbackRules, timestamps: bool, told_id: str
) -> None:
    message = reports_of(rules, 1, acceptance())[0].message
    assert (message.timestamps, message.told_request_id) == (timestamps, told_id)


def test_a_report_shows_no_recipient_in_its_repr() -> None:
    [report, _] = reports_of(FeedbackRules(), 1, acceptance())
    assert isinstance(report, Report)
    assert "example.com" not in repr(report)
    assert "example.com" not in repr(report.message.recipient)
