"""Writers' statements are made for each day of ids: a plan for all of them would lock 400 days' partitions each time.

A writer's plans are made once and then kept. What such a plan prunes when it is carried out it has locked already, so
the day stands in the statement itself.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from ajo_producers.contract.timed_ids import milliseconds_of

from ajo_worker.ledger.many_rows import OfTrigger, within

T = TypeVar("T")
Row = TypeVar("Row", bound=OfTrigger)

DAY = 86_400_000
"""Milliseconds."""
FIRST, LAST = 18_262, 47_481
"""The days (since 1970) of 2020 and of 2099: ids that tell of an earlier or later one are as of one day, since they
are none of time, and a statement for each would be too many."""
FIRST_ID, LAST_ID = ":first", ":last"
KEPT = 1000
"""Statements that are kept as texts."""


def day_of(request_id: UUID) -> int:
    """The day of an id, as a number since 1970. Pure."""
    return min(max(milliseconds_of(request_id) // DAY, FIRST - 1), LAST + 1)


def by_day(rows: Iterable[T], id_of: Callable[[T], UUID]) -> list[tuple[int, list[T]]]:
    """Rows that are in the order of their ids, by day. Pure."""
    return [(day, list(some)) for day, some in groupby(rows, lambda row: day_of(id_of(row)))]


def within_day(column: str) -> str:
    """A condition of a statement that is made for a day: the planner opens its partition alone."""
    return within(column, f"'{FIRST_ID}'", f"'{LAST_ID}'")


@lru_cache(KEPT)
def on_day(statement: str, day: int) -> str:
    """The statement for a day's ids. Pure."""
    first = day * DAY << 80 if day >= FIRST else 0
    last = ((day + 1) * DAY << 80) - 1 if day <= LAST else (1 << 128) - 1
    return statement.replace(FIRST_ID, str(UUID(int=first))).replace(LAST_ID, str(UUID(int=last)))


async def fetch_by_day(
    connection: asyncpg.Connection,
    statement: str,
    rows: Sequence[Row],
    arguments: Callable[[Sequence[Row]], Sequence[Any]],
) -> list[asyncpg.Record]:
    """What a statement answers about rows in LOCK_ORDER: of each day by itself, all in one commit."""
    days = by_day(rows, lambda row: row.request_id)
    if len(days) == 1:
        return list(await connection.fetch(on_day(statement, days[0][0]), *arguments(rows)))
    async with connection.transaction():
        return [
            record for day, some in days for record in await connection.fetch(on_day(statement, day), *arguments(some))
        ]
