"""One at a time changes what all have in common, by an advisory lock, and says whom it waits for."""

from collections.abc import Callable

import asyncpg

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


async def take_turn(
    connection: asyncpg.Connection, lock: str, what: str, progress: Callable[[str], None], *, session: bool = False
) -> None:
    """Hold ``lock`` until the transaction under way, or the ``session``, ends.

    Where others hold it, ``progress`` is told once, and waited.

    Raises:
        asyncpg.PostgresError: the database ended the wait.
    """
    take, wait = (one.replace("_xact_", "_") if session else one for one in (TAKE, WAIT))
    if await connection.fetchval(take, lock):
        return
    holder = await connection.fetchrow(HOLDER, lock)
    progress(f"waiting for another process that {what}{_told(holder)}")
    await connection.execute(wait, lock)


def _told(holder: asyncpg.Record | None) -> str:
    if holder is None:  # it has just ended
        return ""
    name, seconds = holder["application_name"], holder["seconds"]
    since = "" if seconds is None else f", at it for {seconds:.0f} s"
    return f": {name or 'its name is not for this role'} (PostgreSQL's process {holder['pid']}{since})"
