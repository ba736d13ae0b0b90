"""The ledger's schema: bringing a database up to date, and back, through Alembic."""

from collections.abc import Callable, Iterable
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ajo_worker.ledger.database import DatabaseError, connect, connected, place

DAYS_BEHIND, DAYS_AHEAD = 1, 14
"""Days around today that have partitions after an upgrade; ids of other days go to the default partitions."""

TRIES = 3
"""How often a migration beside workers is tried, that waits for none of their locks for long (migrations/env.py)."""

PARTITIONS_LOCK = "ajo-dispatch: ledger.make_partitions"
PARTITIONS = """
    SELECT ledger.make_partitions(today - $1::int, today + $2::int)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date) AS t(today)
"""

# One at a time makes partitions, by an advisory lock, and says whom it waits for.
TAKE = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
WAIT = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
# Of other roles' processes pg_stat_activity tells nothing but the number, unless the role may know (pg_monitor).
HOLDER = """
    SELECT a.pid, a.application_name, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended($1, 0)
"""
NO_AUDITORS = (
    "the role ajo_auditor is missing, and this one may not make it: have a superuser do "
    "CREATE ROLE ajo_auditor NOLOGIN, then run 'ajo-dispatch db upgrade' again"
)

Progress = Callable[[str], None]
"""Told of each migration that was applied or taken back, and of whom is waited for, in words."""


def migrations() -> Path:
    """The folder of migrations: inside the installed package, or at the root of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parents[1] / "migrations"


async def upgrade(url: str, progress: Progress) -> list[str]:
    """Apply what is missing, and make missing partitions; returns these. Harmless when repeated; those that run at the
    same time wait for one another.

    Raises:
        DatabaseError: unreachable, too old, rights are missing, a schema newer than this version, or somebody reads
            it for so long that no partition can be added.
    """
    await _run(url, lambda config: command.upgrade(config, "head"), progress)
    async with connected(url) as connection:
        if not await connection.fetchval("SELECT ledger.admit_auditors()"):
            progress(NO_AUDITORS)
    return await make_partitions(url, progress)


async def make_partitions(url: str, progress: Progress) -> list[str]:
    """Make missing partitions, once nobody else makes any; returns them.

    Raises:
        DatabaseError: unreachable, or somebody reads for so long that none can be added.
    """
    async with connected(url) as connection:
        try:
            async with connection.transaction():
                # The function's own waits end after 2 s, for the sake of writers that queue up behind them.
                await take_turn(connection, PARTITIONS_LOCK, "makes partitions", progress)
                made = await connection.fetch(PARTITIONS, DAYS_BEHIND, DAYS_AHEAD)
        except asyncpg.LockNotAvailableError:
            raise _read_for_long(url, "no partition could be added") from None
    return [record[0] for record in made]


async def downgrade(url: str, to: str, progress: Progress) -> None:
    """Take migrations back, with all that their tables hold; ``base`` takes back all.

    Raises:
        DatabaseError: as ``upgrade``, or there is no such migration.
    """
    await _run(url, lambda config: command.downgrade(config, to), progress)


async def current(url: str) -> str | None:
    """The newest migration that a database has; None without a ledger.

    Raises:
        DatabaseError: unreachable, too old, or rights are missing.
    """
    async with connected(url) as connection:
        return await version_of(connection)


async def version_of(connection: asyncpg.Connection) -> str | None:
    """The same, over a connection that there is."""
    if await connection.fetchval("SELECT to_regclass('ledger.alembic_version')") is None:
        return None
    version: str | None = await connection.fetchval("SELECT version_num FROM ledger.alembic_version")
    return version


def run_scripts(connection: Connection, files: Iterable[Path]) -> None:
    """Run files of many statements: over asyncpg itself, since SQLAlchemy prepares each statement by itself."""
    asyncpg_connection = connection.connection.dbapi_connection
    assert asyncpg_connection is not None  # noqa: S101 - it was used a moment ago
    for file in files:
        script = file.read_text(encoding="utf-8")
        asyncpg_connection.run_async(lambda one, script=script: one.execute(script))


def newest() -> str:
    """The newest migration that this version of ajo-dispatch has."""
    return ScriptDirectory(str(migrations())).get_current_head() or ""


async def _refuse_newer(url: str) -> None:
    found = await current(url)
    known = {script.revision for script in ScriptDirectory(str(migrations())).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseError(
            f"{place(url)} is at migration {found}, and the newest one here is {newest()}: "
            "a newer version of ajo-dispatch has been at work; use that one"
        )


async def _run(url: str, alembic: Callable[[Config], None], progress: Progress) -> None:
    await _refuse_newer(url)

    done: list[str] = []

    def applied(*, step: MigrationInfo, **_: object) -> None:
        if isinstance(script := step.up_revision, Script):
            done.append(f"{'applied' if step.is_upgrade else 'took back'} {script.revision}: {script.doc}")

    def migrate(connection: Connection) -> None:
        config = Config(attributes={"connection": connection, "on_version_apply": applied, "progress": progress})
        config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
        alembic(config)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(url),
        poolclass=NullPool,
    )
    try:
        for tries_left in reversed(range(TRIES)):
            try:
                async with engine.connect() as connection:
                    await connection.run_sync(migrate)
                break
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                done.clear()
                if not tries_left:
                    raise
        for line in done:
            progress(line)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise _read_for_long(url, "its tables could not be changed, and nothing was") from None
    except asyncpg.PostgresError as fault:
        raise DatabaseError(f"{place(url)} refuses: {fault.message}") from fault
    except DBAPIError as fault:
        cause = getattr(fault.orig, "__cause__", None) or fault.orig
        raise DatabaseError(f"{place(url)} refuses: {getattr(cause, 'message', None) or cause}") from fault
    except CommandError as fault:
        raise DatabaseError(f"{place(url)}: {fault}") from fault
    finally:
        await engine.dispose()


def _read_for_long(url: str, so: str) -> DatabaseError:
    return DatabaseError(f"{place(url)} is being read for long (a backup?), so {so}: repeat it when that is over")


async def take_turn(connection: asyncpg.Connection, lock: str, what: str, progress: Callable[[str], None]) -> None:
    """Hold ``lock`` until the transaction under way ends. Where others hold it, ``progress`` is told once, and waited.

    Raises:
        asyncpg.PostgresError: the database ended the wait.
    """
    if await connection.fetchval(TAKE, lock):
        return
    holder = await connection.fetchrow(HOLDER, lock)
    progress(f"waiting for another process that {what}{_told(holder)}")
    await connection.execute(WAIT, lock)


def _told(holder: asyncpg.Record | None) -> str:
    if holder is None:  # it has just ended
        return ""
    name, seconds = holder["application_name"], holder["seconds"]
    since = "" if seconds is None else f", at it for {seconds:.0f} s"
    return f": {name or 'its name is not for this role'} (PostgreSQL's process {holder['pid']}{since})"
