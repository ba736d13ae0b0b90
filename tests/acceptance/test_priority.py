"""What is urgent overtakes a backlog; a campaign that is limited or refused leaves its neighbours alone."""

from collections.abc import Callable

from tests.support.conservation import accepted, finished, journal, ledger, most_at_once, write_definition
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

BULK, URGENT = 2_000, 20
QUICK = '[latency]\ndistribution = "uniform"\nlow = 0.01\nhigh = 0.05\n'
OTHER_ID = "0b9e7d52-1111-4222-8333-444455556666"
STATES = "select state, count(*) as n from ledger.triggers where campaign = $1 group by state"


def states(url: str, campaign: str) -> dict[str, int]:
    """How many triggers of a campaign are in which state."""
    return {row["state"]: row["n"] for row in query(url, STATES, campaign)}


def test_an_urgent_campaign_overtakes_a_backlog(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, QUICK, AJO_RATE_LIMIT_STANDARD="100", AJO_PREFETCH="25")
    write_definition(delivery.campaigns, "password-reset", facts='priority = "urgent"')
    bulk = delivery.publish(BULK, 20)
    delivery.start_worker()
    wait_until(lambda: finished(database_url) > BULK // 20, what="the backlog is being worked off")
    urgent = delivery.publish(URGENT, 1, "password-reset")
    wait_until(
        lambda: states(database_url, "password-reset") == {"accepted": URGENT}, what="the urgent ones are accepted"
    )
    assert finished(database_url) < BULK // 2, "they overtook the backlog"
    wait_until(lambda: finished(database_url) == BULK + URGENT, what="all triggers with a state")
    assert set(accepted(delivery.api.journal)) == bulk | urgent


def test_a_campaign_that_is_refused_is_paused_and_goes_on_once_it_works_and_its_neighbour_never_stops(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    refused = (
        f'[[fault]]\nkind = "status"\nstatus = 403\nshape = "gateway"\nerror_code = "403003"\ncampaign = "{OTHER_ID}"\n'
    )
    delivery = prepare_delivery(
        valkey_url, QUICK + refused, AJO_PROBE_INTERVAL="0.5", AJO_PROBE_INTERVAL_LONGEST="1", AJO_RECOVERY_RATE="100"
    )
    write_definition(delivery.campaigns, "flash-sale", campaign_id=OTHER_ID)
    delivery.start_worker()
    failing, working = delivery.publish(1_000, 20, "flash-sale"), delivery.publish(1_000, 20)
    wait_until(lambda: states(database_url, "order-shipped") == {"accepted": 1_000}, what="the neighbour is through")
    wait_until(lambda: set(states(database_url, "flash-sale")) == {"rejected", "parked"}, what="the other is paused")
    (outage,) = query(database_url, "select * from ledger.outages")
    assert (outage["scope"], outage["reason"]) == ("campaign:flash-sale", "campaign-failing")
    dead = {request_id for request_id, row in ledger(database_url).items() if row["state"] == "rejected"}
    assert len(dead) < 500, "most were kept from being refused"

    delivery.api.play(QUICK)
    wait_until(lambda: finished(database_url) == 2_000, what="all triggers with a state")
    counted = accepted(delivery.api.journal)
    assert set(counted) == (failing | working) - dead
    assert set(counted.values()) == {1}


def test_the_rate_of_two_workers_together_is_the_lane_s_limit(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    limit, count = 200, 2_000
    # None takes so much in advance that there is nothing left for the other one.
    delivery = prepare_delivery(valkey_url, QUICK, AJO_RATE_LIMIT_STANDARD=str(limit), AJO_PREFETCH="10")
    delivery.start_worker()
    delivery.start_worker()
    delivery.publish(count)
    wait_until(lambda: finished(database_url) == count, what="all triggers with a state")
    by_second = query(
        database_url,
        "select floor(extract(epoch from dispatched_at)) as second, count(*) as n, count(distinct worker) as workers "
        "from ledger.attempts group by 1 order by 1",
    )
    # The first and the last second are not whole; a block more or less may fall on either side of a second's border.
    whole = [row["n"] for row in by_second[1:-1]]
    assert max(whole) <= limit * 1.2
    assert sum(whole) / len(whole) <= limit * 1.03
    assert max(row["workers"] for row in by_second) == 2


def test_429s_slow_their_campaign_down_and_its_neighbour_not(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    limited = f'[[fault]]\nkind = "rate-limit"\nshare = 0.5\nattempts = 1\ncampaign = "{OTHER_ID}"\n'
    delivery = prepare_delivery(valkey_url, QUICK + limited, AJO_RATE_LIMIT_STANDARD="500")
    write_definition(delivery.campaigns, "flash-sale", campaign_id=OTHER_ID)
    delivery.start_worker()
    delivery.publish(1_000, 20, "flash-sale")
    delivery.publish(1_000, 20)
    wait_until(lambda: finished(database_url) == 2_000, what="all triggers with a state")
    assert set(ledger(database_url)) == set(accepted(delivery.api.journal))
    (slowed,) = query(database_url, "select scope, share from ledger.rate_limits where slowed_at is not null")
    assert slowed["scope"] == "campaign:flash-sale"
    assert slowed["share"] < 1


def test_a_slow_campaign_has_no_more_calls_in_flight_than_it_may_and_leaves_the_others_their_places(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    slow = f'[[fault]]\nkind = "slow"\nseconds = 1.5\ncampaign = "{OTHER_ID}"\n'
    delivery = prepare_delivery(valkey_url, QUICK + slow, AJO_MAX_IN_FLIGHT="10")
    write_definition(delivery.campaigns, "flash-sale", campaign_id=OTHER_ID, facts="concurrency = 2")
    delivery.start_worker()
    limited, free = delivery.publish(30, 5, "flash-sale"), delivery.publish(100, 20)
    wait_until(lambda: states(database_url, "order-shipped") == {"accepted": 100}, what="the other is through")
    assert states(database_url, "flash-sale").get("accepted", 0) < 15, "the slow one is far from its end"
    wait_until(lambda: finished(database_url) == 130, what="all triggers with a state")
    calls = [call for call in journal(delivery.api.journal) if call["campaign_id"] == OTHER_ID]
    assert most_at_once(calls) == 2
    assert set(accepted(delivery.api.journal)) == limited | free
