"""Dead letters are sent again by any worker: each once more, what may be doubled marked, their payloads gone."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from ajo_producers.contract.sealing import new_key

from tests.support.conservation import accepted, finished, journal, ledger
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COUNT, DOUBTFUL = 200, 20
WORKS = '[latency]\ndistribution = "uniform"\nlow = 0.01\nhigh = 0.05\n'
REFUSES = WORKS + '[[fault]]\nkind = "status"\nstatus = 400\n'
PATIENT = {"AJO_CAMPAIGN_REFUSALS": "100000", "AJO_OUTAGE_FAILURES": "100000"}
"""Neither a paused campaign nor an outage comes between: what is refused is refused."""
WHY = ("--why", "the campaign is live again", "--yes")
HELD = "select 1 from ledger.held_payloads"


def states(url: str) -> Counter[str]:
    """How many triggers are in each state."""
    return Counter(row["state"] for row in ledger(url).values())


def dead(delivery: Delivery, *arguments: str) -> str:
    """What ``ajo-dispatch dead`` prints; it must do what was asked for."""
    done = delivery.run_cli("dead", *arguments, env=delivery.env)
    assert done.code == 0, done.err
    return done.out


def test_rejected_triggers_that_are_redriven_are_each_sent_once_more_and_accepted(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(valkey_url, REFUSES, AJO_PAYLOAD_KEYS=new_key(), **PATIENT)
    delivery.start_worker()
    confirmed = delivery.publish(COUNT, 20)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")
    assert states(database_url) == {"rejected": COUNT}
    before = Counter(call["request_id"] for call in journal(delivery.api.journal))
    assert before == dict.fromkeys(confirmed, 1)
    delivery.api.play(WORKS)

    assert dead(delivery, "redrive", "--state", "rejected", "--status", "400", "--rate", "100", *WHY).startswith(
        f"{COUNT} dead letters redriven in operation "
    )
    wait_until(lambda: states(database_url)["accepted"] == COUNT, what="all triggers accepted")
    calls = Counter(call["request_id"] for call in journal(delivery.api.journal))
    assert calls == dict.fromkeys(confirmed, 2), "each was sent exactly once more"
    assert accepted(delivery.api.journal) == dict.fromkeys(confirmed, 1)
    assert not query(database_url, HELD), "what was accepted keeps no payload"
    rows = ledger(database_url)
    assert set(rows) == confirmed
    assert {(row["round"], row["attempts"], row["possible_duplicate"]) for row in rows.values()} == {(2, 1, False)}
    (operation,) = query(database_url, "select * from ledger.operations")
    assert (operation["action"], operation["triggers"]) == ("redrive", COUNT)
    noted = query(database_url, "select request_id, round, state from ledger.operation_triggers")
    assert {(str(row["request_id"]), row["round"], row["state"]) for row in noted} == {
        (request_id, 1, "rejected") for request_id in confirmed
    }


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("status = 409", "conflict"), ("status = 504\nretry_after = 1000", "retry-after-beyond-budget")],
    ids=["a conflict", "a gateway's time-out"],
)
def test_unconfirmed_triggers_are_redriven_only_on_demand_and_marked_as_possible_duplicates(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery], fault: str, reason: str
) -> None:
    """The attempt that may have been accepted is one of an earlier round: the next round's refusal confirms nothing."""
    delivery = prepare_delivery(valkey_url, WORKS + f'[[fault]]\nkind = "status"\n{fault}\n', **PATIENT)
    delivery.start_worker()
    confirmed = delivery.publish(DOUBTFUL, 20)
    wait_until(lambda: finished(database_url) == DOUBTFUL, what="all triggers with a state")
    assert outcomes(database_url) == {("unconfirmed", reason, 1, False, ())}

    refused = delivery.run_cli("dead", "redrive", "--all", *WHY, env=delivery.env)
    assert (refused.code, states(database_url)) == (1, {"unconfirmed": DOUBTFUL})
    assert f"{DOUBTFUL} dead letters left out: unconfirmed, " in refused.out
    marked = True, ("ambiguous-answer",)
    delivery.api.play(REFUSES)
    dead(delivery, "redrive", "--all", "--unconfirmed", *WHY)
    wait_until(lambda: outcomes(database_url) == {("unconfirmed", "bad-request", 2, *marked)}, what="refused again")
    delivery.api.play(WORKS)
    dead(delivery, "redrive", "--all", "--unconfirmed", *WHY)
    wait_until(lambda: outcomes(database_url) == {("accepted", None, 3, *marked)}, what="all triggers accepted")
    calls = Counter(call["request_id"] for call in journal(delivery.api.journal))
    assert calls == dict.fromkeys(confirmed, 3)
    assert not query(database_url, HELD)


def outcomes(url: str) -> set[tuple[Any, ...]]:
    """State, reason, round and mark of all triggers."""
    return {
        (row["state"], row["reason"], row["round"], row["possible_duplicate"], tuple(row["duplicate_causes"]))
        for row in ledger(url).values()
    }
