"""A token that Adobe's API refuses: for one campaign alone, for all of them, or in the middle of an outage."""

from collections.abc import Callable

from tests.support.conservation import accepted, finished, ledger, write_definition
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

QUICK = '[latency]\ndistribution = "uniform"\nlow = 0.01\nhigh = 0.05\n[token]\nlatency = 0.5\n'
OTHER_ID = "0b9e7d52-1111-4222-8333-444455556666"
STATES = "select state, count(*) as n from ledger.triggers where campaign = $1 group by state"
WAITED = """
    select 1 from audit.attempts a join audit.triggers t using (request_id)
    where t.campaign = 'order-shipped' and a.token_wait_seconds > 0.1 and a.dispatched_at > $1
"""
PROBES = {"AJO_PROBE_INTERVAL": "0.5", "AJO_PROBE_INTERVAL_LONGEST": "1", "AJO_RECOVERY_RATE": "100"}
BEFORE, COUNT = 20, 300


def states(url: str, campaign: str) -> dict[str, int]:
    """How many triggers of a campaign are in which state."""
    return {row["state"]: row["n"] for row in query(url, STATES, campaign)}


def test_a_campaign_that_is_refused_with_every_token_is_paused_and_its_neighbour_waits_for_none(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    refused = f'[[fault]]\nkind = "token-expired"\ncampaign = "{OTHER_ID}"\n'
    delivery = prepare_delivery(valkey_url, QUICK + refused, AJO_RATE_LIMIT_STANDARD="200", **PROBES)
    write_definition(delivery.campaigns, "flash-sale", campaign_id=OTHER_ID)
    delivery.start_worker()
    delivery.publish(BEFORE, 1)
    wait_until(lambda: states(database_url, "order-shipped") == {"accepted": BEFORE}, what="the token works")
    (row,) = query(database_url, "select clock_timestamp() as now")
    failing, working = delivery.publish(COUNT, 1, "flash-sale"), delivery.publish(COUNT, 1)
    both = {"accepted": BEFORE + COUNT}
    wait_until(lambda: states(database_url, "order-shipped") == both, what="the neighbour is through")
    assert query(database_url, WAITED, row["now"]) == []
    wait_until(lambda: set(states(database_url, "flash-sale")) == {"rejected", "parked"}, what="the other is paused")
    (outage,) = query(database_url, "select * from ledger.outages")
    assert (outage["scope"], outage["reason"]) == ("campaign:flash-sale", "campaign-failing")
    dead = {request_id for request_id, row in ledger(database_url).items() if row["state"] == "rejected"}
    assert len(dead) <= 2, "the others were kept from being refused"

    delivery.api.play(QUICK)
    wait_until(lambda: finished(database_url) == BEFORE + 2 * COUNT, what="all triggers with a state")
    counted = accepted(delivery.api.journal)
    assert set(counted) >= (failing | working) - dead
    assert set(counted).isdisjoint(dead)
    assert set(counted.values()) == {1}


def test_a_token_that_dies_during_an_outage_does_not_keep_it_open(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    """The endpoint forgets its tokens after two seconds, and says that they live for a day."""
    forgets = """[token]\nexpires_in = 2\nbody = '{"access_token": "{token}", "expires_in": 86399}'\n"""
    fails = '[[fault]]\nkind = "status"\nstatus = 503\n'
    delivery = prepare_delivery(valkey_url, forgets + fails, AJO_OUTAGE_SECONDS="1", **PROBES)
    delivery.start_worker()
    ids = delivery.publish(COUNT, 1)
    wait_until(lambda: query(database_url, "select 1 from ledger.outages"), what="the circuit is open")
    wait_until(lambda: len(query(database_url, "select 1 from ledger.probes")) >= 4, what="the token is dead by now")
    delivery.api.play(QUICK)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")
    assert {row["state"] for row in ledger(database_url).values()} == {"accepted"}
    counted = accepted(delivery.api.journal)
    assert (set(counted), set(counted.values())) == (ids, {1})
    assert all(row["ended_at"] for row in query(database_url, "select ended_at from ledger.outages"))
