"""Daily partitions are made ahead of time, each in a transaction of its own: none waits for a lock while it has one."""

from dataclasses import dataclass, field

import asyncpg

DAYS_BEHIND, DAYS_AHEAD = 1, 14
"""Days around today that have partitions after an upgrade; ids of other days go to the default partitions."""
LEAST_DAYS_AHEAD = 3
"""They are made every six hours: fewer days than this after today, and none could be made for long."""

LOCK = "ajo-dispatch: ledger.make_partitions"
MISSING = """
    SELECT today, day::date AS day, parent
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date) AS t (today)
    CROSS JOIN generate_series(today - $1::int, today + $2::int, interval '1 day') AS d (day)
    CROSS JOIN unnest(ARRAY['triggers', 'attempts', 'deliveries', 'feedback']) WITH ORDINALITY AS p (parent, place)
    WHERE to_regclass(format('ledger.%I', parent || to_char(day, '_YYYYMMDD'))) IS NULL
    ORDER BY day, place
"""
MAKE = "SELECT ledger.make_partition($1, $2)"


@dataclass
class Made:
    """Partitions by name. ``held_up``: tables that somebody reads for long, or others were at, so that some have none.

    ``days``: how many days from today on have all of theirs.
    """

    partitions: list[str] = field(default_factory=list)
    held_up: set[str] = field(default_factory=set)
    days: int = DAYS_AHEAD + 1


async def make_partitions(connection: asyncpg.Connection) -> Made:
    """Make those that are missing; it may be cut off anywhere, and repeated."""
    done = Made()
    for today, day, parent in await connection.fetch(MISSING, DAYS_BEHIND, DAYS_AHEAD):
        if parent not in done.held_up:
            try:
                name = await connection.fetchval(MAKE, parent, day)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                done.held_up.add(parent)
            else:
                done.partitions += [name] if name is not None else []
        if parent in done.held_up and day >= today:
            done.days = min(done.days, (day - today).days)
    return done
