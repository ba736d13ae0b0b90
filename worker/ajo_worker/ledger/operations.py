"""What operators do, recorded with who and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import msgspec

NOTE = """
    INSERT INTO ledger.operations (done_at, triggers, operator, action, reason, chosen)
    VALUES (clock_timestamp(), 0, $1, $2, $3, $4::jsonb) RETURNING operation_id
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who wants it, and why."""

    operator: str
    why: str


async def note(connection: asyncpg.Connection, by: Authority, action: str, chosen: Mapping[str, object]) -> int:
    """Record an operation, which has changed no trigger yet; its number."""
    document = msgspec.json.encode(chosen).decode()
    number: int = await connection.fetchval(NOTE, by.operator, action, by.why, document)
    return number
