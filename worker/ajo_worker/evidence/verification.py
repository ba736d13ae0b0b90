"""Comparing seals with the rows, and the chain with itself."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import asyncpg

from ajo_worker.evidence.chain import Broken, Link, NoKey, check
from ajo_worker.evidence.changes import TIMES, UNEXPLAINED, causes_since
from ajo_worker.evidence.chunks import Chunk, chunks_of
from ajo_worker.evidence.digesting import AsOf, digest
from ajo_worker.evidence.findings import SOUND, DayFound, ExplainedChange, Fault, Verified, state_of
from ajo_worker.evidence.removals import Removals, read_removals

OPERATIONS = "SELECT operation_id, operator, action, reason FROM audit.operations WHERE operation_id = ANY($1::int8[])"
NUMBER = re.compile(r"operation (\d+)")
NO_REASON = "rows were changed, and nothing on record explains it: see audit.revisions"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be verified: some days (UTC) or all, against which key and which value of the chain."""

    key: bytes
    days: Collection[date] | None = None
    head: bytes | None = None


async def verify(
    connection: asyncpg.Connection, links: Sequence[Link], asked: Asked, progress: Callable[[int], None]
) -> Verified:
    """Compute everything anew. ``progress`` is told how many seals are compared."""
    removals = await read_removals(connection)
    by_chunk: dict[Chunk, list[Link]] = defaultdict(list)
    for link in links:
        by_chunk[link.seal.chunk].append(link)
    days, done = [], 0
    for day in days_of(links, asked.days):
        found = DayFound(day)
        for group in chunks_of(day):
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for chunk in group:
                    await _compare(connection, chunk, by_chunk[chunk], removals, found)
                    done += len(by_chunk[chunk])
            progress(done)
        found.state = state_of(found)
        days.append(found)
    chain = check(links, asked.key)
    head_found = None if asked.head is None else any(link.chain == asked.head for link in links)
    return Verified(
        intact=chain is None and head_found is not False and all(day.state in SOUND for day in days),
        seals=len(links),
        head=links[-1].chain.hex() if links else None,
        head_found=head_found,
        chain_broken=chain if isinstance(chain, Broken) else None,
        no_key=chain if isinstance(chain, NoKey) else None,
        without_key=sum(link.seal.key_id is None for link in links) if asked.key else 0,
        days=days,
        operations=await _operations(connection, days),
    )


def days_of(links: Sequence[Link], only: Collection[date] | None) -> list[date]:
    """The days from the first to the last that was sealed, or some of them; none that was never sealed. Pure."""
    sealed = [link.seal.day for link in links]
    if not sealed:
        return []
    first, last = min(sealed), max(sealed)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [day for day in days if only is None or day in only]


async def _compare(
    connection: asyncpg.Connection, chunk: Chunk, links: Sequence[Link], removals: Removals, found: DayFound
) -> None:
    if not links:
        found.faults.append(Fault(chunk.relation, chunk.hour, None, None, "it was never sealed, or the seal is gone"))
        return
    newest = links[-1].seal
    found.rows += newest.rows
    found.again += [
        ExplainedChange(chunk.relation, chunk.hour, link.seal.sealed_at, link.seal.cause)
        for link in links
        if link.seal.cause != "closed"
    ]
    if removed_at := removals.of(chunk):
        if chunk.relation == "triggers":
            found.removed_at = removed_at
        return
    for link in links:
        seal = link.seal
        now = await digest(connection, chunk, AsOf(seal.covers_until, seal.revisions, seal.open_triggers))
        if now.digest != seal.digest:
            why = f"seal {link.digest_id} doesn't fit"
            found.faults.append(Fault(chunk.relation, chunk.hour, seal.rows, now.rows, why))
    found.later += now.later
    if chunk.relation.removesuffix("_default") in TIMES:
        for cause in sorted(await causes_since(connection, newest)):
            if cause == UNEXPLAINED:
                found.faults.append(Fault(chunk.relation, chunk.hour, newest.rows, now.rows, NO_REASON))
            else:
                found.again.append(ExplainedChange(chunk.relation, chunk.hour, None, cause))


async def _operations(connection: asyncpg.Connection, days: Sequence[DayFound]) -> dict[int, str]:
    numbers = {int(number) for day in days for again in day.again for number in NUMBER.findall(again.cause)}
    rows = await connection.fetch(OPERATIONS, sorted(numbers))
    return {row["operation_id"]: f"{row['action']} by {row['operator']}: {row['reason']}" for row in rows}
