"""Triggers that are not this worker's any more: somebody else has them, or their rows are gone from the ledger."""

from dataclasses import dataclass

import structlog

from ajo_worker.dispatch.attempt import Round
from ajo_worker.dispatch.decision import End
from ajo_worker.dispatch.rows import Rows
from ajo_worker.ledger.admission import Settled
from ajo_worker.ledger.attempts import Record
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.triggers.received import Received

log = structlog.get_logger("ajo_worker.dispatch")


class Lost(Exception):  # noqa: N818 - not an error: this worker asks what became of the trigger
    """The trigger was taken over, or ended, by somebody else; or its row is gone: ``round`` is what was known of it."""

    def __init__(self, round_: Round | None = None) -> None:
        super().__init__()
        self.round = round_


def gone(received: Received, known: Round | None) -> Lost:
    """The ledger had a row a moment ago, and has none any more; of an attempt that was under way nobody knows."""
    log.error("trigger-forgotten", request_id=str(received.trigger.request_id), do="it is claimed anew")
    return Lost(known)


@dataclass(frozen=True, slots=True)
class Losses:
    """Finds out what becomes of triggers that this worker has lost."""

    ledger: Ledger
    clock: LedgerClock
    rows: Rows

    async def end_of(self, received: Received, current: Round | None, owed: Record | None) -> Settled | None:
        """The end of one that the ledger has no row of any more, and that may have been accepted: it is written anew.

        What was sent is not sent again, and has the end that it has here: the one ``owed`` to the ledger, or that
        nobody knows. None of any other one: it starts again, and the ledger says what became of it.
        """
        log.info("trigger-lost", request_id=str(received.trigger.request_id))
        if owed is None and current is not None and (cause := current.history.duplicate_cause) is not None:
            owed = Record(None, self.rows.ending(received, current, End("unconfirmed", cause), None))
        if owed is not None and owed.ending is not None and await self._written_anew(received, owed):
            return Settled(owed.ending.state)
        return None

    async def _written_anew(self, received: Received, record: Record) -> bool:
        """Write a trigger anew that was sent, and that the ledger has no row of any more; False if it has one.

        So it is after a fail-over to a standby that lagged, or where AJO_DATABASE_URL leads to another ledger now.
        """
        request_id = received.trigger.request_id
        if record.ending is None or await self.ledger.looks.submit(request_id) is not None:
            return False
        log.error("trigger-forgotten", request_id=str(request_id), state=record.ending.state, do="it is written anew")
        row = self.rows.admission(received, None, self.clock.monotonic())
        if await self.ledger.admissions.submit(row) is not None:
            return False
        attempt, ending = record.attempt and record.attempt._replace(round=1), record.ending._replace(fence=1)
        return await self.ledger.records.submit(Record(attempt, ending))
