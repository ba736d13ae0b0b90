"""``ajo-dispatch status``: the list of held payloads, and that it costs what is held and not what the ledger has."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
from ajo_worker.ledger.database import READER
from ajo_worker.views.overview import HELD
from uuid_utils.compat import uuid7

from tests.support.alert_rows import put_many
from tests.support.database import query
from tests.support.ledger_rows import ago
from tests.support.programs import Finished

FORGOTTEN = """
    insert into ledger.held_payloads (request_id, held_at, round, campaign, reason, payload)
    values ($1, $2, 1, 'order-shipped', 'bad-request', '{}')
"""
PARTITIONS = """
    select relname as name from pg_class where oid in (select tableoid from ledger.triggers)
"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


async def plan(url: str) -> dict[str, Any]:
    """The plan of the list of held payloads, as a command's connection makes it."""
    connection = await asyncpg.connect(url, server_settings=READER)
    try:
        found: dict[str, Any] = json.loads(await connection.fetchval(f"explain (format json) {HELD}"))[0]["Plan"]
    finally:
        await connection.close()
    return found


def test_held_payloads_are_counted_by_state_also_those_whose_trigger_is_gone(
    run_cli: Callable[..., Finished], database_url: str
) -> None:
    put_many(database_url, 3, state="rejected", reason="bad-request")
    query(database_url, FORGOTTEN, uuid7(), ago(days=1))
    done = run_cli("status", "--json", env={"AJO_DATABASE_URL": database_url})
    held = [(row["state"], row["reason"], row["triggers"]) for row in json.loads(done.out)["held"]]
    assert held == [("rejected", "bad-request", 3), ("forgotten", "bad-request", 1)]


def test_the_list_of_held_payloads_looks_triggers_up_and_reads_none_whole(database_url: str) -> None:
    """As many are held as there are triggers: the planner would rather join them, which grows with the ledger."""
    put_many(database_url, 3000, state="rejected", reason="bad-request")
    query(database_url, "analyze ledger.triggers")
    query(database_url, "analyze ledger.held_payloads")
    partitions = {row["name"] for row in query(database_url, PARTITIONS)}
    found = asyncio.run(plan(database_url))
    scans = {node["Node Type"] for node in nodes(found) if node.get("Relation Name") in partitions}
    assert scans
    assert scans <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
