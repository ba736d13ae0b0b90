"""The ledger loses rows of triggers whose calls are under way, as in a fail-over to a standby that lagged."""

from collections.abc import Callable

from tests.support.conservation import accepted, finished, ledger
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COUNT = 40
SLOW = '[latency]\ndistribution = "constant"\nseconds = 3\n'
FORGET = "delete from ledger.triggers"


def test_what_was_sent_is_on_record_all_the_same_and_never_sent_again(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, SLOW)
    delivery.start_worker()
    confirmed = delivery.publish(COUNT)
    wait_until(lambda: len(ledger(database_url)) == COUNT, what="all calls are announced")
    query(database_url, FORGET)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")
    assert {row["state"] for row in ledger(database_url).values()} == {"accepted"}
    assert accepted(delivery.api.journal) == dict.fromkeys(confirmed, 1)
    assert query(database_url, "select count(*) as n from audit.attempts")[0]["n"] == COUNT
