"""Bringing held payloads under the newest key, beside workers that hold, change and delete them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from ajo_producers.contract.sealing import BrokenSeal, Sealer
from msgspec import Struct

from ajo_worker.ledger.passes import BATCH, FIRST_ID, in_passes

COUNTS = "SELECT key_id, count(*) AS payloads FROM ledger.held_payloads GROUP BY 1 ORDER BY 1 NULLS FIRST"
# Only key_id and payload are ever read or written: what else a row says is the workers' own.
OLDER = """
    FROM ledger.held_payloads
    WHERE request_id >= $1 AND (key_id IS NULL OR key_id = ANY($2::text[])) AND request_id <> ALL($3::uuid[])
"""
COUNT_OLDER = f"SELECT count(*) {OLDER}"
TAKE = f"SELECT request_id, key_id, payload {OLDER} ORDER BY request_id LIMIT {BATCH} FOR UPDATE SKIP LOCKED"
PUT = "UPDATE ledger.held_payloads SET key_id = $2, payload = $3 WHERE request_id = $1"


class KeyInUse(Struct, frozen=True):
    """A key that payloads are sealed under (None: plain ones) or that the settings have; ``newest``: it seals."""

    key_id: str | None
    payloads: int
    in_settings: bool
    newest: bool


@dataclass
class Rotation:
    """What was done: payloads ``resealed``; ``broken`` ones by id; how many an ``unknown`` key has; how many are left.

    ``left`` are under older keys or plain: locked throughout, or written meanwhile by a worker without the newest key.
    """

    resealed: int = 0
    left: int = 0
    broken: list[UUID] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)


async def payloads_by_key(connection: asyncpg.Connection) -> dict[str | None, int]:
    """How many held payloads are sealed under each key; None stands for plain ones."""
    return {row["key_id"]: row["payloads"] for row in await connection.fetch(COUNTS)}


def keys_in_use(sealer: Sealer, payloads: Mapping[str | None, int]) -> list[KeyInUse]:
    """The keys of the settings, newest first, then those that only payloads name, then plain ones if any. Pure."""
    others = [key_id for key_id in payloads if key_id not in sealer.key_ids]
    return [
        KeyInUse(
            key_id, payloads.get(key_id, 0), key_id in sealer.key_ids, key_id is not None and key_id == sealer.newest
        )
        for key_id in (*sealer.key_ids, *sorted(others, key=lambda key_id: (key_id is None, key_id)))
    ]


async def count_older(connection: asyncpg.Connection, sealer: Sealer, broken: list[UUID]) -> int:
    """How many payloads can be brought under the newest key; ``broken`` ones can't."""
    return int(await connection.fetchval(COUNT_OLDER, FIRST_ID, sealer.key_ids[1:], broken))


async def rotate(
    connection: asyncpg.Connection,
    sealer: Sealer,
    progress: Callable[[int], None],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Rotation:
    """Reseal every held payload under the newest key, in batches; each is a transaction, so it may be cut off anywhere.

    Rows that others have locked are tried again, with ``pause`` (in seconds) in between.
    ``progress`` is told after each batch how many were resealed so far. The sealer must have a key.
    """
    done = Rotation()

    async def batch(begin: UUID) -> UUID | None:
        following = await _reseal_batch(connection, sealer, begin, done)
        progress(done.resealed)
        return following

    async def is_done() -> bool:
        done.left = await count_older(connection, sealer, done.broken)
        return not done.left

    await in_passes(batch, is_done, pause)
    payloads = await payloads_by_key(connection)
    done.unknown = {
        key_id: number for key_id, number in payloads.items() if key_id is not None and key_id not in sealer.key_ids
    }
    return done


async def _reseal_batch(connection: asyncpg.Connection, sealer: Sealer, begin: UUID, done: Rotation) -> UUID | None:
    """Reseal the next payloads; the id to begin with next, or None at the end."""
    resealed = []
    async with connection.transaction():
        rows = await connection.fetch(TAKE, begin, sealer.key_ids[1:], done.broken)
        for row in rows:
            try:
                if sealed := sealer.reseal(row["key_id"], row["payload"]):
                    resealed.append((row["request_id"], *sealed))
            except BrokenSeal:
                done.broken.append(row["request_id"])
        await connection.executemany(PUT, resealed)
    done.resealed += len(resealed)
    return rows[-1]["request_id"] if len(rows) == BATCH else None
