"""A business event goes from ``curl`` to a message that Journey Optimizer accepts, once however often it is sent."""

import json
import shutil
import subprocess
from collections.abc import Callable

import pytest
from ajo_worker.local.processes import Processes

from tests.support.conservation import accepted, finished, ledger
from tests.support.delivery import Delivery
from tests.support.intakes import TOKEN, order_event, start_intake, write_mappings
from tests.support.waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_an_event_that_is_posted_three_times_is_accepted_once(
    processes: Processes, valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    if (curl := shutil.which("curl")) is None:
        pytest.skip("curl is not installed")
    delivery = prepare_delivery(valkey_url, "")
    intake = start_intake(processes, {**delivery.env, **write_mappings(delivery.folder)})
    event = json.dumps(order_event(1, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01"))
    headers = ["-H", f"Authorization: Bearer {TOKEN}", "-H", "Content-Type: application/cloudevents+json"]
    answers = [
        json.loads(
            subprocess.run([curl, "-s", intake.url, *headers, "-d", event], capture_output=True, check=True).stdout
        )
        for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    request_id = answers[0]["events"][0]["triggers"][0]["request_id"]
    delivery.start_worker()
    wait_until(lambda: finished(database_url) == 1, what="the trigger has a state")
    assert accepted(delivery.api.journal) == {request_id: 1}
    row = ledger(database_url)[request_id]
    assert (row["state"], row["trace_id"]) == ("accepted", TRACE)
