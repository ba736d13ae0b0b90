"""Connecting to PostgreSQL with a libpq URL, and saying clearly what is wrong when that fails."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from ajo_worker.ledger.connect_faults import TELLING, NoHost, SessionsMixed, WrongEncoding
from ajo_worker.ledger.connecting import CONNECT_SECONDS, Connector
from ajo_worker.ledger.hosts import FORM, hosts_of, is_misread

LedgerConnection: TypeAlias = asyncpg.Connection
"""As commands name it, which import no driver."""
OLDEST = 15
"""PostgreSQL's oldest major version that the ledger runs on."""
LARGEST_NUMBER = 2**63 - 1
"""Of those that rows of the ledger are numbered by (``bigint``)."""

# What commands ask is answered in well under a second; compiling the plan would take longer than that. A view over
# many partitions is joined day by day. Who asks is told of a lock that somebody forgot, and doesn't wait for its end.
# Its snapshot locks no row, and may last for as long as somebody takes to read what it shows.
READER = {
    "default_transaction_read_only": "on",
    "jit": "off",
    "enable_partitionwise_join": "on",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "0",
}


class DatabaseError(Exception):
    """The ledger can't be used; the text says which database, why, and what to do, without the password."""


NO_LEDGER = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError)
"""What PostgreSQL answers where the ledger's tables are missing, or those of an older version."""
CANT_BE_USED = f"AJO_DATABASE_URL can't be used: expected {FORM}"
UPGRADE = "run 'ajo-dispatch db upgrade'"
WHO_LOCKS = "SELECT * FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE mode = 'AccessExclusiveLock' says which one"
UNREADABLE = "the address in AJO_DATABASE_URL (are all special characters of its password percent-encoded?)"


def place(url: str) -> str:
    """Where a URL leads to, for people: hosts, ports and database; never user or password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return UNREADABLE
    if is_misread(url, parts):
        return UNREADABLE
    query = parse_qs(parts.query)
    name = unquote(parts.path.lstrip("/")) or query.get("dbname", query.get("database", [""]))[0]
    try:
        where = " or ".join(hosts_of(parts)) or "the local socket"
    except ValueError:
        where = parts.netloc.rpartition("@")[2]
    return f"database {name!r} at {where}" if name else where


async def connect(url: str, options: Mapping[str, str] | None = None) -> asyncpg.Connection:
    """Connect to a ``postgresql://`` URL, also over a Unix socket (``postgresql:///name?host=/run/postgresql``).

    Raises:
        DatabaseError: it can't be reached, refuses us, is older than PostgreSQL 15, or behind a pooler of no use.
    """
    try:
        connection = await Connector(lambda: url).connect("ajo-dispatch", options or {})
    except asyncpg.TargetServerAttributeNotMatched:
        raise DatabaseError(f"{place(url)} is not as target_session_attrs in AJO_DATABASE_URL asks for") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.ClientConfigurationError) as fault:
        raise DatabaseError(_refused(url, fault)) from None
    except (OSError, TimeoutError, ssl.SSLError, ValueError) as fault:
        raise DatabaseError(_unreachable(url, fault)) from None
    version = connection.get_server_version()
    if version.major < OLDEST:
        await connection.close()
        raise DatabaseError(f"{place(url)} is PostgreSQL {version.major}; {OLDEST} or later is needed")
    return connection


@asynccontextmanager
async def connected(url: str, options: Mapping[str, str] | None = None) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed afterwards.

    Raises:
        DatabaseError: as ``connect``; also when the ledger's tables are missing or may not be read, or the database
            gives up (a time-out of the role's, a full disk).
    """
    connection = await connect(url, options)
    try:
        yield connection
    except NO_LEDGER as fault:
        raise DatabaseError(f"{place(url)} has no ledger, or an older one ({fault.message}): {UPGRADE}") from None
    except asyncpg.InsufficientPrivilegeError as fault:
        raise DatabaseError(f"{place(url)} refuses: {fault.message}") from None
    except BrokenPipeError:  # of whoever reads what we print: asyncpg has an error of its own
        raise
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError) as fault:
        raise DatabaseError(f"the connection to {place(url)} broke: {type(fault).__name__}") from None
    except asyncpg.LockNotAvailableError:
        raise DatabaseError(f"{place(url)} has a table that another session keeps locked: {WHO_LOCKS}") from None
    except asyncpg.PostgresError as fault:
        if (fault.sqlstate or "")[:2] not in TELLING:  # a fault of ours
            raise
        raise DatabaseError(f"{place(url)} refuses: {fault.message}") from None
    finally:
        if not connection.is_closed():
            await connection.close(timeout=CONNECT_SECONDS)


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose queries all see the same moment, and can change nothing.

    Raises:
        DatabaseError: as ``connected``.
    """
    async with (
        connected(url, READER) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


def _refused(url: str, fault: Exception) -> str:
    match fault:
        case asyncpg.InvalidAuthorizationSpecificationError():  # also a wrong password
            return f"{place(url)} refuses the user or password of AJO_DATABASE_URL"
        case asyncpg.InvalidCatalogNameError():
            return f"{place(url)} does not exist: create it (createdb), or correct AJO_DATABASE_URL"
        case asyncpg.ClientConfigurationError() | asyncpg.InterfaceError():
            return CANT_BE_USED
        case asyncpg.PostgresError():
            return f"{place(url)} refuses: {fault.message or fault}"
    return f"{place(url)} refuses: {type(fault).__name__}"


def _unreachable(url: str, fault: Exception) -> str:
    match fault:
        case SessionsMixed() | WrongEncoding():
            return f"{place(url)} can't be used: {fault}"
        case NoHost():
            why = str(fault)
        case TimeoutError():
            why = fault.strerror or f"no answer within {CONNECT_SECONDS:g} s"
        case ConnectionRefusedError():
            why = "connection refused: is PostgreSQL running?"
        case FileNotFoundError():
            why = "there is no such socket"
        case ssl.SSLError():
            why = f"TLS failed ({fault.reason or type(fault).__name__})"
        case OSError():
            why = fault.strerror or type(fault).__name__
        case _:
            return CANT_BE_USED
    return f"can't reach {place(url)}: {why} (AJO_DATABASE_URL)"
