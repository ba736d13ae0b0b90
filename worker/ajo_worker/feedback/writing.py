"""The receiver's way to the ledger: feedback of many requests is committed together, and a fault is told at once."""

import asyncio
from collections.abc import Callable, Sequence

import asyncpg
import structlog

from ajo_worker.feedback.storing import FeedbackRow, Stored, store
from ajo_worker.ledger.connect_faults import told
from ajo_worker.ledger.connecting import Connector
from ajo_worker.ledger.group_commit import GroupCommit
from ajo_worker.ledger.ledger import IMPATIENT, PLANNER
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.ledger.write_faults import DATABASE_FAULTS, ROW_FAULTS, RowRefused, WriterStopped

log = structlog.get_logger("ajo_worker.feedback")

CONNECT_SECONDS = 5.0
COMMIT_SECONDS = 10.0
"""How long a request waits for its commit; what is committed later all the same is found when it comes again."""
ASK_SECONDS = 3.0
THERE = "SELECT FROM ledger.feedback WHERE feedback_id = '00000000-0000-0000-0000-000000000000'"
"""Of an id that tells no time the default partition is asked alone, and the right to the table itself is enough."""


class LedgerAwayError(Exception):
    """Nothing can be stored now: it is to be sent again later."""


class Writing:
    """Create it on the event loop that uses it."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._connector = Connector(url)
        self._away = False
        self._commits: GroupCommit[FeedbackRow, Stored] = GroupCommit("feedback", self._connect, self._store)
        self._asking = SharedConnection(self._connection)  # whoever only asks tries nothing again, and so tells nothing
        self._answering: asyncio.Task[bool] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._commits.start()

    async def stop(self) -> None:
        """Stop; what nobody waits for any more is not written."""
        await self._commits.stop()
        self._asking.close()

    async def store(self, rows: Sequence[FeedbackRow]) -> list[Stored | None]:
        """Store rows and return once all are durable; None for one that the ledger can't hold.

        Raises:
            LedgerAwayError: they are not all stored, and may be in part.
        """
        if self._away:  # whoever waits already tries again and again: the first success ends this
            raise LedgerAwayError
        waits = [asyncio.ensure_future(self._commits.submit(row)) for row in rows]
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                found = await asyncio.gather(*waits, return_exceptions=True)
        except TimeoutError:
            raise LedgerAwayError from None
        return [_outcome(each) for each in found]

    async def reachable(self) -> bool:
        """Whether the ledger answers, and holds feedback: it is asked once for all who want to know at the moment."""
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._ask(), name="feedback-health")
        return await asyncio.shield(self._answering)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._asking.run(lambda connection: connection.fetch(THERE))
        except Exception:  # noqa: BLE001 - whatever it is, it is no answer
            return False
        return not self._away

    async def _connection(self) -> asyncpg.Connection:
        # An answer that never comes, over a way that is half-open, ends as one that is cut.
        return await self._connector.connect(
            "ajo-dispatch feedback", {**PLANNER, **IMPATIENT}, seconds=CONNECT_SECONDS, command=COMMIT_SECONDS
        )

    async def _connect(self) -> asyncpg.Connection:
        try:
            return await self._connection()
        except Exception as fault:
            self._tell(fault)
            raise

    async def _store(self, connection: asyncpg.Connection, rows: Sequence[FeedbackRow]) -> Sequence[Stored]:
        try:
            stored = await store(connection, rows)
        except Exception as fault:
            # Whatever else it is, the writer gives up, and nobody would find out that it is over.
            away = isinstance(fault, DATABASE_FAULTS) and not isinstance(fault, ROW_FAULTS)
            self._tell(fault if away else None)
            raise
        self._tell(None)
        return stored

    def _tell(self, fault: Exception | None) -> None:
        if fault is not None and not self._away:
            log.warning("feedback-ledger-away", fault=told(fault))
        elif fault is None and self._away:
            log.warning("feedback-ledger-back")
        self._away = fault is not None


def _outcome(found: Stored | BaseException) -> Stored | None:
    match found:
        case Stored():
            return found
        case RowRefused():
            return None
        case WriterStopped():
            raise LedgerAwayError
    raise found
