"""A slow Adobe is neither an outage nor a duplicate, and what it never answers is sent once."""

from collections.abc import Callable

from tests.support.conservation import accepted, finished, journal, ledger
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COUNT = 30
WORKS = '[latency]\ndistribution = "constant"\nseconds = 0.1\n'
SLOW = '[latency]\ndistribution = "constant"\nseconds = 22\n'
HANGS = WORKS + '[[fault]]\nkind = "hang"\naccept = true\n'
SHORT = {
    "AJO_BUDGET_SECONDS": "4",
    "AJO_PROBE_INTERVAL": "0.5",
    "AJO_PROBE_INTERVAL_LONGEST": "1",
    "AJO_RECOVERY_RATE": "50",
    "AJO_RECOVERY_DOUBLING": "1",
    "AJO_OUTAGE_SECONDS": "0.5",
}
"""A budget of seconds, so that its end need not be waited for; the outage's times go with it."""


def test_answers_after_22_seconds_are_waited_for_and_nothing_is_sent_twice(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, SLOW)  # and all that bears on it by default
    delivery.start_worker()
    confirmed = delivery.publish(COUNT)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")
    assert {row["state"] for row in ledger(database_url).values()} == {"accepted"}
    assert accepted(delivery.api.journal) == dict.fromkeys(confirmed, 1)
    assert len(journal(delivery.api.journal)) == COUNT, "a call a trigger"
    assert not query(database_url, "select 1 from ledger.outages")


def test_what_is_never_answered_is_sent_once_and_the_rest_goes_out_when_answers_come_again(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, HANGS, **SHORT)
    delivery.start_worker()
    hung = delivery.publish(COUNT)
    wait_until(lambda: query(database_url, "select 1 from ledger.outages"), what="an outage")
    wait_until(lambda: finished(database_url) == COUNT, what="all that hung with a state")
    waiting = delivery.publish(COUNT)
    wait_until(lambda: query(database_url, "select 1 from ledger.probes offset 1"), what="two probes")
    delivery.api.play(WORKS)
    wait_until(lambda: finished(database_url) == 2 * COUNT, what="all triggers with a state")

    rows, calls = ledger(database_url), journal(delivery.api.journal)
    assert set(rows) == hung | waiting
    assert len(calls) == len({call["request_id"] for call in calls}) == 2 * COUNT, "no trigger was sent twice"
    unconfirmed = {request_id for request_id, row in rows.items() if row["state"] == "unconfirmed"}
    assert {row["state"] for row in rows.values()} == {"unconfirmed", "accepted"}
    assert hung <= unconfirmed
    probed = {str(row["request_id"]) for row in query(database_url, "select request_id from ledger.probes")}
    assert unconfirmed - hung <= probed, "beside what hung, only probes may have been lost to it"
    (outage,) = query(database_url, "select reason, ended_at from ledger.outages")
    assert (outage["reason"], outage["ended_at"] is not None) == ("no-answers", True)


def test_a_time_out_that_an_operator_shortened_ends_its_trigger_where_ambiguous_calls_are_held(
    rabbitmq_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(rabbitmq_url, HANGS, AJO_ATTEMPT_TIMEOUT="1", AJO_ON_AMBIGUOUS="hold")
    delivery.start_worker()
    confirmed = delivery.publish(COUNT)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")
    assert {(row["state"], row["reason"]) for row in ledger(database_url).values()} == {("unconfirmed", "timeout")}
    assert accepted(delivery.api.journal) == dict.fromkeys(confirmed, 1)


def test_where_ambiguous_calls_are_held_a_crash_ends_what_was_in_flight_and_doubles_nothing(
    rabbitmq_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(
        rabbitmq_url, WORKS.replace("0.1", "2"), AJO_ON_AMBIGUOUS="hold", AJO_MAX_IN_FLIGHT="10"
    )
    first = delivery.start_worker()
    confirmed = delivery.publish(COUNT, 1)
    wait_until(lambda: finished(database_url) >= 10, what="a third of the triggers done")
    first.child.kill()
    delivery.start_worker()
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")

    rows, counted = ledger(database_url), accepted(delivery.api.journal)
    assert set(rows) == confirmed
    assert max(counted.values()) == 1
    states = {(row["state"], row["reason"]) for row in rows.values()}
    assert states == {("accepted", None), ("unconfirmed", "worker-crash")}
    assert not any(row["possible_duplicate"] for row in rows.values())
