"""What lies in an application's outbox, as its session sees it: what is rolled back isn't there."""

import os
from collections.abc import Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

from ajo_producers.outbox.opening import open_rows
from ajo_producers.outbox.sessions import ASYNCPG, DJANGO, SQLALCHEMY, SQLALCHEMY_ASYNC, Kind, kind_of
from ajo_producers.outbox.settings import read_sealer, read_table
from ajo_producers.testing.published import PublishedTriggers

if TYPE_CHECKING:
    from ajo_producers.outbox.adding import AsyncSession

_COLUMNS = ("id", "request_id", "lane", "priority", "key_id", "payload")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM {{table}} WHERE published_at IS NULL ORDER BY id"  # noqa: S608 - names of ours


class OutboxTriggers(PublishedTriggers):
    """The triggers that wait in an outbox, in the order in which they were added."""

    _what = "in the outbox"


class OutboxReader:
    """The fixture ``ajo_outbox``: give it the session or connection that the test has."""

    @overload
    def __call__(self, session: "AsyncSession") -> Coroutine[Any, Any, OutboxTriggers]: ...  # type: ignore[overload-overlap] # as outbox.add
    @overload
    def __call__(self, session: object) -> OutboxTriggers: ...
    def __call__(self, session: object) -> OutboxTriggers | Coroutine[Any, Any, OutboxTriggers]:
        """What lies in the outbox (``AJO_OUTBOX_TABLE``, ``AJO_OUTBOX_KEYS``); await it if the session is asynchronous.

        Raises:
            TypeError: ``session`` is of no library that ``outbox.add`` takes.
            ValueError: a row can't be opened, such as for want of its key.
        """
        kind, statement = kind_of(session), _SELECT.format(table=read_table(os.environ))
        if kind.asynchronous:
            return _awaited(kind, session, statement)
        return _triggers(_rows(kind, session, statement))


async def _awaited(kind: Kind, session: Any, statement: str) -> OutboxTriggers:  # noqa: ANN401 - of any library
    if kind is ASYNCPG:
        return _triggers([tuple(row) for row in await session.fetch(statement)])
    result = await kind.execute(session, statement, ())
    return _triggers(result.all() if kind is SQLALCHEMY_ASYNC else await result.fetchall())


def _rows(kind: Kind, session: Any, statement: str) -> Iterable[Sequence[Any]]:  # noqa: ANN401 - of any library
    if kind is DJANGO:
        with session.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    result = kind.execute(session, statement, ())
    return list(result.all() if kind is SQLALCHEMY else result.fetchall())


def _triggers(rows: Iterable[Sequence[Any]]) -> OutboxTriggers:
    found, sealer = OutboxTriggers(), read_sealer(os.environ)
    for values in rows:
        row = dict(zip(_COLUMNS, values, strict=True))
        row["payload"] = bytes(row["payload"])
        opened = open_rows([row], row["lane"], row["priority"], sealer)
        for fault in opened.faults.values():
            raise ValueError(f"row {row['id']} of the outbox can't be opened: {fault}")
        found.add(opened.triggers[row["id"]])
    return found
