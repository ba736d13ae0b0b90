"""A killed worker loses nothing, and what it may have doubled is marked."""

from collections.abc import Callable

from tests.support.conservation import TOO_LATE, accepted, finished, journal, ledger, unfinished
from tests.support.database import query
from tests.support.delivery import SCENARIO, Delivery
from tests.support.waiting import wait_until

COUNT = 1_500
SLOW = SCENARIO.replace("median = 0.02", "median = 0.2").replace("p99 = 0.2", "p99 = 1.0")
EVEN = '[latency]\ndistribution = "uniform"\nlow = 0.2\nhigh = 0.6\n'


def test_after_kill_9_and_a_new_start_every_trigger_is_accepted_and_each_double_is_marked(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, SLOW, AJO_MAX_IN_FLIGHT="100")
    first = delivery.start_worker()
    confirmed = delivery.publish(COUNT, 20)
    wait_until(lambda: finished(database_url) > COUNT // 10, what="a tenth of the triggers done")
    first.child.kill()
    in_flight = unfinished(database_url)
    assert in_flight, "the worker was killed in the middle"
    delivery.start_worker()
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")

    rows, counted = ledger(database_url), accepted(delivery.api.journal)
    assert set(rows) == confirmed == set(counted)
    assert {row["state"] for row in rows.values()} == {"accepted"}
    marked = {request_id for request_id, row in rows.items() if row["possible_duplicate"]}
    doubled = {request_id for request_id, times in counted.items() if times > 1}
    assert doubled, "a killed worker leaves calls that were accepted without its knowing"
    assert doubled <= marked
    crashed = [request_id for request_id in marked if "worker-crash" in rows[request_id]["duplicate_causes"]]
    assert len(crashed) <= in_flight
    assert all(rows[request_id]["duplicate_causes"] for request_id in marked)
    assert not query(database_url, TOO_LATE, 60.0)
    calls = {(call["request_id"]) for call in journal(delivery.api.journal)}
    assert calls == confirmed


def test_sigterm_finishes_what_is_in_flight_gives_back_the_rest_and_doubles_nothing(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(
        broker_url, '[latency]\ndistribution = "uniform"\nlow = 0.2\nhigh = 0.6\n', AJO_MAX_IN_FLIGHT="100"
    )
    first = delivery.start_worker()
    confirmed = delivery.publish(COUNT, 20)
    wait_until(lambda: finished(database_url) > COUNT // 10, what="a tenth of the triggers done")
    assert first.child.stop() == 0
    assert finished(database_url) < COUNT, "the worker was stopped in the middle"
    states = [row["state"] for row in ledger(database_url).values()]
    assert len(accepted(delivery.api.journal)) == states.count("accepted")
    delivery.start_worker()
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")

    rows, counted = ledger(database_url), accepted(delivery.api.journal)
    assert set(rows) == confirmed == set(counted)
    assert not [request_id for request_id, times in counted.items() if times > 1]
    assert not [request_id for request_id, row in rows.items() if row["possible_duplicate"]]
