"""Connections to PostgreSQL: through a pooler as well, and to that one of several hosts which will do."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from itertools import count
from secrets import token_hex
from urllib.parse import urlsplit

import asyncpg
from ajo_producers.contract.each_address import each_address
from ajo_producers.contract.keepalive import DATABASE, notice_death
from ajo_producers.contract.tls_files import check_tls_files

from ajo_worker.ledger.connect_faults import FAULTS, NoHost, NoSession, SessionsMixed, WrongEncoding, reason_of
from ajo_worker.ledger.hosts import hosts_of, one_by_one

CONNECT_SECONDS = 10.0
"""Until a connection must stand, of all hosts together, and until it must be set up."""
PROVED_SECONDS = 60.0
"""For how long a pooler is taken at its word before it is tried again."""
ROUNDS = 3
"""Of trying whether sessions are mixed up. A pooler that hands servers out in turn shows it in the second."""
MARK = "ajo_dispatch.mark"
SETTLED = {
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "8s",
}
"""What a session of ours needs whatever a role, a database or a server asks for of all of theirs. A statement must see
what was committed while it waited for a lock: at any other level it sees the ledger as it was before, so that feedback
was summed up without that of others. A backslash in a statement is one, and escapes nothing. Our sessions are few, wait
for work, and are found out about if they are dead. And whoever is frozen within a commit, a worker or a command, must
not keep what it has locked from all others."""


class _OwnStatements(asyncpg.Connection):
    """Its prepared statements have names that no other process uses.

    asyncpg's are the same in all. Where a pooler begins to mix up sessions, a row met another process's statement:
    what that made of it looked like a fault of the row, or was none. So the statement is missing, and all wait.
    The forks of a parent (``worker --processes``) have its token, and process ids of their own.
    """

    _token, _numbers = token_hex(6), count()

    def _get_unique_id(self, prefix: str) -> str:
        return f"ajo_{prefix}_{self._token}_{os.getpid()}_{next(self._numbers)}"


class Connector:
    """Makes connections to the database that ``url`` names at the moment: its password may be rotated."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        self._proved_until = float("-inf")

    async def connect(
        self, name: str, settings: Mapping[str, str], *, seconds: float = CONNECT_SECONDS, command: float | None = None
    ) -> asyncpg.Connection:
        """A connection that is called ``name`` there, with ``settings`` of the server, on the first host that will do.

        Each host has its share of ``seconds``; ``command`` are those of a statement without a time-out of its own.

        Raises:
            SessionsMixed: a pooler in between is of no use.
            NoHost: of several hosts.
            NoSession: the server, or a pooler in between, took a connection and answers nothing.
            WrongEncoding: the database can't hold all texts.
            asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError: of a
                single one.
        """
        named = self._url()
        urls, until, faults = one_by_one(named, os.environ), time.monotonic() + seconds, list[Exception]()
        for number, url in enumerate(urls):
            share = max((until - time.monotonic()) / (len(urls) - number), 0.1)
            try:
                return await self._open(url, name, settings, share, command)
            except SessionsMixed:
                raise
            except FAULTS as fault:
                if len(urls) == 1:
                    raise
                faults.append(fault)
        places = hosts_of(urlsplit(named))
        reasons = [f"{place}: {reason_of(fault)}" for place, fault in zip(places, faults, strict=True)]
        raise NoHost(None, "; ".join(reasons))

    async def at_once(self, wanted: int, seconds: float) -> int:
        """How many of ``wanted`` connections there are at the same time, each within ``seconds``; they are closed."""
        given: list[asyncpg.Connection] = []
        try:
            given.append(await self.connect("ajo-dispatch", {}, seconds=seconds))  # what it proves holds for the others
        except FAULTS:
            return 0
        others = (self.connect("ajo-dispatch", {}, seconds=seconds) for _ in range(wanted - 1))
        found = await asyncio.gather(*others, return_exceptions=True)
        given += [connection for connection in found if not isinstance(connection, BaseException)]
        for connection in given:
            connection.terminate()
        return len(given)

    async def _open(
        self, url: str, name: str, settings: Mapping[str, str], seconds: float, command: float | None
    ) -> asyncpg.Connection:
        check_tls_files(url, os.environ)
        connection = await asyncpg.connect(
            url,
            loop=each_address(),
            timeout=seconds,
            command_timeout=command,
            server_settings={"application_name": name},
            connection_class=_OwnStatements,
        )
        notice_death(connection)
        settings = {**SETTLED, **DATABASE.settings(), **settings}  # ours is found out about, too: sessions have locks
        try:
            _refuse_other_encoding(connection)
            # Not when connecting: a pooler refuses there what it doesn't know, or drops it without a word.
            if not await _set(connection, settings, seconds, only_if_direct=True):
                if time.monotonic() > self._proved_until:
                    await _refuse_mixed_sessions(connection, url, seconds)
                    self._proved_until = time.monotonic() + PROVED_SECONDS
                await _set(connection, settings, seconds, only_if_direct=False)
        except BaseException as fault:
            connection.terminate()
            if isinstance(fault, TimeoutError) or "query_wait_timeout" in str(fault):  # pgbouncer's word for it
                raise NoSession from None
            raise
        return connection


async def is_direct(connection: asyncpg.Connection) -> bool:
    """Whether the other side is PostgreSQL itself: a pooler announces a process that isn't the one at work."""
    return await _set(connection, {}, CONNECT_SECONDS, only_if_direct=True)


async def _set(
    connection: asyncpg.Connection, settings: Mapping[str, str], seconds: float, *, only_if_direct: bool
) -> bool:
    """Set ``settings`` for the session, in one statement that needs no preparation; whether that was done."""
    rows = ", ".join(f"({_quoted(name)}, {_quoted(value)})" for name, value in {MARK: "", **settings}.items())
    where = f" WHERE pg_backend_pid() = {connection.get_server_pid() or 0}" if only_if_direct else ""
    done: str = await connection.execute(
        f"SELECT set_config(name, value, false) FROM (VALUES {rows}) AS s (name, value){where}",  # noqa: S608 - quoted
        timeout=seconds,
    )
    return done != "SELECT 0"


async def _refuse_mixed_sessions(connection: asyncpg.Connection, url: str, seconds: float) -> None:
    """Try whether what one connection sets stays its own, while another one is at work beside it.

    Raises:
        SessionsMixed: it doesn't.
    """
    mark = token_hex(8)
    marked = f"SELECT WHERE current_setting('{MARK}', true) = '{mark}'"
    name = {"application_name": "ajo-dispatch"}
    other = await asyncpg.connect(url, loop=each_address(), timeout=seconds, server_settings=name)
    try:
        await _set(connection, {MARK: mark}, seconds, only_if_direct=False)
        for _ in range(ROUNDS):
            theirs = await other.execute(f"BEGIN; {marked}", timeout=seconds)
            ours = await connection.execute(marked, timeout=seconds)
            await other.execute("ROLLBACK", timeout=seconds)
            if theirs != "SELECT 0" or ours != "SELECT 1":
                raise SessionsMixed
    except asyncpg.PostgresError as fault:
        if "pooling mode" in str(fault):  # pgbouncer's words where not even transactions are allowed
            raise SessionsMixed from None
        raise
    finally:
        other.terminate()


def _refuse_other_encoding(connection: asyncpg.Connection) -> None:
    if (encoding := connection.get_settings().server_encoding) != "UTF8":
        raise WrongEncoding(encoding)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
