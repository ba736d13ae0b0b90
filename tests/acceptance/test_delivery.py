"""Triggers go from the publisher's command to accepted messages, on each broker, whatever a retry can heal."""

from collections.abc import Callable

import pytest

from tests.support.conservation import TOO_LATE, WRONG_WAITS, accepted, finished, journal, ledger
from tests.support.database import query
from tests.support.delivery import SCENARIO, Delivery
from tests.support.waiting import wait_until

# The part that the phases don't explain, as a share of 5 ms or 1 % of the whole, at the 99th percentile.
UNEXPLAINED = """
    select percentile_cont(0.99) within group (
        order by abs(residual_seconds) / greatest(0.01 * total_seconds, 0.005)) as share from audit.delays
"""


@pytest.mark.parametrize(("count", "batch_size"), [(2_000, 100), (300, 1)])
def test_every_confirmed_trigger_is_accepted_once_and_recorded(
    count: int, batch_size: int, broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, SCENARIO)
    delivery.start_worker()
    confirmed = delivery.publish(count, batch_size)
    assert len(confirmed) == count
    wait_until(lambda: finished(database_url) == count, what=f"{count} triggers with a state")

    rows = ledger(database_url)
    counted = accepted(delivery.api.journal)
    assert set(rows) == confirmed == set(counted)
    assert {row["state"] for row in rows.values()} == {"accepted"}
    doubled = {request_id for request_id, times in counted.items() if times > 1}
    assert doubled <= {request_id for request_id, row in rows.items() if row["possible_duplicate"]}
    calls = journal(delivery.api.journal)
    assert len(calls) > count * 1.1, "the scenario's faults were not hit"
    attempts = query(database_url, "select request_id, http_status from audit.attempts")
    assert len(attempts) == len(calls), "every call is an attempt, and every attempt a call"
    assert not query(database_url, TOO_LATE, 60.0)
    assert not query(database_url, WRONG_WAITS)
    assert query(database_url, UNEXPLAINED)[0]["share"] < 1
