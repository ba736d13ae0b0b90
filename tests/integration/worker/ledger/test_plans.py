"""What the ledger asks for by id opens the one partition where the id is, by its key, however the plan was made."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from ajo_worker.ledger import unknown_definitions
from ajo_worker.ledger.admission import INSERT, INSERT_HELD, LOOK, Admission, admit
from ajo_worker.ledger.attempts import ACCEPT, ACCEPTED, INTEND, RECORD, Intent, Record, record
from ajo_worker.ledger.ledger import WRITER
from ajo_worker.ledger.many_rows import columns
from ajo_worker.ledger.ownership import RELEASE, TAKE_OVER, Release, Takeover
from ajo_worker.ledger.unknown_definitions import REJECT, RENAME
from ajo_worker.outages.resumption import RESCUE, RESUME, RESUME_SOME, rescue, resume, resume_some
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.rows import accepted, admission, after, attempt, ending, refused

LOCKED = "select relname as name from pg_locks join pg_class c on c.oid = relation where pid = pg_backend_pid()"
ONE_TRIGGER = [
    "select * from audit.triggers where request_id = $1",
    "select * from audit.attempts where request_id = $1",
    "select * from audit.delays where request_id = $1",
]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


async def explained(connection: asyncpg.Connection, options: str, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    """The nodes of a statement's plan that read or write a table; what an analysis changes is taken back."""
    transaction = connection.transaction()
    await transaction.start()
    answer = await connection.fetchval(f"explain ({options}, format json) {sql}", *arguments)
    await transaction.rollback()
    return [node for node in nodes(json.loads(answer)[0]["Plan"]) if "Relation Name" in node]


def day_of(trigger: Admission) -> str:
    """The day of a trigger's partitions."""
    return f"{datetime.fromtimestamp((trigger.request_id.int >> 80) / 1000, UTC):%Y%m%d}"


def statements(trigger: Admission) -> dict[str, tuple[str, list[Any]]]:
    """Each statement of a worker, about one trigger."""
    request_id = trigger.request_id
    takeover = Takeover(request_id, 1, uuid7(), 1, interrupted=True)
    return {
        "admit": (INSERT, [[trigger]]),
        "refuse": (INSERT_HELD, [[refused(request_id=request_id)]]),
        "look": (LOOK, [[request_id], request_id, request_id]),
        "intend": (INTEND, [*columns([Intent(request_id, 1, 2, after(1), None)], Intent), request_id, request_id]),
        "accept": (ACCEPT, [[attempt(trigger)], [after(0)], [after(1)], request_id, request_id]),
        "accepted": (ACCEPTED, [[request_id], request_id, request_id]),
        "record": (RECORD, [[attempt(trigger, 2)], [ending(trigger)], request_id, request_id]),
        "take over": (TAKE_OVER, [*columns([takeover], Takeover), request_id, request_id]),
        "release": (RELEASE, [*columns([Release(request_id, 1, 0)], Release), request_id, request_id]),
    }


def of_patrols(trigger: Admission) -> dict[str, tuple[str, list[Any]]]:
    """Each statement of a patrol about triggers whose payloads are held, of which this is the only one."""
    ends, definitions = [trigger.request_id] * 2, [["order-shipped"], ["0" * 16]]
    return {
        "resume": (RESUME, [*definitions, 500, uuid7(), 1, *ends]),
        "resume some": (RESUME_SOME, [*definitions, 500, uuid7(), *ends]),
        "rescue": (RESCUE, [*definitions, 500, uuid7(), *ends]),
        "rename": (RENAME, [500, *ends]),
        "reject": (REJECT, [500, 60.0, *ends]),
    }


NAMES, OF_PATROLS = list(statements(admission())), list(of_patrols(admission()))
ALWAYS = {"unknown_definitions", "stale_minutes", "workers", "triggers", "attempts", "held_payloads", "clock_steps"}
"""Tables that have no partitions, and those that have: what a statement says that it changes."""


@pytest.fixture
async def trigger(connection: asyncpg.Connection) -> Admission:
    return await one_of_many(connection)


async def one_of_many(connection: asyncpg.Connection) -> Admission:
    """One of many triggers: the planner has seen that the tables are not empty."""
    triggers = [admission() for _ in range(300)]
    await admit(connection, triggers)
    await record(connection, [Record(attempt(each), None) for each in triggers[1:]])
    await connection.execute("analyze ledger.triggers, ledger.attempts")
    return triggers[0]


@pytest.mark.parametrize("name", [*NAMES, *OF_PATROLS])
async def test_a_workers_statement_opens_the_partitions_of_its_trigger_alone(
    connection: asyncpg.Connection, trigger: Admission, name: str
) -> None:
    """Others are not even prepared for: of 400 days that alone takes milliseconds."""
    sql, arguments = {**statements(trigger), **of_patrols(trigger)}[name]
    read = await explained(connection, "analyze", sql, *arguments)
    opened = {node["Relation Name"] for node in read if "Scan" in node["Node Type"]} - ALWAYS
    assert opened <= {f"triggers_{day_of(trigger)}", f"attempts_{day_of(trigger)}"}
    assert opened or name in {"admit", "refuse"}


async def test_a_patrol_that_finds_nothing_to_do_has_not_begun_on_any_partition(connection: asyncpg.Connection) -> None:
    """It asks twice a second: of 400 days each time cost 300 ms and 1,700 locks."""
    definitions, me = [("order-shipped", "0" * 16)], uuid7()
    async with connection.transaction():
        assert await resume(connection, definitions, 500, me) == []
        assert await resume_some(connection, definitions, 500, me) == []
        assert await rescue(connection, definitions, 500, me) == []
        await unknown_definitions.look(connection)
        assert await unknown_definitions.reject(connection, 60.0) == 0
        locked = {row["name"] for row in await connection.fetch(LOCKED)}
    assert locked
    assert not {name for name in locked if name.startswith(("triggers", "attempts"))}


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("name", NAMES)
async def test_a_plan_that_is_made_once_for_all_triggers_looks_each_up_by_its_id(
    connection: asyncpg.Connection, name: str, empty: bool
) -> None:
    """A writer has such plans alone, perhaps made while its tables are still empty."""
    sql, arguments = statements(admission() if empty else await one_of_many(connection))[name]
    await connection.execute(f"set plan_cache_mode = {WRITER['plan_cache_mode']}")
    read = await explained(connection, "analyze", sql, *arguments)
    scans = [node for node in read if "Scan" in node["Node Type"]]
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}
    for node in scans:
        if node["Relation Name"].startswith(("triggers", "attempts")):
            assert "request_id = " in node["Index Cond"], node


@pytest.mark.parametrize("sql", ONE_TRIGGER)
async def test_a_view_of_one_trigger_opens_one_partition_of_each_table(
    database_url: str, connection: asyncpg.Connection, trigger: Admission, sql: str
) -> None:
    await record(connection, [accepted(trigger)])
    reader = await asyncpg.connect(database_url)  # without a worker's settings of the planner
    try:
        found = await explained(reader, "analyze", sql, trigger.request_id)
        # Few rows stand in tables that have no partitions: workers, outages, service levels.
        read = [node for node in found if node["Actual Loops"] and node["Relation Name"][-8:].isdigit()]
    finally:
        await reader.close()
    names = [node["Relation Name"] for node in read]
    assert set(names) <= {f"{table}_{day_of(trigger)}" for table in ("triggers", "attempts", "deliveries")}
    assert len(names) == len(set(names))
    assert {node["Node Type"] for node in read} <= {"Index Scan", "Bitmap Heap Scan"}
