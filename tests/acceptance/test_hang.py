"""A lane that answers nothing: no outage, little is risked, nobody else waits, and it goes on by itself."""

from collections.abc import Callable

from tests.support.conservation import accepted, finished, ledger, write_definition
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

QUICK = '[latency]\ndistribution = "uniform"\nlow = 0.01\nhigh = 0.05\n'
HANGS = '[[fault]]\nkind = "hang"\nlane = "standard"\n'
COUNT, PLACES = 300, 50
STATES = "select state, count(*) as n from ledger.triggers where campaign = $1 group by state"
LASTS = "select 1 from audit.silences where lasts and lane = 'standard'"
ALERTS = "select alert, audience from audit.alerts where alert like 'silence' or alert like 'outage%'"


def test_a_lane_that_hangs_takes_only_its_places_and_the_rest_of_it_waits_in_the_broker(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(
        broker_url, QUICK + HANGS, AJO_MAX_IN_FLIGHT=str(PLACES), AJO_SILENCE_SECONDS="3", AJO_BUDGET_SECONDS="45"
    )
    write_definition(delivery.campaigns, "flash-sale", lane="high-throughput")
    write_definition(delivery.campaigns, "password-reset", lane="high-throughput", facts='priority = "urgent"')
    delivery.start_worker()
    hung = delivery.publish(COUNT, 1)
    wait_until(lambda: bool(query(database_url, LASTS)), what="the silence is on record")

    others = delivery.publish(COUNT, 5, "flash-sale") | delivery.publish(20, 1, "password-reset")
    wait_until(lambda: others <= set(accepted(delivery.api.journal)), what="what goes elsewhere is accepted")
    assert query(database_url, LASTS), "while the lane hung"
    assert [tuple(row.values()) for row in query(database_url, ALERTS)] == [("silence", "adobe-support")], "no outage"
    sent = {row["state"]: row["n"] for row in query(database_url, STATES, "order-shipped")}
    assert set(sent) == {"sending"}
    assert sent["sending"] < COUNT / 2, "the rest waits in the broker, unknown to the ledger"
    for command in (("status",), ("outage", "list")):
        assert "nothing is answered" in delivery.run_cli(*command, env=delivery.env).out

    delivery.api.play(QUICK)
    everything = COUNT + len(others)
    wait_until(lambda: finished(database_url) == everything, what="all triggers with a state")
    counted, rows = accepted(delivery.api.journal), ledger(database_url)
    assert set(counted.values()) == {1}, "nothing was doubled"
    unconfirmed = {request_id for request_id, row in rows.items() if row["state"] == "unconfirmed"}
    assert unconfirmed == hung - set(counted)
    assert 0 < len(unconfirmed) <= sent["sending"] + 30, "what was sent into the silence, and one a second"
    assert not query(database_url, LASTS)
