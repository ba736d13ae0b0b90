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

from ajo_worker.ledger import partitions
from ajo_worker.ledger.database import DatabaseError, connect, connected, place
from ajo_worker.ledger.taking_turns import take_turn

TRIES = 3
"""How often a migration beside workers is tried, that waits for none of their locks for long (migrations/env.py)."""

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
        # None begins before others have done it all, however long that takes: its own waits are short.
        await take_turn(connection, partitions.LOCK, "makes partitions", progress, session=True)
        made = await partitions.make_partitions(connection)
    if made.held_up:
        raise _read_for_long(url, "not all partitions could be added")
    return made.partitions


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
