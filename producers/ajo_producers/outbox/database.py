"""Connections of a relay to the outbox's database, and what is wrong with them in words for people."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import asyncpg

from ajo_producers.contract.each_address import each_address
from ajo_producers.contract.keepalive import notice_death
from ajo_producers.contract.tls_files import check_tls_files
from ajo_producers.outbox.settings import RelaySettings

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
"""What a statement may take; above it, the connection is taken for dead."""
OLDEST = 13
NAME = "ajo-dispatch outbox relay"
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError)
"""Whatever a connection may meet; TimeoutError is an OSError."""


class OutboxUnavailable(Exception):  # noqa: N818 - says what it is
    """The outbox can't be used; the text says which database, why, and what to do, without the password."""


def place(settings: RelaySettings) -> str:
    """Where the outbox is, for people."""
    try:
        parts = urlsplit(settings.url)
        where = parts.netloc.rpartition("@")[2] or "the local socket"
    except ValueError:
        return "the database of AJO_OUTBOX_URL"
    name = unquote(parts.path.lstrip("/"))
    if "@" in name or "#" in settings.url:  # a password that is not percent-encoded
        return "the database of AJO_OUTBOX_URL (are all special characters of its password percent-encoded?)"
    return f"{settings.table} in database {name!r} at {where}" if name else f"{settings.table} at {where}"


async def connect(settings: RelaySettings, command_seconds: float = COMMAND_SECONDS) -> asyncpg.Connection:
    """A connection whose statements may take so long; none is prepared by name, so that a pooler may be in between.

    Raises:
        OutboxUnavailable: it can't be reached, or refuses.
    """
    try:
        check_tls_files(settings.url, os.environ)
        connection = await asyncpg.connect(
            settings.url,
            loop=each_address(),
            server_settings={"application_name": NAME},
            timeout=CONNECT_SECONDS,
            command_timeout=command_seconds,
            statement_cache_size=0,
        )
    except FAULTS as fault:
        raise OutboxUnavailable(explain(settings, fault)) from None
    notice_death(connection)
    return connection


@asynccontextmanager
async def connected(settings: RelaySettings) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed afterwards.

    Raises:
        OutboxUnavailable: as ``connect``; also whatever goes wrong with it meanwhile.
    """
    connection = await connect(settings)
    try:
        yield connection
    except FAULTS as fault:
        raise OutboxUnavailable(explain(settings, fault)) from None
    finally:
        connection.terminate()


def explain(settings: RelaySettings, fault: Exception) -> str:
    """What is wrong, and what to do."""
    where = place(settings)
    match fault:
        case asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError() | asyncpg.InvalidSchemaNameError():
            return f"there is no outbox {where}: 'ajo-dispatch outbox sql' prints the statements that make it"
        case asyncpg.InsufficientPrivilegeError():
            return f"{where} refuses ({fault.message}): a relay needs SELECT, UPDATE and DELETE on the table"
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"{where} refuses the user or password of AJO_OUTBOX_URL"
        case asyncpg.InvalidCatalogNameError():
            return f"{where}: there is no such database"
        case asyncpg.PostgresError():
            return f"{where}: {fault.message or type(fault).__name__}"
        case ConnectionRefusedError():
            return f"{where}: connection refused"
        case TimeoutError():
            return f"{where}: no answer"
        case OSError():
            return f"{where}: {fault.strerror or type(fault).__name__}"
        case ValueError():
            return "AJO_OUTBOX_URL can't be used: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    return f"{where}: the connection broke ({type(fault).__name__})"
