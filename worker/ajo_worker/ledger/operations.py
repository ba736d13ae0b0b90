"""What operators do, recorded with who and why."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

NOTE = """
    INSERT INTO ledger.operations (done_at, triggers, operator, action, reason, chosen)
    VALUES (clock_timestamp(), $1, $2, $3, $4, $5::jsonb) RETURNING operation_id
"""


async def note(
    connection: asyncpg.Connection,
    operator: str,
    action: str,
    reason: str,
    chosen: Mapping[str, Any],
    triggers: int = 0,
) -> int:
    """Record an operation; its number."""
    document = msgspec.json.encode(chosen).decode()
    number: int = await connection.fetchval(NOTE, triggers, operator, action, reason, document)
    return number
