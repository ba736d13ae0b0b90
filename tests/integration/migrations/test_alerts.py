"""Each alert of ``audit.alerts`` holds above its threshold, and not at it or just below."""

from uuid import uuid4

import pytest

from tests.support.alert_rows import (
    DESTINATION,
    alerts,
    put_hold,
    put_known,
    put_many,
    put_outage,
    put_parked,
    put_unread,
)
from tests.support.database import query
from tests.support.dead_letters import HOLD
from tests.support.ledger_rows import ago, put_attempt, put_trigger, put_worker

LANE = "standard"
YEAR = 31_556_952
"""Seconds."""
BURN, QUEUE, SENDING = ("budget-burn", LANE), ("queue-age", LANE), ("sending-age", LANE)


def test_a_budget_burns_if_five_or_more_that_are_above_a_twentieth_took_half_of_it_or_failed(database_url: str) -> None:
    put_many(database_url, 94)
    put_many(database_url, 4, took=31)
    put_many(database_url, 1, state="expired")
    put_many(database_url, 1, took=30)
    put_many(database_url, 100, received_at=ago(minutes=7), took=31)
    assert BURN not in alerts(database_url), "5 of 100 are not more than a twentieth; 30 s are half of it"
    put_many(database_url, 1, state="unconfirmed")
    found = alerts(database_url)[BURN]
    assert (found["severity"], found["audience"]) == ("page", "operators")
    assert (found["value"], found["count"], found["floor"]) == (pytest.approx(6 / 101), 6, 5)
    assert "6 of 101 triggers" in found["summary"]
    assert "ajo-dispatch delays --since 5m" in found["summary"]


def test_a_few_slow_triggers_burn_no_budget_though_they_are_all_there_were(database_url: str) -> None:
    put_many(database_url, 4, took=31)
    assert BURN not in alerts(database_url)
    put_many(database_url, 1, took=31)
    assert alerts(database_url)[BURN]["value"] == 1


def test_a_trigger_that_is_sending_for_two_minutes_is_an_alert(database_url: str) -> None:
    put_many(database_url, 1, received_at=ago(seconds=100), state="sending", took=None)
    assert SENDING not in alerts(database_url)
    put_many(database_url, 1, received_at=ago(seconds=121), state="sending", took=None)
    assert 121 <= alerts(database_url)[SENDING]["value"] < 180


def test_a_round_counts_from_its_own_dispatch_and_one_that_was_resumed_may_be_older_than_the_look_back(
    database_url: str,
) -> None:
    old = ago(hours=5)
    dispatched = {"round": 2, "round_opened_at": ago(seconds=90), "first_dispatched_at": ago(seconds=60)}
    request_id = put_trigger(database_url, old, **dispatched)
    query(database_url, HOLD, request_id, 1, "order-shipped", "outage", None, b"{}")
    query(database_url, "update ledger.held_payloads set resumed_by = $1", uuid4())
    assert SENDING not in alerts(database_url)
    query(database_url, "update ledger.triggers set first_dispatched_at = $1", ago(seconds=121))
    assert SENDING in alerts(database_url)


def test_what_an_outage_kept_waiting_makes_no_queue_old(database_url: str) -> None:
    """It comes all at once when the outage is over, and needs nobody any more."""
    put_many(database_url, 50, queued=600)
    assert QUEUE in alerts(database_url)
    query(
        database_url,
        "insert into ledger.outages (opened_at, ended_at, recovered_at, scope, reason, opened_by, evidence) "
        "values (now() - interval '10 minutes', now(), now(), 'destination:standard@x', 'held', 'x', '{}')",
    )
    assert QUEUE not in alerts(database_url)


def test_a_queue_is_old_if_more_than_a_twentieth_waited_for_a_minute(database_url: str) -> None:
    put_many(database_url, 96, queued=60)
    put_many(database_url, 4, queued=600)
    put_many(database_url, 100, queued=600, received_at=ago(minutes=6))
    assert QUEUE not in alerts(database_url)
    put_many(database_url, 4, queued=600)
    found = alerts(database_url)[QUEUE]
    assert found["value"] == pytest.approx(600)
    assert (found["severity"], found["audience"]) == ("page", "operators")


def test_an_outbox_is_late_if_more_than_a_twentieth_of_a_producer_s_were_in_it_for_a_minute(database_url: str) -> None:
    """Triggers without an outbox, and another producer's, make it no less late."""
    alert = "outbox-age", "order-shipped"
    put_known(database_url)
    put_many(database_url, 96, in_outbox=60)
    put_many(database_url, 4, in_outbox=600, queued=600)
    put_many(database_url, 100, in_outbox=600, received_at=ago(minutes=6))
    put_many(database_url, 100, queued=600)
    assert alert not in alerts(database_url)
    put_many(database_url, 5, in_outbox=600)
    assert alerts(database_url)[alert]["value"] == pytest.approx(600)
    put_many(database_url, 200)
    put_many(database_url, 100, in_outbox=1, producer="till")
    found = alerts(database_url)[alert]
    assert (found["severity"], found["audience"]) == ("page", "producers")
    assert "in an outbox (of shop) for 600 s" in found["summary"]


@pytest.mark.parametrize(("queued", "in_outbox"), [(-73.0, 99.8), (26.8, -99.8)], ids=["late", "early"])
def test_producers_whose_clocks_are_a_century_wrong_leave_all_alerts_readable(
    queued: float, in_outbox: float, database_url: str
) -> None:
    put_many(database_url, 20, queued=queued * YEAR, in_outbox=in_outbox * YEAR)
    put_many(database_url, 1, received_at=ago(seconds=121), state="sending", took=None)
    assert SENDING in alerts(database_url)


def test_no_worker_is_an_alert_once_none_has_lived_for_half_a_minute(database_url: str) -> None:
    alert = "no-worker", None
    assert alerts(database_url)[alert]["value"] == float("inf"), "there never was one"
    put_worker(database_url, heartbeat_at=ago(seconds=10), stopped_at=ago(seconds=5))
    assert alert not in alerts(database_url), "it may be restarted"
    query(database_url, "delete from ledger.workers")
    put_worker(database_url, heartbeat_at=ago(seconds=40), stopped_at=ago(seconds=31))
    put_many(database_url, 2, state="sending", took=None)
    put_parked(database_url, ago(), ago())
    found = alerts(database_url)[alert]
    assert (found["severity"], found["audience"]) == ("page", "operators")
    assert "2 sending, 1 parked" in found["summary"]
    put_worker(database_url)
    assert alert not in alerts(database_url)


def test_token_refusals_are_counted_for_five_minutes(database_url: str) -> None:
    alert = "token-refused", None
    refused = {"outcome": "unauthorized", "http_status": 401}
    for number in range(5):
        put_attempt(database_url, uuid4(), 1, ago(seconds=20 + number), **refused)
        put_attempt(database_url, uuid4(), 1, ago(minutes=6), **refused)
        put_attempt(database_url, uuid4(), 1, ago(seconds=20))
    assert alert not in alerts(database_url)
    put_attempt(database_url, uuid4(), 1, ago(seconds=20), **refused)
    found = alerts(database_url)[alert]
    assert (found["value"], found["severity"], found["audience"]) == (6, "page", "credentials")


def test_workers_that_get_no_token_for_half_a_minute_say_why(database_url: str) -> None:
    alert, failure = ("token-failing", None), "token endpoint: status 400, invalid_client"
    put_worker(database_url)
    put_worker(database_url, token_failed_at=ago(seconds=10), token_failure="token endpoint: ConnectError")
    put_worker(database_url, heartbeat_at=ago(minutes=1), token_failed_at=ago(minutes=9), token_failure="dead")
    assert alert not in alerts(database_url)
    put_worker(database_url, token_failed_at=ago(seconds=31), token_failure=failure)
    found = alerts(database_url)[alert]
    assert (found["severity"], found["audience"]) == ("page", "credentials")
    assert f"living workers without an access token: 2 ({failure})" in found["summary"]


@pytest.mark.parametrize(
    ("reason", "state", "told"),
    [
        ("token-unavailable", "open", {"outage-token"}),
        ("credentials-refused", "open", {"outage-token"}),
        ("held", "held", set()),  # by an operator, who knows
    ],
)
def test_an_outage_of_the_token_endpoint_is_one_page_and_not_three(
    database_url: str, reason: str, state: str, told: set[str]
) -> None:
    put_worker(database_url, token_failed_at=ago(seconds=40), token_failure="token endpoint: status 503")
    for number in range(9):
        put_attempt(database_url, uuid4(), 1, ago(seconds=20 + number), outcome="unauthorized", http_status=401)
    before = alerts(database_url).keys()
    assert {("token-failing", None), ("token-refused", None)} <= before
    scope = "token:ims.example.com"
    number = put_outage(database_url, scope, reason, ago(seconds=30), state)
    found = alerts(database_url)
    assert found.keys() - before == {(alert, scope) for alert in told}
    assert before - found.keys() == {("token-failing", None), ("token-refused", None)}
    for alert in told:
        assert (found[alert, scope]["severity"], found[alert, scope]["audience"]) == ("page", "credentials")
        assert f"outage show {number}" in found[alert, scope]["summary"]
    query(database_url, "update ledger.circuits set state = 'closed'")
    query(database_url, "update ledger.outages set ended_at = now()")
    assert alerts(database_url).keys() == {("token-failing", None)}, "what was refused until then is history"
    for _ in range(9):
        put_attempt(database_url, uuid4(), 1, ago(), outcome="unauthorized", http_status=401)
    assert ("token-refused", None) in alerts(database_url), "what is refused since is not"


def test_a_parked_trigger_that_could_have_gone_on_an_hour_ago_is_an_alert(database_url: str) -> None:
    put_known(database_url)
    alert = "parked-age", "order-shipped"
    put_parked(database_url, ago(seconds=3500), ago(seconds=3500))
    put_parked(database_url, ago(days=2), ago(seconds=-600))
    put_parked(database_url, ago(days=2), ago(seconds=60))
    assert alert not in alerts(database_url), "a start that is ahead, and a redrive, say from when they may go on"
    put_parked(database_url, ago(seconds=3601), ago(seconds=3601))
    found = alerts(database_url)[alert]
    assert found["summary"].startswith("parked: 4, the oldest for 36")
    assert found["severity"] == "page"


def test_the_clock_of_a_living_workers_machine_may_be_a_second_wrong(database_url: str) -> None:
    put_worker(database_url, hostname="node-1", clock_skew_seconds=1.0)
    put_worker(database_url, hostname="node-2", clock_skew_seconds=-9.0, heartbeat_at=ago(minutes=1))
    assert not [alert for alert, _ in alerts(database_url) if alert == "clock-skew"]
    put_worker(database_url, hostname="node-2", clock_skew_seconds=-1.1)
    found = alerts(database_url)["clock-skew", "node-2"]
    assert (found["value"], found["severity"], found["audience"]) == (1.1, "ticket", "operators")


def test_a_database_clock_that_was_set_is_an_alert_for_an_hour_and_so_are_rounds_that_ended_for_it(
    database_url: str,
) -> None:
    note = "insert into ledger.clock_steps values ($1, $1, $1, gen_random_uuid(), $2)"
    query(database_url, note, ago(minutes=61), -60.0)
    query(database_url, note, ago(minutes=59), 1.9)
    assert ("database-clock", None) not in alerts(database_url)
    query(database_url, note, ago(minutes=59), -60.0)
    found = alerts(database_url)["database-clock", None]
    assert (found["value"], found["severity"], found["audience"]) == (60, "page", "database")
    assert "was set by -60.0 s" in found["summary"]
    put_known(database_url)
    put_many(database_url, 2, state="expired", reason="clock-step")
    put_many(database_url, 1, state="unconfirmed", reason="clock-step")
    found = alerts(database_url)["clock-step", "order-shipped"]
    assert (found["value"], found["severity"], found["audience"]) == (3, "page", "database")
    assert alerts(database_url)["dead-letters", "order-shipped/clock-step"]["audience"] == "database"


def test_what_could_not_be_read_in_the_last_hour_is_an_alert(database_url: str) -> None:
    alert = "quarantine", "ajo-dispatch.standard"
    put_unread(database_url, ago(minutes=61))
    assert alert not in alerts(database_url)
    put_unread(database_url, ago(minutes=59))
    found = alerts(database_url)[alert]
    assert (found["value"], found["severity"], found["audience"]) == (1, "ticket", "producers")


def test_ids_of_the_last_day_in_a_default_partition_show_that_partitions_are_missing(database_url: str) -> None:
    put_attempt(database_url, put_trigger(database_url, ago(), request_id=uuid4()), 1, ago())
    names = {alert for alert, _ in alerts(database_url)}
    assert "missing-partitions" not in names, "ids that are no UUIDv7 are at home there"
    drop = """
        select format('drop table ledger.%I', relname) as sql from pg_class
        where relnamespace = 'ledger'::regnamespace and relispartition and relkind = 'r' and relname ~ '_[0-9]{8}$'
    """
    for row in query(database_url, drop):
        query(database_url, row["sql"])
    put_attempt(database_url, put_trigger(database_url, ago()), 1, ago())
    found = alerts(database_url)
    for table in ("triggers_default", "attempts_default"):
        row = found["missing-partitions", table]
        assert (row["value"], row["severity"], row["audience"]) == (1, "ticket", "database")


@pytest.mark.parametrize(
    ("scope", "reason", "state", "alert", "severity", "audience"),
    [
        (DESTINATION, "sustained-failures", "open", "outage-destination", "page", "adobe-support"),
        (DESTINATION, "cosmos-identity", "open", "outage-destination", "page", "credentials"),
        ("campaign:order-shipped", "campaign-failing", "open", "outage-campaign", "ticket", "campaign-owners"),
    ],
)
def test_an_outage_is_for_those_who_can_end_it(
    scope: str, reason: str, state: str, alert: str, severity: str, audience: str, database_url: str
) -> None:
    number = put_outage(database_url, scope, reason, ago(seconds=65), state)
    found = alerts(database_url)[alert, scope]
    assert (found["severity"], found["audience"]) == (severity, audience)
    assert found["summary"].startswith(f"{state} for 6")
    assert found["summary"].endswith(f"{reason}; first: ajo-dispatch outage show {number}")
    query(database_url, "update ledger.alert_thresholds set threshold = 300 where alert = $1", alert)
    assert (alert, scope) not in alerts(database_url)


@pytest.mark.parametrize("state", ["recovering", "closed"])
def test_what_recovers_is_no_alert(state: str, database_url: str) -> None:
    put_outage(database_url, DESTINATION, "sustained-failures", ago(minutes=5), state)
    assert ("outage-destination", DESTINATION) not in alerts(database_url)


HELD, OVERDUE = ("hold", DESTINATION), ("hold-overdue", DESTINATION)


@pytest.mark.parametrize(
    ("began", "until", "told"),
    [
        (3590, None, None),  # its operator knows
        (3610, None, HELD),
        (90_000, -10, None),
        (90_000, 30, None),  # workers end it
        (90_000, 70, OVERDUE),
    ],
)
def test_a_hold_is_an_alert_once_it_lasts_beyond_its_until_or_without_one_for_an_hour(
    database_url: str, began: int, until: int | None, told: tuple[str, str] | None
) -> None:
    put_worker(database_url)
    number = put_hold(database_url, DESTINATION, ago(seconds=began), None if until is None else ago(seconds=until))
    found = alerts(database_url)
    assert found.keys() == ({told} if told else set())
    if told:
        assert (found[told]["severity"], found[told]["audience"]) == ("page", "operators")
        assert found[told]["summary"].startswith("held by olga for ")
        assert found[told]["summary"].endswith(f"(repair); first: ajo-dispatch outage show {number}")
        query(database_url, "update ledger.alert_thresholds set threshold = 100000 where alert = $1", told[0])
        assert not alerts(database_url)


@pytest.mark.parametrize("scope", [DESTINATION, "campaign:order-shipped", "token:ims.example.com"])
def test_what_is_parked_while_an_operator_holds_it_is_not_overdue(database_url: str, scope: str) -> None:
    put_known(database_url)
    put_worker(database_url)
    put_parked(database_url, ago(hours=3), ago(hours=3))
    assert {alert for alert, _ in alerts(database_url)} == {"parked-age"}
    put_hold(database_url, scope, ago(hours=3), ago(hours=-3))
    assert not alerts(database_url)


DIFFERING = """
    insert into ledger.differing_copies (request_id, batch_id, worker, first_seen_at, last_seen_at, enqueued_at, copies,
                                         recipients, campaign, producer, content_digest)
    values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), $1, $2, $1, 1, 1, $3, 'shop', 'x')
"""


def test_one_key_for_two_messages_is_an_alert_for_an_hour_by_campaign(database_url: str) -> None:
    put_known(database_url)
    known, unknown = ("differing-copies", "order-shipped"), ("differing-copies", "(unknown)")
    query(database_url, DIFFERING, ago(hours=3), ago(minutes=61), "order-shipped")
    assert known not in alerts(database_url), "it was last seen more than an hour ago"
    query(database_url, DIFFERING, ago(hours=3), ago(minutes=59), "order-shipped")
    query(database_url, DIFFERING, ago(minutes=2), ago(minutes=1), "ada@example.com")
    found = alerts(database_url)
    assert (found[known]["value"], found[known]["severity"], found[known]["audience"]) == (1, "ticket", "producers")
    assert found[unknown]["value"] == 1
    query(database_url, "update ledger.alert_thresholds set threshold = 1 where alert = 'differing-copies'")
    assert known not in alerts(database_url), "one is not above one"
    query(database_url, DIFFERING, ago(minutes=2), ago(minutes=1), "order-shipped")
    assert alerts(database_url)[known]["value"] == 2
