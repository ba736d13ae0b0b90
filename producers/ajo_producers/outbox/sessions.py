"""The caller's session, whichever library it is of: its statements, and whether a transaction is open on it.

None of these libraries is imported here unless the caller has done so: a session is known by where its class is from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

KNOWN = (
    "a Session or Connection of SQLAlchemy (also an asynchronous one), a connection of psycopg 3 or asyncpg, or "
    "Django's connection"
)
IDLE = 0
"""libpq's PQTRANS_IDLE."""


class NoTransaction(RuntimeError):  # noqa: N818 - says what is missing
    """No transaction is open on the caller's session, and no statement would begin one."""

    def __init__(self, how: str) -> None:
        super().__init__(
            f"no transaction is open here, so the trigger would be sent whatever becomes of the rest: {how}"
        )


@dataclass(frozen=True)
class Kind:
    """What a session is of. ``placeholder`` is a statement's parameter, with its number from 1.

    ``check`` raises ``NoTransaction``; what ``execute`` returns is to be awaited if it is ``asynchronous``.
    """

    placeholder: str
    asynchronous: bool
    check: Callable[[Any], None]
    execute: Callable[[Any, str, Sequence[Any]], Any]


def kind_of(session: object) -> Kind:
    """What a session is of.

    Raises:
        TypeError: of nothing that is known, or of another database.
    """
    modules = [base.__module__ for base in type(session).__mro__]
    if any(module.startswith("sqlalchemy.ext.asyncio") for module in modules):
        kind = SQLALCHEMY_ASYNC
    elif any(module.startswith("sqlalchemy.") for module in modules) and hasattr(session, "execute"):
        kind = SQLALCHEMY
    elif any(module.startswith("asyncpg.") for module in modules) and hasattr(session, "is_in_transaction"):
        kind = ASYNCPG
    elif any(module.startswith("psycopg.") for module in modules) and hasattr(session, "autocommit"):
        kind = PSYCOPG_ASYNC if any(base.__name__ == "AsyncConnection" for base in type(session).__mro__) else PSYCOPG
    elif hasattr(session, "in_atomic_block") and hasattr(session, "vendor"):
        if session.vendor != "postgresql":
            raise TypeError(f"an outbox is a table of PostgreSQL, and Django's connection is of {session.vendor}")
        kind = DJANGO
    else:
        raise TypeError(f"the first argument must be {KNOWN}, not {type(session).__name__}")
    return kind


def _sqlalchemy(session: Any, sql: str, values: Sequence[Any]) -> Any:
    from sqlalchemy import text  # noqa: PLC0415 - the caller has it

    return session.execute(text(sql), {f"v{number}": value for number, value in enumerate(values, start=1)})


async def _async_sqlalchemy(session: Any, sql: str, values: Sequence[Any]) -> Any:
    connection = await session.connection() if hasattr(session, "get_bind") else session
    _in_connection_of_sqlalchemy(connection.sync_connection)
    return await _sqlalchemy(session, sql, values)


def _positional(session: Any, sql: str, values: Sequence[Any]) -> Any:
    return session.execute(sql, values)


def _spread(session: Any, sql: str, values: Sequence[Any]) -> Any:
    return session.execute(sql, *values)


def _django(session: Any, sql: str, values: Sequence[Any]) -> None:
    with session.cursor() as cursor:
        cursor.execute(sql, values)


def _in_sqlalchemy(session: Any) -> None:
    """SQLAlchemy begins a transaction with the first statement, but for the level AUTOCOMMIT."""
    _in_connection_of_sqlalchemy(session.connection() if hasattr(session, "get_bind") else session)


def _in_connection_of_sqlalchemy(connection: Any) -> None:
    if getattr(connection.connection.dbapi_connection, "autocommit", False):
        raise NoTransaction("the connection has the isolation level AUTOCOMMIT: use one of another level")


def _told_when_awaited(_session: Any) -> None:
    """An asynchronous connection of SQLAlchemy is known once it was waited for."""


def _in_asyncpg(session: Any) -> None:
    if not session.is_in_transaction():
        raise NoTransaction("use it within 'async with connection.transaction():'")


def _in_psycopg(session: Any) -> None:
    if session.autocommit and session.info.transaction_status == IDLE:
        raise NoTransaction("the connection is in autocommit mode: use it within 'with connection.transaction():'")


def _in_django(session: Any) -> None:
    if not session.in_atomic_block and session.get_autocommit():
        raise NoTransaction("use it within 'with transaction.atomic():', or set ATOMIC_REQUESTS")


SQLALCHEMY = Kind(":v{}", asynchronous=False, check=_in_sqlalchemy, execute=_sqlalchemy)
SQLALCHEMY_ASYNC = Kind(":v{}", asynchronous=True, check=_told_when_awaited, execute=_async_sqlalchemy)
ASYNCPG = Kind("${}", asynchronous=True, check=_in_asyncpg, execute=_spread)
PSYCOPG = Kind("%s", asynchronous=False, check=_in_psycopg, execute=_positional)
PSYCOPG_ASYNC = Kind("%s", asynchronous=True, check=_in_psycopg, execute=_positional)
DJANGO = Kind("%s", asynchronous=False, check=_in_django, execute=_django)
