"""Days that are old enough to be closed, with triggers in them; closed and verified as the command does it."""

import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_producers.contract.timed_ids import floor_of
from ajo_worker.evidence import closing, seals
from ajo_worker.evidence.chunks import begin_of
from ajo_worker.evidence.closing import Closed
from ajo_worker.evidence.findings import DayFound, Verified
from ajo_worker.evidence.verification import Asked, verify

from tests.support.database import query
from tests.support.ledger_rows import put_attempt, put_trigger

CLOSE_DAYS = 4
SETTLED = {"TimeZone": "UTC", "bytea_output": "hex", "extra_float_digits": "1"}
"""What a test that compares fingerprints itself needs; what closes and verifies doesn't."""
KEY = b"an evidence key"


def id_at(moment: datetime) -> UUID:
    """A UUIDv7 of a moment."""
    return UUID(int=floor_of(moment).int | 7 << 76 | 2 << 62 | secrets.randbits(60))


def ignore(_: int) -> None:
    """Nobody watches the progress."""


class Past:
    """A ledger whose oldest day has partitions and rows; of so many ``days`` all are closed at once."""

    def __init__(self, url: str, connection: asyncpg.Connection, days: int) -> None:
        self.url, self.connection = url, connection
        self.day = (datetime.now(UTC) - seals.GRACE).date() - timedelta(days=CLOSE_DAYS + days)
        """The oldest one."""
        self.ask("select ledger.make_partitions($1, $2)", self.day, self.day + timedelta(days=CLOSE_DAYS + 1))

    def ask(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Ask the ledger."""
        return query(self.url, sql, *arguments)

    def put(self, hour: float = 13, request_id: UUID | None = None, **columns: Any) -> UUID:
        """A trigger of the day that was accepted at its first attempt, unless ``columns`` say otherwise."""
        at = begin_of(self.day) + timedelta(hours=hour)
        usual = {
            "state": "accepted",
            "received_at": at + timedelta(seconds=0.5),
            "first_dispatched_at": at + timedelta(seconds=1),
            "completed_at": at + timedelta(seconds=3),
        }
        request_id = put_trigger(self.url, at, request_id=request_id or id_at(at), **(usual | columns))
        put_attempt(self.url, request_id, 1, at + timedelta(seconds=1))
        return request_id

    async def put_late(self, hour: float, age: timedelta) -> UUID:
        """A trigger of the day that was received, and sent, only so long ago."""
        at = datetime.now(UTC) - age
        request_id = self.put(hour, received_at=at, first_dispatched_at=at, completed_at=at)
        await self.silently(f"update ledger.attempts set intended_at = '{at}' where request_id = '{request_id}'")
        return request_id

    async def silently(self, statement: str) -> None:
        """Change rows without the database's own triggers, as a superuser can."""
        await self.connection.execute(f"begin; set local session_replication_role = replica; {statement}; commit")

    async def close(self, key: bytes = KEY) -> Closed:
        """``audit close``."""
        async with seals.only_closer(self.connection):
            return await closing.close(self.connection, await closing.due(self.connection, CLOSE_DAYS), key, ignore)

    async def verify(self, key: bytes = KEY, day: date | None = None, head: bytes | None = None) -> Verified:
        """``audit verify``."""
        links = await seals.all_links(self.connection)
        return await verify(self.connection, links, Asked(key, None if day is None else [day], head), ignore)

    async def verified_day(self, **asked: Any) -> DayFound:
        """What is found of the oldest day."""
        return next(day for day in (await self.verify(**asked)).days if day.day == self.day)


@pytest.fixture
async def connect(database_url: str) -> AsyncIterator[Callable[..., Any]]:
    """Opens connections as the command does; with other defaults of the role, if these are given."""
    opened: list[asyncpg.Connection] = []

    async def connected(**settings: str) -> asyncpg.Connection:
        opened.append(await asyncpg.connect(database_url, server_settings=settings or SETTLED))
        return opened[-1]

    yield connected
    for connection in opened:
        await connection.close()


@pytest.fixture
async def past(request: pytest.FixtureRequest, database_url: str, connect: Callable[..., Any]) -> Past:
    """A ledger with an old day, since each costs 300 statements at every look; with more where a test asks for them."""
    return Past(database_url, await connect(), getattr(request, "param", 1))


two_days = pytest.mark.parametrize("past", [2], indirect=True, ids=["two-days"])
"""For tests of what one day has to do with the next."""
