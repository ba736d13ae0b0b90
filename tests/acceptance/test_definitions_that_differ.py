"""Workers with different definitions: each trigger is sent by the definition that it was made by, or waits for it."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.support.conservation import CAMPAIGN_ID, accepted, journal, ledger, write_definition
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COUNT, LATER = 200, 20
CALM = "[latency]\nseconds = 0.02\n"
OTHER_ID = "00000000-9d34-4c1a-8e6b-1a2b3c4d5e6f"
PARKED = "select count(*) from ledger.triggers where state = 'parked' and reason = 'definition-unknown'"
LASTING = "select count(*) from audit.unknown_definitions where lasts"


def states(url: str) -> Counter[str]:
    return Counter(row["state"] for row in ledger(url).values())


def test_each_trigger_is_sent_by_its_own_definition_or_waits_for_a_worker_that_has_it(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery], tmp_path: Path
) -> None:
    delivery = prepare_delivery(broker_url, CALM, AJO_PREFETCH="5")
    older, none = tmp_path / "older", tmp_path / "none"
    write_definition(older, campaign_id=OTHER_ID)
    none.mkdir()
    others = [
        delivery.start({**delivery.env, "AJO_CAMPAIGNS": str(folder), "AJO_LANES": "standard"})
        for folder in (older, none)
    ]
    new = delivery.start_worker()
    published = delivery.publish(COUNT, 1)
    wait_until(lambda: states(database_url)["accepted"] == COUNT, what="all accepted")
    assert accepted(delivery.api.journal) == dict.fromkeys(published, 1)
    assert Counter(call["campaign_id"] for call in journal(delivery.api.journal)) == {CAMPAIGN_ID: COUNT}
    assert query(database_url, "select count(*) from ledger.triggers where round > 1")[0]["count"] > 0, "some waited"

    new.child.stop()
    later = delivery.publish(LATER, 1)
    wait_until(lambda: query(database_url, PARKED)[0]["count"] == LATER, what="all of them parked")
    wait_until(lambda: query(database_url, LASTING)[0]["count"] == 1, what="the definition unknown")
    said = delivery.run_cli("status", env=delivery.env).out
    assert f"{LATER} triggers of order-shipped, since no worker alive has their definition" in " ".join(said.split())

    others[0].child.stop()
    (digest,) = {row["call_digest"] for row in query(database_url, "select call_digest from ledger.held_payloads")}
    write_definition(older, campaign_id=OTHER_ID, facts=f'replaces = ["{digest}"]')
    delivery.start({**delivery.env, "AJO_CAMPAIGNS": str(older)})
    wait_until(lambda: states(database_url)["accepted"] == COUNT + LATER, what="all accepted")
    assert accepted(delivery.api.journal) == dict.fromkeys(published | later, 1)
    sent = {call["request_id"]: call["campaign_id"] for call in journal(delivery.api.journal)}
    assert {sent[one] for one in later} == {OTHER_ID}, "by the definition that says so"
    assert not query(database_url, "select * from ledger.held_payloads")


def test_what_nobody_knows_for_too_long_is_a_dead_letter_that_a_redrive_sends(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery], tmp_path: Path
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_DEFINITION_WAIT="1")
    own = shutil.copytree(delivery.campaigns, tmp_path / "own")
    write_definition(own, "order-sent")
    worker = delivery.start({**delivery.env, "AJO_CAMPAIGNS": str(own)})
    (own / "order-sent.toml").rename(delivery.campaigns / "order-sent.toml")
    worker.child.stop()
    delivery.start({**delivery.env, "AJO_CAMPAIGNS": str(own)})  # renamed, or deleted, for all that it can tell
    sent = delivery.publish(LATER, campaign="order-sent")
    wait_until(lambda: states(database_url)["rejected"] == LATER, what="all rejected")
    assert {(row["state"], row["reason"]) for row in ledger(database_url).values()} == {
        ("rejected", "definition-unknown")
    }
    delivery.start_worker()
    done = delivery.run_cli("dead", "redrive", "--all", "--yes", "--why", "it is back", env=delivery.env)
    assert done.code == 0, done.err
    wait_until(lambda: states(database_url)["accepted"] == LATER, what="all accepted")
    assert accepted(delivery.api.journal) == dict.fromkeys(sent, 1)
