"""What retention has dropped: no longer there to be compared with its seals, as the ledger says itself."""

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from ajo_worker.evidence.chunks import Chunk

READ = "SELECT relation, day, removed_at FROM audit.removals ORDER BY removal_id"


class Removals:
    """Days that were dropped. A default partition is cleared up to a day; every other one is a day."""

    def __init__(self, rows: Sequence[tuple[str, date, datetime]]) -> None:
        self._days = {(relation, day): at for relation, day, at in rows if not relation.endswith("_default")}
        self._cleared = [row for row in rows if row[0].endswith("_default")]

    def of(self, chunk: Chunk) -> datetime | None:
        """When a chunk was dropped; None if it must be there."""
        if chunk.from_id is not None:
            return self._days.get((chunk.relation, chunk.day))
        cleared = (at for relation, day, at in self._cleared if relation == chunk.relation and day >= chunk.day)
        return next(cleared, None)


async def read_removals(connection: asyncpg.Connection) -> Removals:
    """All that the ledger says."""
    rows = await connection.fetch(READ)
    return Removals([(row["relation"], row["day"], row["removed_at"]) for row in rows])
