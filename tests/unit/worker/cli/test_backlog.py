"""How it reads what is slowed, and how much waits."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from ajo_worker.cli.asked_broker import with_lengths
from ajo_worker.cli.backlog import backlog_parts, because, left_of
from ajo_worker.views.backlog import Backlog, Queue, SlowRate, Waiting
from msgspec import structs
from rich.console import Console

NOW = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=4)
THROTTLE = SlowRate("campaign:a", "standard", "a", "throttle", "429", SINCE, None, NOW, 0.314, 157, 500)
QUEUE = Queue("ajo-dispatch.standard", "standard", NOW - timedelta(seconds=3), 804, 0, None, 1)
EMPTY = Queue("ajo-dispatch.standard.urgent", "standard", NOW - timedelta(seconds=3), 0, 0, 0, 1)


def slow(**changes: Any) -> SlowRate:
    return structs.replace(THROTTLE, **changes)


def shown(*slow_rates: SlowRate, queues: tuple[Queue, ...] = (EMPTY,), **more: Any) -> str:
    out = StringIO()
    console = Console(file=out, width=200, highlight=False)
    for part in backlog_parts(Backlog(NOW, list(slow_rates), list(queues), more.pop("waiting", []), **more)):
        console.print(part)
    return out.getvalue()


@pytest.mark.parametrize(
    ("rate", "why", "left"),
    [
        (slow(), "Adobe answers 429, the last just now", "31%: 157 of 500 calls/s"),
        (
            slow(newest_at=NOW - timedelta(seconds=7.6)),
            "Adobe answers 429, the last 8 s ago",
            "31%: 157 of 500 calls/s",
        ),
        (
            slow(share=0.004, calls_per_second=2.06),
            "Adobe answers 429, the last just now",
            "below 1%: 2.1 of 500 calls/s",
        ),
        (slow(cause="ramp", reason="cosmos-key"), "it comes back after an outage", "31%: 157 of 500 calls/s"),
        (slow(cause="ramp", reason="held"), "it comes back after a hold", "31%: 157 of 500 calls/s"),
        (slow(cause="silence", share=0.002, calls_per_second=1), "nothing is answered", "below 1%: 1 of 500 calls/s"),
        (slow(cause="silence", share=None, calls_per_second=None), "nothing is answered", "one new call a second"),
        (slow(cause="outage", reason="cosmos-key", share=0), "outage: cosmos-key", "probes"),
        (
            slow(cause="outage", scope="token:x", reason="token-unavailable", share=0),
            "outage: token-unavailable",
            "nothing",
        ),
        (slow(cause="held", share=0), "an operator holds it", "nothing"),
        (
            slow(cause="held", share=0, until=NOW + timedelta(hours=1)),
            "an operator holds it until 2026-11-25 15:05:00 UTC",
            "nothing",
        ),
        (slow(cause="ramp", share=None), "it comes back after an outage", "–"),
    ],
)
def test_a_slowed_rate_says_why_and_what_is_left_of_it(rate: SlowRate, why: str, left: str) -> None:
    assert (because(rate, NOW), left_of(rate)) == (why, left)


def test_a_campaign_goes_by_its_name_and_a_lane_by_its_scope_with_since_when_and_for_how_long() -> None:
    text = shown(slow(), slow(campaign=None, scope="destination:standard@x", cause="ramp"))
    assert (
        "\na                       2026-11-25 14:01:00 UTC  4 min  31%: 157 of 500 calls/s  Adobe answers 429" in text
    )
    assert "\ndestination:standard@x  2026-11-25 14:01:00 UTC  4 min" in text


def test_queues_and_campaigns_with_something_that_waits_are_shown_in_their_units() -> None:
    queues = (structs.replace(QUEUE, unopened=1000, minute_ago=1), EMPTY)
    text = shown(queues=queues, waiting=[Waiting("standard", "a", 480, 1)])
    lines = [line.split("  ") for line in text.splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines] == [
        ["Waiting now", "In the broker", "With workers", "Parked", "A minute ago"],
        ["ajo-dispatch.standard", "804 messages", "1,000 messages", "1 message"],
        ["a (standard)", "480 triggers", "1 trigger"],
    ]


def test_what_is_parked_without_a_definition_waits_too() -> None:
    text = shown(waiting=[Waiting("(unknown)", "(unknown)", 0, 2)])
    assert "campaigns without a definition" in text
    assert "2 triggers" in text
    assert "Nothing waits" not in text


def test_beside_what_is_kept_back_no_more_is_told_than_that_queues_were_empty() -> None:
    assert "\nThe queues were empty 3 s ago.\n" in shown(slow(cause="outage"))
    assert "Nothing waits" not in shown(slow(cause="silence"))


def test_a_queue_that_nobody_consumes_is_told_so() -> None:
    assert "ajo-dispatch.standard (no worker consumes it)" in shown(queues=(structs.replace(QUEUE, workers=0),))


@pytest.mark.parametrize(
    ("queues", "unseen", "text"),
    [
        ((EMPTY,), None, "Nothing waits; the queues were empty 3 s ago."),
        (
            (),
            "AJO_BROKER_URL is not set here",
            "No worker has looked into the broker so far; AJO_BROKER_URL is not set",
        ),
        ((structs.replace(QUEUE, looked_at=SINCE),), None, "No worker has looked into the broker for 4 min: how much"),
    ],
)
def test_what_nobody_knows_is_never_told_as_nothing(queues: tuple[Queue, ...], unseen: str | None, text: str) -> None:
    assert text in shown(queues=queues, unseen=unseen)


def test_what_the_broker_says_itself_counts_as_of_now() -> None:
    found = with_lengths(
        Backlog(NOW, [], [structs.replace(QUEUE, looked_at=SINCE, unopened=5)], []),
        {"ajo-dispatch.standard": 9, "ajo-dispatch.high-throughput.urgent": 0},
    )
    assert found.fresh
    assert [(one.queue, one.lane, one.messages, one.unopened, one.workers) for one in found.queues] == [
        ("ajo-dispatch.high-throughput.urgent", "high-throughput", 0, 0, None),
        ("ajo-dispatch.standard", "standard", 9, 5, 1),
    ]
