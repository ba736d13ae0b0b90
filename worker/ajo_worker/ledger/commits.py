"""Commits over one connection: what the database is to blame for is repeated, what a row is to blame for is not.

A failed commit is repeated until it works: statements must therefore be harmless when repeated. It repeats bookkeeping,
never a send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog

from ajo_worker.ledger.connect_faults import told
from ajo_worker.ledger.write_faults import DATABASE_FAULTS, ROW_FAULTS, Locked, NoConnection

Row = TypeVar("Row")
Result = TypeVar("Result")
Connect = Callable[[], Awaitable[asyncpg.Connection]]
Write = Callable[[asyncpg.Connection, Sequence[Row]], Awaitable[Sequence[Result]]]

log = structlog.get_logger("ajo_worker.ledger")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
PATIENCE, MOST_PATIENCE = 10.0, 60.0
"""Seconds that a commit gets at first, and at most: twice as many each time that they weren't enough. A connection
may be frozen though its other side lives (a pooler, a backend, a load balancer that forgot it): budgets must not wait
for it."""
# A commit that was cut off while it waited for a synchronous standby is committed all the same. A repetition finds its
# rows and writes nothing, so PostgreSQL has it wait for nobody: this is a commit of its own, which comes after theirs.
AFTER_ALL = "SELECT pg_logical_emit_message(true, 'ajo-dispatch', '')"


class Commits(Generic[Row, Result]):
    """Writes rows of one kind, each time as one commit."""

    def __init__(self, name: str, connect: Connect, write: Write[Row, Result]) -> None:
        self._name, self._connect, self._write = name, connect, write
        self._connection: asyncpg.Connection | None = None

    async def durable(self, rows: Sequence[Row], *, cut_off: bool = False) -> Sequence[Result]:
        """The rows' results, once their commit is durable. Raises what no repetition heals.

        ``cut_off``: an earlier commit of theirs may have been cut off.

        Raises:
            Locked: somebody keeps some of them locked.
        """
        pause, patience, unforeseen = FIRST_PAUSE, PATIENCE, False
        while True:
            try:
                connection = await self._connected()
                async with asyncio.timeout(patience):
                    results = await self._write(connection, rows)
                    if cut_off:
                        await connection.execute(AFTER_ALL)
                return results  # noqa: TRY300 - the commit that makes them durable may fail, too
            except ROW_FAULTS:
                raise
            except asyncpg.LockNotAvailableError as fault:
                raise Locked(told(fault), cut_off=cut_off) from None
            except (NoConnection, *DATABASE_FAULTS) as fault:
                why = told(fault.__cause__ if isinstance(fault, NoConnection) and fault.__cause__ else fault)
                cut_off = cut_off or not isinstance(fault, NoConnection)
                log.warning("ledger-write-waits", writer=self._name, rows=len(rows), fault=why, pause=pause)
                self.disconnect()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                patience = min(patience * 2, MOST_PATIENCE) if isinstance(fault, TimeoutError) else patience
            except Exception:  # a writer that ended here would hold up its worker for ever
                log.exception("ledger-write-fault", writer=self._name, rows=len(rows))
                self.disconnect()
                if unforeseen:
                    raise
                unforeseen = True

    async def _connected(self) -> asyncpg.Connection:
        """The connection, or a new one.

        Raises:
            NoConnection: there is none, and its cause says why.
        """
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._connect()
            except Exception as fault:
                raise NoConnection from fault
        return self._connection

    def disconnect(self) -> None:
        """Leave the connection, in the middle of a commit if need be; the next rows get a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
