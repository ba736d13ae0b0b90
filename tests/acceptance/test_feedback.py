"""From a published trigger to what became of its message: a real worker, a real receiver, and what Adobe would post."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from ajo_worker.local.processes import Processes

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
