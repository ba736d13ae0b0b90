"""Asking the ledger's database; each question on a connection of its own, so that none waits for another."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date

import asyncpg

from ajo_worker.doctor.bounds import bounded
from ajo_worker.doctor.check import Check, failed, ok, skipped
from ajo_worker.doctor.clocks import Offset, offset_of_answer
from ajo_worker.doctor.database import (
    CONNECTIONS,
    DATABASE,
    DURABILITY,
    GRANT,
    LOCKS,
    LONG_LOCKED,
    MIGRATIONS,
    PARTITIONS,
    RIGHTS,
    Blocker,
    LockTable,
    Rights,
    Room,
    judge_connections,
    judge_durability,
    judge_locks,
    judge_migrations,
    judge_partitions,
    judge_rights,
)
from ajo_worker.doctor.database_address import DatabaseAddress, address_of
from ajo_worker.doctor.settings import Readable
from ajo_worker.ledger import ledger, schema
from ajo_worker.ledger.connecting import Connector, is_direct
from ajo_worker.ledger.database import DatabaseError, connect, place
from ajo_worker.ledger.hosts import one_by_one

# By oid: has_*_privilege with a name that isn't there would be an error.
RIGHTS_HELD = """
    SELECT n.oid IS NOT NULL AS has_schema,
           coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS may_use_schema,
           coalesce((SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc p
                     WHERE p.pronamespace = n.oid AND p.proname = 'make_partition'), true) AS may_make_partitions,
           current_setting('default_transaction_read_only')::bool AS read_only,
           pg_is_in_recovery() AS standby
    FROM (SELECT 'ledger' AS name) wanted LEFT JOIN pg_namespace n ON n.nspname = wanted.name
"""
# Workers reach partitions through their table, and leave the migrations alone.
RIGHTS_MISSING = """
    SELECT r.name AS lacked, array_agg(c.relname::text ORDER BY c.relname) AS tables
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')) AS r(number, name)
    WHERE n.nspname = 'ledger' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname <> 'alembic_version' AND NOT has_table_privilege(c.oid, r.name)
    GROUP BY r.number, r.name ORDER BY r.number
"""
DAYS = """
    SELECT parent.relname::text AS name,
           array_agg(to_date(right(child.relname, 8), 'YYYYMMDD'))
               FILTER (WHERE child.relname ~ '_[0-9]{8}$') AS days
    FROM pg_inherits i
    JOIN pg_class parent ON parent.oid = i.inhparent JOIN pg_class child ON child.oid = i.inhrelid
    JOIN pg_namespace n ON n.oid = parent.relnamespace AND n.nspname = 'ledger'
    WHERE parent.relkind = 'p'
    GROUP BY parent.relname ORDER BY parent.relname DESC
"""
# Those of other roles are counted too. Before PostgreSQL 16 connections are kept for superusers alone.
ROOM = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0) AS server_limit,
           count(*) AS server_used,
           (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS role_limit,
           count(*) FILTER (WHERE usename = current_user) AS role_used,
           (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS database_limit,
           count(*) FILTER (WHERE datname = current_database()) AS database_used
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
DURABLY = """
    SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('synchronous_standby_names')
"""
# Of other roles' sessions the server may hide state and wait; their own waits all roles see.
BLOCKERS = """
    SELECT b.pid, coalesce(b.usename::text, '') AS user, coalesce(b.application_name, '') AS program,
           coalesce(b.state, '') AS state, count(*)::int AS waiting,
           max(extract(epoch FROM clock_timestamp() - w.query_start))::float8 AS seconds
    FROM pg_stat_activity w
    CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS by (pid)
    JOIN pg_stat_activity b ON b.pid = by.pid
    WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
      AND w.query_start < clock_timestamp() - make_interval(secs => $1)
    GROUP BY 1, 2, 3, 4 ORDER BY seconds DESC
"""
POOL_SECONDS = 2.0
"""For how long a pooler is asked for as many as a worker needs: whoever wants one meanwhile waits as well."""
LOCK_TABLE = """
    SELECT current_setting('max_locks_per_transaction')::int AS each,
           current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int AS sessions
"""
TODAY = "SELECT (now() AT TIME ZONE 'UTC')::date"

_Look = Callable[[asyncpg.Connection, str], Awaitable[Check]]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is dropped afterwards without a farewell, for which a server that hangs would be waited for.

    Raises:
        DatabaseError: as ``connect``.
    """
    connection = await connect(url)
    try:
        yield connection
    finally:
        connection.terminate()


async def examine_database(readable: Readable, seconds: float) -> list[Check]:
    """The checks of this subject."""
    address = address_of(readable, DATABASE)
    reached = address if isinstance(address, Check) else await bounded(DATABASE, seconds, _reach(address))
    if isinstance(address, Check) or reached.status == "failed":
        return [reached, *(skipped(name, "there is no connection") for name in LOOKS)]
    return [reached, *await asyncio.gather(*(bounded(name, seconds, _look(address, name)) for name in LOOKS))]


async def _reach(address: DatabaseAddress) -> Check:
    try:
        async with opened(address.url) as connection:
            version = connection.get_server_version()  # of 18.6 asyncpg makes 18, 0 and 6
            way = "" if await is_direct(connection) else ", through a pooler that keeps sessions apart"
            return ok(DATABASE, f"PostgreSQL {version.major}.{version.micro} at {address.shown}{way}")
    except DatabaseError as fault:
        return _refused(DATABASE, address, fault)


async def _look(address: DatabaseAddress, name: str) -> Check:
    try:
        async with opened(address.url) as connection:
            return await LOOKS[name](connection, address.url)
    except DatabaseError as fault:
        return _refused(name, address, fault)
    except asyncpg.InsufficientPrivilegeError:
        return failed(name, "the role may not read this", GRANT)


def _refused(name: str, address: DatabaseAddress, fault: DatabaseError) -> Check:
    text = str(fault).replace(place(address.url), address.shown)
    return failed(name, text, "correct AJO_DATABASE_URL, or the server; its log says more")


async def _migrations(connection: asyncpg.Connection, _: str) -> Check:
    return judge_migrations(await schema.version_of(connection), await asyncio.to_thread(schema.newest))


async def _rights(connection: asyncpg.Connection, _: str) -> Check:
    [held] = await connection.fetch(RIGHTS_HELD)
    missing = {row["lacked"]: row["tables"] for row in await connection.fetch(RIGHTS_MISSING)}
    return judge_rights(Rights(**held, missing=missing))


async def _durability(connection: asyncpg.Connection, url: str) -> Check:
    [(commit, fsync, standbys)] = await connection.fetch(DURABLY)
    several = len(one_by_one(url, os.environ)) > 1
    return judge_durability(commit, fsync, standbys if several else None)


async def _connections(connection: asyncpg.Connection, url: str) -> Check:
    direct = await is_direct(connection)
    pooled = None if direct else await Connector(lambda: url).at_once(ledger.CONNECTIONS, POOL_SECONDS)
    [room] = await connection.fetch(ROOM)
    return judge_connections(Room(**room), ledger.CONNECTIONS, pooled)


async def _locks(connection: asyncpg.Connection, _: str) -> Check:
    return judge_locks([Blocker(**row) for row in await connection.fetch(BLOCKERS, LONG_LOCKED)])


async def _partitions(connection: asyncpg.Connection, _: str) -> Check:
    today: date = await connection.fetchval(TODAY)
    days = {row["name"]: row["days"] or [] for row in await connection.fetch(DAYS)}
    [room] = await connection.fetch(LOCK_TABLE)
    return judge_partitions(today, days, LockTable(**room))


LOOKS: dict[str, _Look] = {
    MIGRATIONS: _migrations,
    RIGHTS: _rights,
    CONNECTIONS: _connections,
    LOCKS: _locks,
    DURABILITY: _durability,
    PARTITIONS: _partitions,
}


async def clock_offset(readable: Readable) -> Offset | None:
    """The database's clock against this machine's, the best of three; None if it can't be asked."""
    address = address_of(readable, DATABASE)
    if isinstance(address, Check):
        return None
    found = []
    try:
        async with opened(address.url) as connection:
            for _ in range(3):
                asked = time.time()
                at = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
                found.append(offset_of_answer("database", at, asked, time.time()))
    except DatabaseError:  # told by the check of the database
        return None
    return min(found, key=lambda offset: offset.uncertainty)
