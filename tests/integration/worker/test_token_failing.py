"""A worker that gets no access token says so in the ledger, for whoever looks after the credentials."""

from collections.abc import Callable

from tests.support.alert_rows import alerts
from tests.support.conservation import finished
from tests.support.database import query
from tests.support.delivery import SECRET, Delivery
from tests.support.waiting import wait_until

NO_TOKEN = "[token]\nfail_status = 401\n"
FAILURE = "select token_failure as it from ledger.workers where token_failed_at is not null"
ALERT = ("token-failing", None)


def test_a_token_endpoint_that_refuses_is_an_alert_until_it_gives_a_token(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    query(database_url, "update ledger.alert_thresholds set threshold = 0 where alert = 'token-failing'")
    delivery = prepare_delivery(valkey_url, NO_TOKEN, AJO_OUTAGE_SECONDS="60")  # before it is an outage
    delivery.start_worker()
    assert ALERT not in alerts(database_url)
    delivery.publish(1)
    (row,) = wait_until(lambda: query(database_url, FAILURE), what="the worker says that it gets no token")
    assert row["it"].startswith("token endpoint: status 401")
    assert SECRET not in row["it"]
    found = wait_until(lambda: alerts(database_url).get(ALERT), what="the alert")
    assert found["audience"] == "credentials"
    assert row["it"] in found["summary"]
    delivery.api.play("")
    wait_until(lambda: finished(database_url) == 1, what="the trigger is accepted")
    wait_until(lambda: ALERT not in alerts(database_url), what="the end of the alert")
