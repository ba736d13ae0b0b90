"""``audit.slow_rates``, ``audit.waiting`` and ``audit.queues``: what is slowed now, why, since when, and what waits."""

from typing import Any

import pytest
from ajo_worker.metrics.questions import RATE_SHARES

from tests.support.alert_rows import DESTINATION, alerts, put_hold, put_many, put_outage, put_parked
from tests.support.backlog_rows import put_campaign, put_pacing_worker, put_queue, put_throttle
from tests.support.database import query
from tests.support.ledger_rows import ago, put_attempt

CAMPAIGN = "order-shipped"
QUEUE = "ajo-dispatch.standard"
RECOVERY, RAMP, DOUBLING, LIMIT = 20, 5, 5, 500


def slow_rates(url: str) -> dict[tuple[str | None, str | None, str], dict[str, Any]]:
    rows = query(url, "select *, now() as now from audit.slow_rates")
    return {(row["lane"], row["campaign"], row["cause"]): row for row in rows}


def test_a_rate_that_429s_slowed_grows_back_and_is_of_its_campaign_alone(database_url: str) -> None:
    put_pacing_worker(database_url)
    for name, limit in ((CAMPAIGN, None), ("flash-sale", 10.0), ("calm", None)):
        put_campaign(database_url, name, rate_limit=limit)
    slowed_at, since = ago(seconds=4), ago(minutes=3)
    put_throttle(database_url, CAMPAIGN, 0.1, slowed_at, since)
    put_throttle(database_url, "flash-sale", 0.5, ago(seconds=0), since)
    put_throttle(database_url, "calm", 0.1, ago(seconds=19), since)
    found = slow_rates(database_url)
    assert found.keys() == {("standard", CAMPAIGN, "throttle"), ("standard", "flash-sale", "throttle")}
    row = found["standard", CAMPAIGN, "throttle"]
    grown = 0.1 + (row["now"] - slowed_at).total_seconds() / RECOVERY
    assert (row["share"], row["calls_per_second"]) == (pytest.approx(grown), pytest.approx(LIMIT * grown))
    assert (row["since"], row["newest_at"], row["rate_limit"]) == (since, slowed_at, LIMIT)
    assert found["standard", "flash-sale", "throttle"]["rate_limit"] == 10, "its own, where it has one"


@pytest.mark.parametrize(
    ("scope", "lane", "campaign"), [(DESTINATION, "standard", None), (f"campaign:{CAMPAIGN}", "standard", CAMPAIGN)]
)
def test_the_way_back_after_an_outage_doubles_until_all_is_as_before(
    database_url: str, scope: str, lane: str, campaign: str | None
) -> None:
    put_pacing_worker(database_url)
    put_campaign(database_url, CAMPAIGN)
    began = ago(seconds=10)
    put_outage(database_url, scope, "sustained-failures", began, "recovering")
    row = slow_rates(database_url)[lane, campaign, "ramp"]
    ramped = RAMP * 2 ** ((row["now"] - began).total_seconds() / DOUBLING)
    assert (row["calls_per_second"], row["rate_limit"]) == (pytest.approx(ramped), LIMIT)
    query(database_url, "update ledger.circuits set changed_at = now() - interval '1 minute'")
    assert not slow_rates(database_url), "its circuit is closed a little later"


def test_outages_holds_and_silences_leave_nothing_probes_or_one_call_a_second(database_url: str) -> None:
    worker = put_pacing_worker(database_url)
    put_campaign(database_url, CAMPAIGN)
    until = ago(hours=-1)
    put_outage(database_url, "destination:high-throughput@x", "cosmos-key", ago(minutes=2))
    put_hold(database_url, f"campaign:{CAMPAIGN}", ago(minutes=1), until)
    put_outage(database_url, "token:ims.example.com", "token-unavailable", ago(minutes=2))
    query(
        database_url,
        "insert into ledger.silences (worker, scope, lane, began_at, calls) values ($1, $2, 'standard', now(), 20)",
        worker, DESTINATION,
    )  # fmt: skip
    found = slow_rates(database_url)
    held = found["standard", CAMPAIGN, "held"]
    assert (held["share"], held["reason"], held["until"]) == (0, "held", until)
    assert found["high-throughput", None, "outage"]["reason"] == "cosmos-key"
    assert found[None, None, "outage"]["scope"] == "token:ims.example.com"
    assert found["standard", None, "silence"]["calls_per_second"] == pytest.approx(1)
    assert len(found) == 4
    put_pacing_worker(database_url)
    assert slow_rates(database_url)["standard", None, "silence"]["share"] is None, "the other worker hears it"


def test_a_metric_tells_the_share_of_each_lane_and_of_each_campaign_whatever_slows_it(database_url: str) -> None:
    names = CAMPAIGN, "flash-sale", "calm"
    put_pacing_worker(database_url, definitions="".join(["{", ",".join(f'"{name}": []' for name in names), "}"]))
    for name in (*names, "retired"):
        put_campaign(database_url, name)
    put_throttle(database_url, CAMPAIGN, 0.5, ago(seconds=-5), ago(minutes=3))
    put_hold(database_url, "campaign:flash-sale", ago(minutes=1))
    put_outage(database_url, DESTINATION, "sustained-failures", ago(seconds=5), "recovering")
    query(
        database_url, "update ledger.circuits set changed_at = now() + interval '5 seconds' where state = 'recovering'"
    )
    found = {(row["lane"], row["campaign"]): row["value"] for row in query(database_url, RATE_SHARES)}
    assert found == {
        ("high-throughput", ""): 1,
        ("standard", ""): pytest.approx(RAMP / LIMIT),
        ("standard", "calm"): pytest.approx(RAMP / LIMIT),
        ("standard", CAMPAIGN): pytest.approx(0.5 * RAMP / LIMIT),
        ("standard", "flash-sale"): 0,
    }


def test_what_waits_is_summed_over_living_workers_and_parked_triggers_by_campaign(database_url: str) -> None:
    waiting = f'{{"standard": {{"{CAMPAIGN}": 30}}}}'
    put_pacing_worker(database_url, f'{{"{QUEUE}": 5}}', waiting, lanes=["standard"])
    put_pacing_worker(database_url, f'{{"{QUEUE}": 2}}', waiting, lanes=["standard"])
    put_pacing_worker(database_url, f'{{"{QUEUE}": 9}}', waiting, heartbeat_at=ago(hours=1))
    for name in (CAMPAIGN, "calm"):
        put_campaign(database_url, name)
    put_parked(database_url, ago(), ago())
    put_queue(database_url, QUEUE, 804, ago(seconds=3))
    put_queue(database_url, "ajo-dispatch.high-throughput", 0, ago(seconds=3), "high-throughput")
    query(
        database_url,
        "insert into ledger.backlogs values (now() - interval '65 seconds', 700, 1, $1, 'standard')",
        QUEUE,
    )
    (row,) = query(database_url, "select * from audit.waiting")
    assert (row["lane"], row["campaign"], row["waiting"], row["parked"]) == ("standard", CAMPAIGN, 60, 1)
    rows = {row["queue"]: row for row in query(database_url, "select * from audit.queues")}
    assert (rows[QUEUE]["messages"], rows[QUEUE]["unopened"], rows[QUEUE]["minute_ago"]) == (804, 7, 701)
    assert [row["workers"] for _, row in sorted(rows.items())] == [0, 2]


def test_what_is_parked_for_a_campaign_no_worker_ever_had_waits_without_its_name(database_url: str) -> None:
    put_parked(database_url, ago(), ago())
    query(database_url, "update ledger.held_payloads set campaign = 'ada@example.com'")
    put_parked(database_url, ago(), ago())
    (row,) = query(database_url, "select * from audit.waiting")
    assert dict(row) == {"lane": "(unknown)", "campaign": "(unknown)", "waiting": 0, "parked": 2}


def test_a_campaign_that_429s_slow_for_minutes_while_triggers_wait_is_a_ticket(database_url: str) -> None:
    alert = "throttled", CAMPAIGN
    put_campaign(database_url, CAMPAIGN)
    put_throttle(database_url, CAMPAIGN, 0.2, ago(seconds=1), ago(seconds=310))
    put_pacing_worker(database_url)
    assert alert not in alerts(database_url), "nothing of it waits"
    query(database_url, f"""update ledger.workers set waiting = '{{"standard": {{"{CAMPAIGN}": 1}}}}'""")
    found = alerts(database_url)[alert]
    assert (found["severity"], found["audience"], found["count"]) == ("ticket", "adobe-support", 1)
    assert " of 500.0 calls a second, 1 triggers wait" in found["summary"]
    query(database_url, "update ledger.rate_limits set slowed_since = now() - interval '290 seconds'")
    assert alert not in alerts(database_url)


def throttled(url: str, since: int, slow: int, burnt: int, other: int = 0) -> None:
    """A campaign that 429s slow, some of whose triggers took long for that, and some for another reason."""
    put_campaign(url, CAMPAIGN)
    put_pacing_worker(url, waiting=f'{{"standard": {{"{CAMPAIGN}": 9}}}}')
    if slow:
        put_throttle(url, CAMPAIGN, 0.2, ago(seconds=1), ago(seconds=since))
    put_many(url, 40)
    put_many(url, burnt, took=31)
    for row in query(
        url,
        "select request_id, received_at as at from ledger.triggers where completed_at - received_at > interval '30 s'",
    ):
        put_attempt(url, row["request_id"], 1, row["at"], outcome="retryable", http_status=429)
    put_many(url, other, state="expired")


@pytest.mark.parametrize(
    ("since", "slow", "burnt", "other", "told"),
    [
        (30, True, 5, 0, {"throttled-share"}),  # at once: that is what is wrong
        (310, True, 5, 0, {"throttled-share"}),  # which a ticket need not repeat
        (310, True, 2, 0, {"throttled"}),
        (30, True, 2, 0, set()),
        (30, False, 20, 0, set()),  # the storm is over
        (30, True, 5, 5, {"throttled-share", "budget-burn"}),  # and something else is wrong
        (30, False, 0, 5, {"budget-burn"}),
    ],
)
def test_a_storm_of_429s_is_told_by_its_name_and_only_while_it_lasts(
    database_url: str, since: int, slow: bool, burnt: int, other: int, told: set[str]
) -> None:
    throttled(database_url, since, slow, burnt, other)
    found = {alert: row for (alert, _), row in alerts(database_url).items()}
    assert found.keys() & {"throttled", "throttled-share", "budget-burn"} == told
    if "throttled-share" in told:
        row = found["throttled-share"]
        assert (row["scope"], row["severity"], row["audience"], row["count"]) == (CAMPAIGN, "page", "adobe-support", 5)
        assert row["value"] == pytest.approx(5 / (45 + other))
        assert f"kept 5 of {45 + other} triggers" in row["summary"]
    if "budget-burn" in told:
        assert found["budget-burn"]["count"] == 5


def test_what_waited_for_a_rate_in_vain_burnt_its_budget_for_429s(database_url: str) -> None:
    throttled(database_url, 30, True, 0, 5)
    query(
        database_url,
        "update ledger.triggers set waited_in_vain = '{\"throttle_wait_seconds\": 9}' where state = 'expired'",
    )
    assert {alert for alert, _ in alerts(database_url)} & {"budget-burn", "throttled-share"} == {"throttled-share"}


@pytest.mark.parametrize("kind", ["outage", "silence", "hold"])
def test_what_an_outage_a_silence_or_a_hold_kept_burns_no_budget_of_its_own(database_url: str, kind: str) -> None:
    worker = put_pacing_worker(database_url)
    put_many(database_url, 20, state="unconfirmed", reason="budget-spent")
    assert ("budget-burn", "standard") in alerts(database_url)
    match kind:
        case "outage":
            put_outage(database_url, DESTINATION, "no-answers", ago(seconds=59))
        case "hold":
            put_hold(database_url, f"campaign:{CAMPAIGN}", ago(seconds=59))
        case _:
            silence = "insert into ledger.silences values ($1, now() - interval '59 s', now(), $2, 'standard', 20)"
            query(database_url, silence, worker, DESTINATION)
    assert ("budget-burn", "standard") not in alerts(database_url)


def test_a_queue_that_waits_for_a_rate_that_429s_slow_is_not_old(database_url: str) -> None:
    """That has an alert of its own."""
    worker = put_pacing_worker(database_url)
    put_many(database_url, 50, queued=600)
    for because in ("congestion", "throttle"):
        assert ("queue-age", "standard") in alerts(database_url)
        query(
            database_url,
            "insert into ledger.full_intakes values ($1, now() - interval '5 minutes', now(), 'standard', $2)",
            worker, because,
        )  # fmt: skip
    assert ("queue-age", "standard") not in alerts(database_url)


def test_messages_that_nobody_takes_or_whose_definition_is_gone_are_alerts_at_once(database_url: str) -> None:
    unconsumed, gone = ("queue-unconsumed", "ajo-dispatch.high-throughput"), ("definition-gone", CAMPAIGN)
    put_campaign(database_url, CAMPAIGN)
    put_many(database_url, 3)
    put_queue(database_url, QUEUE, 0, ago(seconds=3))
    put_queue(database_url, unconsumed[1], 12, ago(seconds=3), "high-throughput")
    put_pacing_worker(database_url, definitions=f'{{"{CAMPAIGN}": ["d"]}}', lanes=["standard"])
    found = alerts(database_url)
    assert (found[unconsumed]["value"], found[unconsumed]["severity"]) == (12, "page")
    query(database_url, "update ledger.workers set definitions = '{}', lanes = '{standard,high-throughput}'")
    assert not {unconsumed, gone} & alerts(database_url).keys(), "nothing waits in its queue"
    query(database_url, "update ledger.queues set messages = 7 where lane = 'standard'")
    found = alerts(database_url)
    assert (found[gone]["value"], found[gone]["severity"], found[gone]["audience"]) == (7, "ticket", "operators")
    query(database_url, "update ledger.triggers set received_at = now() - interval '2 hours'")
    assert gone not in alerts(database_url), "it was out of use long before"
    query(database_url, "update ledger.queues set looked_at = now() - interval '2 minutes'")
    assert not {unconsumed, gone} & alerts(database_url).keys(), "nobody knows"
