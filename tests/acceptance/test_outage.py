"""Through an outage of the destination nothing is lost, nothing expires, and one probe at a time tries the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.support.conservation import accepted, finished, journal, ledger, most_at_once, unfinished
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

BEFORE, DURING = 600, 900
WORKS = '[latency]\ndistribution = "uniform"\nlow = 0.05\nhigh = 0.3\n'
QUICK = {
    "AJO_RATE_LIMIT_STANDARD": "100",  # several seconds in which the outage can come
    "AJO_MAX_IN_FLIGHT": "200",
    "AJO_PREFETCH": "50",
    "AJO_BUDGET_SECONDS": "20",  # less the 5 s of an attempt, far more than a starved machine needs to see an outage
    "AJO_OUTAGE_SECONDS": "1",
    "AJO_PROBE_INTERVAL": "0.5",
    "AJO_PROBE_INTERVAL_LONGEST": "2",
    "AJO_RECOVERY_RATE": "50",
    "AJO_RECOVERY_DOUBLING": "1",
}
INTERRUPTED = "select request_id from ledger.attempts where outcome = 'interrupted'"
ATTEMPTS = """
    select t.state, t.reason, t.fence, t.round as now, t.attempts_started, a.* from ledger.triggers t
    left join ledger.attempts a using (request_id) where t.request_id = $1
"""
OPEN = "select * from ledger.circuits where state = 'open'"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [('kind = "cosmos"', {"cosmos-identity", "cosmos-key"}), ('kind = "outage"', {"suspected-cosmos"})],
    ids=["the answer says so", "500 and nothing else"],
)
def test_through_an_outage_all_are_accepted_once_and_only_probes_are_sent(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery], fault: str, reason: set[str]
) -> None:
    delivery = prepare_delivery(broker_url, WORKS, **QUICK)
    first = delivery.start_worker()
    delivery.start_worker()
    confirmed = delivery.publish(BEFORE, 20)
    wait_until(lambda: finished(database_url) > BEFORE // 4, what="a quarter done")
    delivery.api.play(WORKS + f"[[fault]]\n{fault}\n")
    confirmed |= delivery.publish(DURING, 20)
    wait_until(lambda: query(database_url, OPEN), what="the circuit is open")
    wait_until(
        lambda: only_probes_of_late(delivery) and unfinished(database_url) < 2, what="all but a probe are parked"
    )
    parked = query(database_url, "select count(*) as n from ledger.triggers where state = 'parked'")[0]["n"]
    quiet = len(journal(delivery.api.journal))
    first.child.kill()
    wait_until(lambda: probes(database_url) > 4, what="some probes have failed")
    assert parked
    assert finished(database_url) < BEFORE, "the outage came in the middle"
    during = journal(delivery.api.journal)[quiet:]
    delivery.api.play(WORKS)
    wait_until(lambda: finished(database_url) == BEFORE + DURING, what="all triggers with a state")

    rows, counted = ledger(database_url), accepted(delivery.api.journal)
    assert set(rows) == confirmed
    # What the killed worker was probing with may have been accepted: that is not sent again in a new round.
    cut_off = {str(row["request_id"]) for row in query(database_url, INTERRUPTED)}
    others = {request_id: row for request_id, row in rows.items() if row["state"] != "accepted"}
    assert others.keys() <= cut_off, "\n".join(
        str(attempt) for one in others for attempt in query(database_url, ATTEMPTS, UUID(one))
    )
    assert {row["state"] for row in rows.values()} <= {"accepted", "unconfirmed"}
    assert len(cut_off) <= 1
    assert confirmed - set(counted) <= cut_off
    doubled = {request_id for request_id, times in counted.items() if times > 1}
    assert doubled <= {request_id for request_id, row in rows.items() if row["possible_duplicate"]}
    assert most_at_once(during) == 1
    (outage,) = query(database_url, "select * from ledger.outages")
    assert outage["reason"] in reason
    assert outage["ended_at"] is not None
    held = {str(row["request_id"]) for row in query(database_url, "select request_id from ledger.held_payloads")}
    assert held <= cut_off, "what was accepted keeps no payload"


def only_probes_of_late(delivery: Delivery) -> bool:
    """Whether both workers know: what they had announced when the circuit opened has been sent."""
    since = (datetime.now(UTC) - timedelta(seconds=2)).isoformat()
    return most_at_once([call for call in journal(delivery.api.journal) if call["arrived_at"] > since]) <= 1


def probes(url: str) -> int:
    """How many there were."""
    return int(query(url, "select count(*) as n from ledger.probes")[0]["n"])
