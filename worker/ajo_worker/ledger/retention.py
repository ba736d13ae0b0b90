"""What is old enough is dropped: days whole, other rows a few at a time, so that nobody ever waits for it."""

from collections import Counter
from dataclasses import dataclass, field

import asyncpg

BATCH = 1000
"""Rows that are deleted in one transaction."""

ONE_AT_A_TIME = "SELECT pg_try_advisory_lock(hashtextextended('ajo-dispatch: retention', 0))"
DONE = "SELECT pg_advisory_unlock(hashtextextended('ajo-dispatch: retention', 0))"
BEFORE = "SELECT (now() AT TIME ZONE 'UTC')::date - $1::int"
DROP = "SELECT ledger.drop_oldest_partition($1)"

# Ids of days that are kept stay, also where they came to a default partition: such a day is sealed as a whole.
FOREIGN = """
    NOT ({id} >= ledger.uuid7_floor($1::date::timestamp AT TIME ZONE 'UTC')
         AND {id} < ledger.uuid7_floor(now() + interval '15 days'))
"""
OLD_IN_DEFAULT = {
    "triggers_default": "received_at < {day} AND {foreign} AND NOT EXISTS "
    "(SELECT FROM ledger.held_payloads h WHERE h.request_id = triggers_default.request_id)",
    "attempts_default": "(responded_at < {day} OR responded_at IS NULL AND intended_at < {day}) AND {foreign}",
    "deliveries_default": "updated_at < {day} AND {foreign}",
    "feedback_default": "received_at < {day} AND {foreign}",
}
DAY = "$1::date::timestamp AT TIME ZONE 'UTC'"
DELETE = """
    WITH old AS (
        DELETE FROM ledger.{table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ledger.{table} WHERE {old} LIMIT {batch}))
        RETURNING 1
    )
    SELECT count(*) FROM old
"""
# The note that rows up to this day are gone is made together with the first deletion.
DELETE_NOTED = """
    WITH old AS (
        DELETE FROM ledger.{table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ledger.{table} WHERE {old} LIMIT {batch}))
        RETURNING 1
    ), noted AS (
        INSERT INTO ledger.removals (removed_at, day, relation)
        SELECT clock_timestamp(), $1::date - 1, '{table}' WHERE EXISTS (SELECT FROM old)
            AND NOT EXISTS (SELECT FROM ledger.removals WHERE relation = '{table}' AND day = $1::date - 1)
    )
    SELECT count(*) FROM old
"""
EMPTY = f"""
    WITH old AS (
        UPDATE ledger.quarantine SET body = '', headers = NULL WHERE quarantine_id = ANY(ARRAY(
            SELECT quarantine_id FROM ledger.quarantine
            WHERE received_at < now() - make_interval(days => $1) AND (body <> '' OR headers IS NOT NULL)
            ORDER BY quarantine_id LIMIT {BATCH}))
        RETURNING 1
    )
    SELECT count(*) FROM old
"""  # noqa: S608 - our own text
AGED = "{} < now() - make_interval(days => $1)"
AS_LONG_AS_TRIGGERS = {
    "quarantine": "received_at",
    "differing_copies": "last_seen_at",
    "full_intakes": "ended_at",
    "silences": "began_at",
    "clock_steps": "noticed_at",
    "unknown_definitions": "ended_at",
    "workers": "greatest(heartbeat_at, stopped_at)",
    "network_probes": "probed_at",
    "queues": "asked_at",
    "backlogs": "looked_at",
    "rates": "looked_at",
}
AS_LONG_AS_REPORTS = {
    "trigger_minutes": "minute",
    "delay_minutes": "minute",
    "delay_hours": "hour",
    "producer_clocks": "minute",
}


@dataclass(frozen=True, slots=True)
class Ages:
    """Days after which payloads of ``dead_letters`` are deleted, ``rows`` of triggers, and figures for ``reports``."""

    dead_letters: int
    rows: int
    reports: int


@dataclass
class Tidied:
    """What was dropped: partitions by name, rows by table. ``held_up``: partitions stayed, somebody reads for long."""

    partitions: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    held_up: bool = False


async def tidy(connection: asyncpg.Connection, ages: Ages) -> Tidied | None:
    """Drop what is old enough; None if somebody else is at it. It may be cut off anywhere, and repeated."""
    if not await connection.fetchval(ONE_AT_A_TIME):
        return None
    done = Tidied()
    before = await connection.fetchval(BEFORE, ages.rows)
    try:
        while name := await connection.fetchval(DROP, before):
            done.partitions.append(name)
    except asyncpg.LockNotAvailableError:
        done.held_up = True
    for table, old in OLD_IN_DEFAULT.items():
        key = "feedback_id" if table == "feedback_default" else "request_id"
        where = old.format(day=DAY, foreign=FOREIGN.format(id=key))
        await _in_batches(connection, DELETE_NOTED.format(table=table, old=where, batch=BATCH), before, done, table)
    for days, tables in ((ages.rows, AS_LONG_AS_TRIGGERS), (ages.reports, AS_LONG_AS_REPORTS)):
        for table, at in tables.items():
            statement = DELETE.format(table=table, old=AGED.format(at), batch=BATCH)
            await _in_batches(connection, statement, days, done, table)
    await _in_batches(connection, EMPTY, ages.dead_letters, done, "quarantine, emptied")
    await connection.fetchval(DONE)
    return done


async def _in_batches(connection: asyncpg.Connection, statement: str, age: object, done: Tidied, what: str) -> None:
    """Repeat a statement that changes up to ``BATCH`` rows and returns how many, until it finds no more."""
    while changed := await connection.fetchval(statement, age):
        done.rows[what] += changed
        if changed < BATCH:
            break
