"""What the ledger needs now and then, and nobody waits for: partitions, definitions in use, what is old."""

from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from uuid import UUID

import asyncpg
import msgspec
import structlog
from ajo_producers.campaigns.definition import Definition

from ajo_worker.ledger.partitions import LEAST_DAYS_AHEAD, make_partitions
from ajo_worker.ledger.recurring import Recurring
from ajo_worker.ledger.retention import Ages, tidy

log = structlog.get_logger("ajo_worker.ledger")

EVERY = 6 * 3600.0
"""Seconds between rounds of upkeep."""
AGAIN = 30.0
"""Seconds until a round that failed, or was held up, is repeated."""

HELD_UP = (
    "end what reads the ledger for so long (a backup?): see ajo-dispatch doctor; rows go to the default partitions"
)

# A dead letter that nobody redrove: its row says for good what became of it, its payload has been kept long enough.
PURGE = """
    DELETE FROM ledger.held_payloads
    WHERE resume_at IS NULL AND resumed_by IS NULL AND held_at < clock_timestamp() - make_interval(days => $1)
"""
DEFINITIONS = """
    INSERT INTO ledger.campaigns AS c
        (name, digest, campaign_id, lane, first_loaded_at, last_loaded_at, loaded_by, definition)
    VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp(), $5, $6::jsonb)
    ON CONFLICT (name, digest) DO UPDATE SET last_loaded_at = excluded.last_loaded_at, loaded_by = excluded.loaded_by
"""


class Upkeep(Recurring):
    """Makes partitions, notes definitions in use, drops what is old."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        worker_id: UUID,
        definitions: Iterable[Definition],
        ages: Ages,
    ) -> None:
        super().__init__(connect, name="ledger-upkeep", failed="upkeep-failed", log=log)
        self._ages = ages
        self._held_up = False
        self._rows = [_row(definition, worker_id) for definition in definitions]

    async def work(self, connection: asyncpg.Connection) -> None:
        """All of it."""
        made = await make_partitions(connection)
        await connection.executemany(DEFINITIONS, self._rows)
        await connection.execute(PURGE, self._ages.dead_letters)
        tidied = await tidy(connection, self._ages)
        if made.partitions:
            log.info("partitions-made", partitions=made.partitions)
        self._held_up = bool(made.held_up)
        if made.days - 1 < LEAST_DAYS_AHEAD:  # days count today
            log.warning("partitions-held-up", tables=sorted(made.held_up), days=made.days, do=HELD_UP)
        if tidied is not None and (tidied.partitions or tidied.rows or tidied.held_up):
            log.info("old-rows-dropped", partitions=tidied.partitions, rows=dict(tidied.rows), held_up=tidied.held_up)

    def pause(self, *, failed: bool | None) -> float:
        """None before the first round: without partitions, new rows end up in the default ones."""
        return 0.0 if failed is None else AGAIN if failed or self._held_up else EVERY


def _row(definition: Definition, worker_id: UUID) -> tuple[str, str, str, str, UUID, str]:
    content = msgspec.json.encode(definition, order="sorted")
    digest = sha256(content).hexdigest()
    return definition.name, digest, definition.campaign_id, definition.lane, worker_id, content.decode()
