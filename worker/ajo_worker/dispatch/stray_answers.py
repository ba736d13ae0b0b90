"""An answer that names another request than the one it was taken for.

Behind a gateway that sends what nobody asked for, a client takes the answer to one call for that to the next. Such an
answer names a trigger of ours, and tells nothing of this one: neither that it was accepted nor that it wasn't. An id
that the ledger doesn't know is the gateway's own, and changes nothing.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from ajo_worker.api.answer import HttpAdapter
from ajo_worker.api.verdict import STRAY, Verdict
from ajo_worker.ledger.admission import Known
from ajo_worker.ledger.group_commit import GroupCommit
from ajo_worker.triggers.received import Received

log = structlog.get_logger("ajo_worker.dispatch")


@dataclass(frozen=True, slots=True)
class Strays:
    """Asks the ledger whose request an answer names: all that is in flight anywhere is there."""

    triggers: GroupCommit[UUID, Known | None]
    http: HttpAdapter

    async def judged(self, received: Received, verdict: Verdict) -> Verdict:
        """The verdict on a call whose answer names another request; that it is ambiguous, if that is a trigger of ours.

        What waits on kept connections is dropped with them: the next answer may be as wrong.

        Raises:
            WriterStopped: the worker ended before the ledger could say.
        """
        if verdict.answered_request_id is None or not await self._is_ours(verdict.answered_request_id):
            return verdict
        await self.http.drop_idle()
        request_id = str(received.trigger.request_id)
        log.warning("stray-answer", request_id=request_id, answered_request_id=verdict.answered_request_id)
        return Verdict(
            "retryable",
            ambiguous=True,
            reason=STRAY,
            http_status=verdict.http_status,
            adobe_request_id=verdict.adobe_request_id,
            answered_request_id=verdict.answered_request_id,
        )

    async def _is_ours(self, text: str) -> bool:
        try:
            other = UUID(text)
        except ValueError:
            return False
        return await self.triggers.submit(other) is not None
