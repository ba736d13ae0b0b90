"""From a published trigger to what became of its message: a real worker, a real receiver, and what Adobe would post."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ajo_local.processes import Processes

from tests.integration.worker.feedback.receivers import start_receiver
from tests.support.conservation import CAMPAIGN_ID, finished
from tests.support.database import query
from tests.support.delivery import SECRET, Delivery
from tests.support.feedback_items import webhook_item
from tests.support.waiting import wait_until

HASH_KEY = "test-hash-key"
DELAYS = "select * from audit.delays order by received_at"


def test_departure_and_delivery_are_known_a_moment_after_they_are_told(
    processes: Processes, valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery], tmp_path: Path
) -> None:
    delivery = prepare_delivery(valkey_url, "seed = 1")
    worker = delivery.start_worker()
    delivery.publish(3)
    wait_until(lambda: finished(database_url) == 3, what="3 triggers with a state")
    receiver = start_receiver(processes, database_url, AJO_HASH_KEY=HASH_KEY)
    first, second, third = query(database_url, "select * from ledger.triggers order by received_at, request_id")
    assert all(row["execution_id"] for row in (first, second, third))

    sent, delivered = (first["completed_at"] + timedelta(seconds=seconds) for seconds in (90, 100))
    items = [
        webhook_item("delivered", at=delivered.isoformat(), execution=first["execution_id"], campaign=CAMPAIGN_ID),
        webhook_item("sent", at=sent.isoformat(), execution=first["execution_id"], campaign=CAMPAIGN_ID),
        webhook_item("sent", at=sent.isoformat(), request=str(second["request_id"]), execution="HUMA-other"),
    ]
    assert receiver.post(items).json() == {"stored": 3, "new": 3}
    found = {row["request_id"]: row for row in query(database_url, DELAYS)}
    told = found[first["request_id"]]
    assert (told["departed_at"], told["delivered_at"]) == (sent, delivered)
    assert told["system"] == "adobe-departure"
    assert found[second["request_id"]]["departed_at"] == sent
    assert found[third["request_id"]]["departed_at"] is None
    timeline = query(
        database_url, "select event from audit.timeline where request_id = $1 order by at", first["request_id"]
    )
    assert [row["event"] for row in timeline][-2:] == ["sent", "delivered"]
    assert worker.child.running
    assert SECRET not in receiver.child.output()


EMITTED = """
seed = 3
[[fault]]
share = 0.1
attempts = 9
kind = "reset-after"

[feedback]
webhook = "{url}"
secret = "{secret}"
request_id = "ours"
departure = {{distribution = "uniform", low = 0.2, high = 1}}
delivery = {{distribution = "uniform", low = 0.2, high = 1}}
duplicate_share = 0.3
disorder = 0.3
bounce_share = 0.2
"""


def test_what_the_simulator_posts_in_any_order_and_twice_is_stored_once_and_confirms_what_was_unconfirmed(
    processes: Processes, valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    secret = "planted-feedback-secret-4d186321"
    receiver = start_receiver(processes, database_url, AJO_HASH_KEY=HASH_KEY, AJO_FEEDBACK_SECRET=secret)
    script = EMITTED.format(url=receiver.url, secret=secret)
    delivery = prepare_delivery(valkey_url, script, AJO_BUDGET_SECONDS="3", AJO_OUTAGE_FAILURES="1000")
    delivery.start_worker()
    confirmed = delivery.publish(200)
    settled = "select count(*) as n from audit.triggers where state = 'accepted' or state = 'rejected'"
    wait_until(lambda: query(database_url, settled)[0]["n"] == 200, what="all are known to be accepted")
    known = "select count(*) as n from ledger.deliveries where departures > 0 and deliveries + failures > 0"
    wait_until(lambda: query(database_url, known)[0]["n"] == 200, what="all have departed and arrived")

    rows = query(database_url, "select request_id, state, reason from ledger.triggers")
    assert {str(row["request_id"]) for row in rows} == confirmed
    assert {row["state"] for row in rows} == {"accepted"}
    assert {row["reason"] for row in rows} == {None, "confirmed-by-feedback"}, "some were confirmed by feedback alone"
    assert query(database_url, "select count(*) as n from ledger.held_payloads")[0]["n"] == 0
    doubled = query(database_url, "select count(*) - count(distinct feedback_id) as n from ledger.feedback")[0]["n"]
    assert doubled == 0
    assert {row["match"] for row in query(database_url, "select match from ledger.feedback")} == {
        "execution-id",
        "request-id",
    }
    assert not query(database_url, "select from audit.delays where departure_seconds is null")
