"""What the ledger asks for by id opens the one partition where the id is, by its key, however the plan was made."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from ajo_worker.ledger import unknown_definitions
from ajo_worker.ledger.admission import INSERT, INSERT_HELD, LOOK, Admission, admit, look
from ajo_worker.ledger.attempts import ACCEPT, ACCEPTED, INTEND, RECORD, Intent, Record, intend, record
from ajo_worker.ledger.by_day import DAY, day_of, on_day
from ajo_worker.ledger.ledger import WRITER
from ajo_worker.ledger.many_rows import columns
from ajo_worker.ledger.ownership import RELEASE, TAKE_OVER, Release, Takeover, release, take_over
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


def partition_of(trigger: Admission) -> str:
    """The day of a trigger's partitions, as in their names."""
    return f"{datetime.fromtimestamp((trigger.request_id.int >> 80) / 1000, UTC):%Y%m%d}"


def statements(trigger: Admission) -> dict[str, tuple[str, list[Any]]]:
    """Each statement of a worker, about one trigger."""
    request_id = trigger.request_id
    takeover = Takeover(request_id, 1, uuid7(), 1, interrupted=True)
    made = {
        "admit": (INSERT, [[trigger]]),
        "refuse": (INSERT_HELD, [[refused(request_id=request_id)]]),
        "look": (LOOK, [[request_id]]),
        "intend": (INTEND, columns([Intent(request_id, 1, 2, after(1), None)], Intent)),
        "accept": (ACCEPT, [[attempt(trigger)], [after(0)], [after(1)]]),
        "accepted": (ACCEPTED, [[request_id]]),
        "record": (RECORD, [[attempt(trigger, 2)], [ending(trigger)]]),
        "take over": (TAKE_OVER, columns([takeover], Takeover)),
        "release": (RELEASE, columns([Release(request_id, 1, 0)], Release)),
    }
    day = day_of(request_id)
    return {name: (on_day(sql, day), arguments) for name, (sql, arguments) in made.items()}


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
    assert opened <= {f"triggers_{partition_of(trigger)}", f"attempts_{partition_of(trigger)}"}
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


@pytest.mark.parametrize("name", NAMES)
async def test_a_plan_that_is_made_once_locks_the_partitions_of_its_day_alone(
    connection: asyncpg.Connection, trigger: Admission, name: str
) -> None:
    """What is pruned when a plan is carried out is locked before: of 400 days up to 1,264 locks for each commit."""
    sql, arguments = statements(trigger)[name]
    await connection.execute(f"set plan_cache_mode = {WRITER['plan_cache_mode']}")
    statement = await connection.prepare(sql)
    async with connection.transaction():
        await statement.fetch(*arguments)
    async with connection.transaction():  # with the plan that there is now
        await statement.fetch(*arguments)
        locked = {row["name"] for row in await connection.fetch(LOCKED)}
    days = {name[:17] for name in locked if name.startswith(("triggers_", "attempts_")) and name[9:10].isdigit()}
    assert days <= {f"triggers_{partition_of(trigger)}", f"attempts_{partition_of(trigger)}"}
    assert not any(name.startswith(("triggers_default", "attempts_default")) for name in locked)


async def test_rows_of_many_days_and_of_no_day_are_written_together(connection: asyncpg.Connection) -> None:
    """Each day's statements are others; ids that are no UUIDv7 have no day."""
    some = [uuid7(), UUID(int=uuid7().int - (3 * DAY << 80)), uuid4(), UUID(int=7), UUID(int=2**128 - 7)]
    rows = [admission(request_id=request_id) for request_id in some]
    assert await admit(connection, rows) == [None] * len(rows)
    assert await admit(connection, [row._replace(owner=uuid7()) for row in rows]) != [None] * len(rows)
    assert await intend(connection, [Intent(row.request_id, 1, 2, after(1), None) for row in rows]) == [True] * len(
        rows
    )
    plain, others = rows[::2], rows[1::2]
    written = [*map(accepted, plain), *(Record(attempt(row, 1), ending(row, state="expired")) for row in others)]
    assert await record(connection, written) == [True] * len(rows)
    known = await look(connection, some)
    assert [known[row.request_id].state for row in plain] == ["accepted"] * len(plain)
    assert [known[row.request_id].state for row in others] == ["expired"] * len(others)
    again = [admission(request_id=UUID(int=row.request_id.int - 1)) for row in rows]
    await admit(connection, again)
    ids = [row.request_id for row in again]
    assert await take_over(connection, [Takeover(each, 1, uuid7(), 1, interrupted=True) for each in ids]) == [True] * 5
    await release(connection, [Release(each, 2, 1) for each in ids])
    assert {known.owner for known in (await look(connection, ids)).values()} == {None}


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
    assert set(names) <= {f"{table}_{partition_of(trigger)}" for table in ("triggers", "attempts", "deliveries")}
    assert len(names) == len(set(names))
    assert {node["Node Type"] for node in read} <= {"Index Scan", "Bitmap Heap Scan"}
