"""The circuit of the token endpoint: opened by the first worker that gets no token, closed when all have one again.

Nothing is probed, since every worker without a token asks for one by itself; and nothing ramps up, since limits hold.
"""

from datetime import datetime
from uuid import UUID

import asyncpg

from ajo_worker.outages import circuits
from ajo_worker.reasons import OutageReason

FAILS = "UPDATE ledger.workers SET token_failed_at = $2, token_failure = $3 WHERE worker_id = $1"
# Whatever host: where AJO_TOKEN_URL was changed, nobody asks the old one any more.
END = """
    WITH closed AS (
        UPDATE ledger.circuits SET state = 'closed', changed_at = clock_timestamp()
        WHERE scope LIKE 'token:%' AND state = 'open' AND NOT EXISTS (
            SELECT FROM ledger.workers w
            WHERE ledger.lives(w) AND w.token_failed_at IS NOT NULL AND w.worker_id <> $1)
        RETURNING scope, outage_id, changed_at
    ), ended AS (
        UPDATE ledger.outages o
        SET ended_at = closed.changed_at, recovered_at = closed.changed_at, ended_by = $1::uuid::text
        FROM closed WHERE o.outage_id = closed.outage_id
    )
    SELECT scope FROM closed
"""
LET_GO = """
    WITH closed AS (
        UPDATE ledger.circuits SET state = 'closed', changed_at = clock_timestamp()
        WHERE scope = $1 AND state = 'held' RETURNING outage_id, changed_at
    )
    UPDATE ledger.outages o SET ended_at = closed.changed_at, recovered_at = closed.changed_at, ended_by = $2
    FROM closed WHERE o.outage_id = closed.outage_id RETURNING o.outage_id
"""


async def open_circuit(
    connection: asyncpg.Connection, scope: str, reason: OutageReason, worker: UUID, since: datetime, failure: str
) -> int | None:
    """Open it, with an outage that began when this worker had no token; None if it was open or held."""
    async with connection.transaction():
        await connection.execute(FAILS, worker, since, failure)  # or another worker would close it before our next beat
        return await circuits.open_circuit(
            connection, scope, None, reason, str(worker), {"failure": failure}, opened_at=since
        )


async def end_if_all_have_tokens(connection: asyncpg.Connection, worker: UUID) -> list[str]:
    """Close what is open if no living worker but this one, which has a token, says that it gets none."""
    return [record["scope"] for record in await connection.fetch(END, worker)]


async def let_go(connection: asyncpg.Connection, scope: str, operator: str) -> int | None:
    """End an operator's hold; the outage's number, or None if it isn't held."""
    outage_id: int | None = await connection.fetchval(LET_GO, scope, operator)
    return outage_id
