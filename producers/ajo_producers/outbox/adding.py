"""Adding triggers to the outbox, within whatever transaction the caller has open."""

# An asynchronous session is an object too, and the first overload that fits counts:
# mypy: disable-error-code="overload-overlap"

import os
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, Self, overload
from uuid import UUID

from msgspec.structs import replace

from ajo_producers.contract.batch import encode_trigger
from ajo_producers.contract.setting_rules import OUTBOX_TABLE
from ajo_producers.outbox.sessions import Kind, kind_of
from ajo_producers.outbox.settings import read_sealer, read_table, sealer_of
from ajo_producers.outbox.table import check_table, shard_of
from ajo_producers.publishing.checked import CheckedTrigger

if TYPE_CHECKING:
    from ajo_producers.contract.sealing import Sealer

ROWS_AT_ONCE = 500
"""Of one INSERT: a statement has 65,535 parameters at most."""
COLUMNS = {"request_id": "uuid", "campaign": "text", "lane": "text", "priority": "text", "shard": "smallint",
           "key_id": "text", "payload": "bytea"}  # fmt: skip


class AsyncSession(Protocol):
    """SQLAlchemy's ``AsyncSession`` and ``AsyncConnection``, asyncpg's and psycopg's asynchronous connections."""

    def execute(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Execute a statement."""


class Outbox:
    """An outbox: the table ``ajo_outbox``, or ``table``, in the caller's own database.

    ``keys`` encrypt payloads, as ``AJO_OUTBOX_KEYS`` does: the newest first, between them commas or line ends. Without
    keys they are stored plain.

    Raises:
        SettingError: the table's name or the keys can't be used.
    """

    def __init__(self, *, table: str = OUTBOX_TABLE, keys: str | None = None) -> None:
        check_table(table)
        self._table = table
        self._sealer: Sealer | None = sealer_of(keys)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """An outbox by ``AJO_OUTBOX_TABLE`` and ``AJO_OUTBOX_KEYS``.

        Raises:
            SettingError: one of them can't be used.
        """
        outbox = cls(table=read_table(env))
        outbox._sealer = read_sealer(env)
        return outbox

    @overload
    def add(self, session: AsyncSession, trigger: CheckedTrigger) -> Coroutine[Any, Any, UUID]: ...

    @overload
    def add(self, session: object, trigger: CheckedTrigger) -> UUID: ...

    def add(self, session: object, trigger: CheckedTrigger) -> UUID | Coroutine[Any, Any, UUID]:
        """Add a trigger within the transaction that is open on ``session``; returns its request id.

        ``session`` is a ``Session``, ``scoped_session`` or ``Connection`` of SQLAlchemy, a connection of psycopg 3, or
        Django's ``connection``. With the asynchronous ones of SQLAlchemy and psycopg, and with those of asyncpg, await
        what it returns. The trigger is published after the commit, and never if there is none.

        Raises:
            TypeError: ``session`` is none of these, or ``trigger`` is not what ``Campaign.trigger`` returns.
            NoTransaction: no transaction is open, and the session would commit the row at once.
            Exception: whatever the driver raises, such as for a table that isn't there.
        """
        kind, statements = self._prepared(session, [trigger])
        (statement,) = statements
        if kind.asynchronous:
            return _awaited(kind, session, statements, trigger.request_id)
        kind.execute(session, *statement)
        return trigger.request_id

    @overload
    def add_many(
        self, session: AsyncSession, triggers: Iterable[CheckedTrigger]
    ) -> Coroutine[Any, Any, list[UUID]]: ...

    @overload
    def add_many(self, session: object, triggers: Iterable[CheckedTrigger]) -> list[UUID]: ...

    def add_many(
        self, session: object, triggers: Iterable[CheckedTrigger]
    ) -> list[UUID] | Coroutine[Any, Any, list[UUID]]:
        """Add triggers in their order, as ``add`` does, but up to 500 in one statement; returns their request ids.

        Raises:
            TypeError, NoTransaction, Exception: as ``add``.
        """
        several = list(triggers)
        kind, statements = self._prepared(session, several)
        request_ids = [trigger.request_id for trigger in several]
        if kind.asynchronous:
            return _awaited(kind, session, statements, request_ids)
        for statement in statements:
            kind.execute(session, *statement)
        return request_ids

    def _prepared(
        self, session: object, triggers: Sequence[CheckedTrigger]
    ) -> tuple[Kind, list[tuple[str, list[Any]]]]:
        for trigger in triggers:
            if not isinstance(trigger, CheckedTrigger):
                raise TypeError(f"only what Campaign.trigger returns can be added, not {type(trigger).__name__}")
        kind = kind_of(session)
        kind.check(session)
        now = datetime.now(UTC)
        rows = [self._row(trigger, now) for trigger in triggers]
        chunks = (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))
        return kind, [(insert(self._table, kind, len(chunk)), [v for row in chunk for v in row]) for chunk in chunks]

    def _row(self, checked: CheckedTrigger, now: datetime) -> tuple[Any, ...]:
        trigger = replace(checked.trigger, outbox_at=now)
        encoded = encode_trigger(trigger)
        key_id, payload = (None, encoded) if self._sealer is None else self._sealer.seal(encoded)
        campaign, shard = trigger.campaign, shard_of(trigger)
        return str(trigger.request_id), campaign, checked.lane, checked.priority, shard, key_id, payload


def insert(table: str, kind: Kind, rows: int) -> str:
    """The statement that adds so many rows. Pure."""
    numbers = iter(range(1, rows * len(COLUMNS) + 1))
    places = ", ".join(_places(kind.placeholder, numbers) for _ in range(rows))
    return f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES {places}"  # noqa: S608 - the table's name was checked


def _places(placeholder: str, numbers: Iterator[int]) -> str:
    return f"({', '.join(f'CAST({placeholder.format(next(numbers))} AS {type_})' for type_ in COLUMNS.values())})"


async def _awaited(kind: Kind, session: object, statements: Sequence[tuple[str, list[Any]]], result: Any) -> Any:
    for statement in statements:
        await kind.execute(session, *statement)
    return result


@cache
def _of_the_environment() -> Outbox:
    return Outbox.from_env()


@overload
def add(session: AsyncSession, trigger: CheckedTrigger) -> Coroutine[Any, Any, UUID]: ...


@overload
def add(session: object, trigger: CheckedTrigger) -> UUID: ...


def add(session: object, trigger: CheckedTrigger) -> UUID | Coroutine[Any, Any, UUID]:
    """``Outbox.add`` of the outbox that the environment tells (``AJO_OUTBOX_TABLE``, ``AJO_OUTBOX_KEYS``).

    Raises:
        SettingError: as ``Outbox.from_env``.
        TypeError, NoTransaction, Exception: as ``Outbox.add``.
    """
    return _of_the_environment().add(session, trigger)


@overload
def add_many(session: AsyncSession, triggers: Iterable[CheckedTrigger]) -> Coroutine[Any, Any, list[UUID]]: ...


@overload
def add_many(session: object, triggers: Iterable[CheckedTrigger]) -> list[UUID]: ...


def add_many(session: object, triggers: Iterable[CheckedTrigger]) -> list[UUID] | Coroutine[Any, Any, list[UUID]]:
    """``Outbox.add_many`` of the outbox that the environment tells.

    Raises:
        SettingError: as ``Outbox.from_env``.
        TypeError, NoTransaction, Exception: as ``Outbox.add``.
    """
    return _of_the_environment().add_many(session, triggers)
