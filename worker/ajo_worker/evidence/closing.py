"""Closing days: sealing what is old enough, and sealing again what has changed for good reasons since."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg
from msgspec import Struct

from ajo_worker.evidence import seals
from ajo_worker.evidence.chain import Seal
from ajo_worker.evidence.changes import UNEXPLAINED, changes
from ajo_worker.evidence.chunks import Chunk, chunks_of
from ajo_worker.evidence.digesting import AsOf, digest
from ajo_worker.evidence.removals import read_removals
from ajo_worker.ledger.database import DatabaseError

TRIES, PAUSE_SECONDS = 100, 0.1
"""How often, and at which intervals, a moment is looked for at which nobody revises anything."""

NOW = "SELECT now()"
# The oldest of what is there at the first closing: a daily partition, or a row outside of them.
OLDEST = r"""
    SELECT least(
        (SELECT min(to_date(right(relname, 8), 'YYYYMMDD')) FROM pg_class
         WHERE relnamespace = 'ledger'::regnamespace AND relname ~ '^triggers_[0-9]{8}$' AND relispartition),
        (SELECT min(received_at AT TIME ZONE 'UTC')::date FROM ledger.triggers_default),
        (SELECT min(done_at AT TIME ZONE 'UTC')::date FROM ledger.operations))
"""


class Unexplained(Struct, frozen=True):
    """A chunk that is not sealed again, since what changed in it is not explained."""

    chunk: Chunk
    why: str


class Closed(Struct):
    """What was done: days that were sealed, chunks that were sealed again, and those that were not."""

    days: list[date]
    rows: int
    again: list[Seal]
    refused: list[Unexplained]


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to seal, group by group, and why; each group is a transaction."""

    until: datetime
    groups: list[tuple[Sequence[Chunk], list[str]]]
    newest: Mapping[Chunk, Seal]


async def due(connection: asyncpg.Connection, close_days: int) -> Due:
    """What is to be sealed: what has changed first; then days, ``close_days`` after their end and an hour for
    stragglers.
    """
    until: datetime = await connection.fetchval(NOW) - seals.GRACE
    newest = await seals.newest_seals(connection)
    removals = await read_removals(connection)
    there = {chunk: seal for chunk, seal in newest.items() if removals.of(chunk) is None}
    groups: list[tuple[Sequence[Chunk], list[str]]] = [*(await changes(connection, there, until)).items()]
    first = min((chunk.day for chunk in newest), default=None) or await connection.fetchval(OLDEST)
    last = (until - timedelta(days=close_days)).date() - timedelta(days=1)
    for number in range((last - first).days + 1 if first is not None else 0):
        of_day = chunks_of(first + timedelta(days=number))
        groups += [([chunk for chunk in group if chunk not in newest], []) for group in of_day]
    return Due(until, [group for group in groups if group[0]], newest)


async def close(connection: asyncpg.Connection, what: Due, key: bytes, progress: Callable[[int], None]) -> Closed:
    """Seal it; it may be cut off anywhere and repeated. Needs ``seals.only_closer``.

    Raises:
        DatabaseError: somebody changes old rows all the time.
    """
    done = Closed(days=[], rows=0, again=[], refused=[])
    for place, (group, causes) in enumerate(what.groups, start=1):
        await _quiet(connection)
        async with connection.transaction(isolation="repeatable_read"):
            await connection.fetchval(NOW)  # takes the snapshot
            await seals.unlock_revisions(connection)
            refused = await _refusals(connection, group, causes, what.newest) if causes else []
            made = []
            if not refused:
                made = await seals.append(connection, group, ", ".join(causes) or "closed", what.until, key)
        done.refused += refused
        if causes:
            done.again += made
        else:
            done.rows += sum(seal.rows for seal in made)
            done.days = sorted({*done.days, group[0].day})
        progress(place)
    return done


async def _quiet(connection: asyncpg.Connection, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    for _ in range(TRIES):
        if await seals.lock_revisions(connection):
            return
        await pause(PAUSE_SECONDS)
    raise DatabaseError("somebody changes dead letters of past days all the time: repeat it when that is over")


async def _refusals(
    connection: asyncpg.Connection, group: Sequence[Chunk], causes: list[str], newest: Mapping[Chunk, Seal]
) -> list[Unexplained]:
    """Whether rows that nothing explains have changed: a new seal would cover that up."""
    refused = []
    for chunk in group:
        seal = newest[chunk]
        found = await digest(connection, chunk, AsOf(seal.covers_until, seal.revisions, seal.open_triggers))
        if found.digest != seal.digest:
            refused.append(
                Unexplained(chunk, f"{seal.rows:,} rows were sealed, {found.rows:,} are there, and not the same")
            )
    if not refused and UNEXPLAINED in causes:
        refused.append(Unexplained(group[0], "rows were changed, and no operation explains it"))
    return refused
