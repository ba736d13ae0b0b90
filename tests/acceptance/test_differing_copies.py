"""One key for two people across publishes: the second is never sent, and that is on record, alerted and seen."""

import json
from collections.abc import Callable

from tests.support.conservation import finished
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COPIES = "select request_id, copies, recipient_hashes from audit.differing_copies"


def line(name: str, **more: object) -> dict[str, object]:
    return {"to": f"{name}@example.com", "key": "ORD-77", "context": {"orderId": "1"}, **more}


def test_the_second_message_of_a_key_is_on_record_counted_alerted_and_seen(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, "[latency]\ndistribution = 'uniform'\nlow = 0.01\nhigh = 0.05\n")
    [request_id] = delivery.publish_lines([line("ann")])
    delivery.publish_lines([line("ann", expires_in=600)])
    delivery.publish_lines([line("bill")])
    delivery.start_worker()
    wait_until(lambda: [row["copies"] for row in query(database_url, COPIES)] == [1], what="the copy on record")
    wait_until(lambda: finished(database_url) == 1, what="the first is accepted")
    delivery.publish_lines([line("bill")])
    delivery.publish_lines([line("ann", trace_id="again")])
    wait_until(lambda: [row["copies"] for row in query(database_url, COPIES)] == [2], what="the copy counted")
    assert query(database_url, "select count(*) as n from ledger.triggers")[0]["n"] == 1
    assert "One key for two messages: 1 with other recipients" in delivery.run_cli("status", env=delivery.env).out
    assert "differing copy" in delivery.run_cli("status", request_id, env=delivery.env).out
    alerts = json.loads(delivery.run_cli("alerts", "--json", env=delivery.env).out)["alerts"]
    assert [(one["value"], one["audience"]) for one in alerts if one["alert"] == "differing-copies"] == [
        (1, "producers")
    ]
