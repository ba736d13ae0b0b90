"""The schema goes on after a release: tables expand while old workers write, and contract a release later."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from ajo_worker.ledger import schema
from ajo_worker.ledger.admission import admit
from ajo_worker.ledger.attempts import record
from ajo_worker.ledger.database import DatabaseError
from ajo_worker.views.timeline import timeline

from tests.integration.worker.ledger.conftest import Connect
from tests.integration.worker.ledger.rows import accepted, admission
from tests.support.database import query
from tests.support.releases import release

EXPAND = """
    alter table ledger.attempts add column approval_wait_seconds double precision;
    insert into ledger.phases (position, phase, system, level_seconds, attempt_column, means)
    select max(position) + 1, 'four-eyes', 'producer', 2, 'approval_wait_seconds', 'Until somebody had approved of it.'
    from ledger.phases;
"""
CONTRACT = """
    select ledger.drop_delays();
    drop view audit.held;
    delete from ledger.phases where phase = 'four-eyes';
    alter table ledger.attempts drop column approval_wait_seconds;
"""
HELD = "create or replace view audit.held as {columns} from ledger.held_payloads;"
AS_NOW = "select request_id, campaign, call_digest, reason, round, held_at, resume_at, resumed_by, key_id"
BY_SYSTEM = "select system, count(*) as triggers from audit.delays group by 1"


async def write(connection: asyncpg.Connection) -> None:
    """What a worker of this version does for one trigger."""
    offered = admission()
    await admit(connection, [offered])
    assert await record(connection, [accepted(offered)]) == [True]


async def test_old_workers_write_beside_a_migration_and_after_it_and_old_readers_read(
    database_url: str, connect: Connect, tmp_path: Path
) -> None:
    worker, other = await connect(), await connect()
    for _ in range(200):
        await write(worker)
    migrated = asyncio.Event()

    async def go_on() -> int:
        written = 0
        while not migrated.is_set() or written < 20:
            await write(other)
            written += 1
        return written

    meanwhile = asyncio.create_task(go_on())
    more = AS_NOW + ", length(payload) as payload_bytes"
    await asyncio.to_thread(release, database_url, tmp_path, EXPAND, {"99_held.sql": HELD.format(columns=more)})
    migrated.set()
    written = await meanwhile
    await write(worker)  # over a connection whose statements were prepared before
    triggers = 200 + written + 1
    assert sum(row["triggers"] for row in query(database_url, BY_SYSTEM)) == triggers
    query(database_url, "select payload_bytes from audit.held")

    query(
        database_url,
        "update ledger.attempts set approval_wait_seconds = 9 where ctid = (select min(ctid) from ledger.attempts)",
    )
    [late] = query(database_url, "select request_id, four_eyes_seconds from audit.delays where four_eyes_seconds > 0")
    assert late["four_eyes_seconds"] == 9
    read = await timeline(worker, late["request_id"])
    assert read is not None
    assert {"four-eyes": 9.0}.items() <= {phase.phase: phase.seconds for phase in read.phases}.items()

    await asyncio.to_thread(release, database_url, tmp_path, CONTRACT, {"99_held.sql": HELD.format(columns=AS_NOW)})
    await write(worker)
    assert sum(row["triggers"] for row in query(database_url, BY_SYSTEM)) == triggers + 1
    assert "four_eyes_seconds" not in query(database_url, "select * from audit.delays limit 1")[0]
    with pytest.raises(DatabaseError, match="is at migration 0003"):
        await schema.upgrade(database_url, lambda _: None)


async def test_behind_a_long_reader_a_migration_gives_up_and_has_changed_nothing(
    database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    async with connection.transaction():
        await connection.execute("lock table ledger.attempts in access share mode")
        with pytest.raises(DatabaseError, match="is being read for long"):
            await asyncio.to_thread(release, database_url, tmp_path, EXPAND)
    assert await schema.current(database_url) == schema.newest()
    await write(connection)
