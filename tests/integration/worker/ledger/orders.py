"""Orders about dead letters, carried out as the command does it, and what became of them."""

from datetime import datetime

import asyncpg
from ajo_worker.deadletters.choosing import Filter
from ajo_worker.deadletters.redriving import CarriedOut, Order, Plan, carry_out
from ajo_worker.ledger.operations import Authority

from tests.support.database import query

REDRIVE, DISCARD = Order("redrive", Filter()), Order("discard", Filter())
BY = Authority("ada", "the campaign is live again")
NOW = "select clock_timestamp()"
OPERATIONS = "select * from ledger.operations order by operation_id"
RESUMES = "select resume_at from ledger.held_payloads where resume_at is not null order by request_id"
STATES = "select state, count(*)::int as n from ledger.triggers group by 1"


def ignore(_: int) -> None:
    """Nobody watches the progress."""


async def no_pause(_: float) -> None:
    """The next pass begins at once."""


async def no_need(_: float) -> None:
    """One pass does all that nobody has locked."""
    raise AssertionError


async def do(connection: asyncpg.Connection, order: Order, at: datetime | None = None) -> tuple[CarriedOut, Plan]:
    """Do it to what there is now, or was at a moment."""
    done = CarriedOut()
    moment = at or await connection.fetchval(NOW)
    return done, await carry_out(connection, order, moment, BY, done, ignore, no_pause)


def states(url: str) -> dict[str, int]:
    return {row["state"]: row["n"] for row in query(url, STATES)}
