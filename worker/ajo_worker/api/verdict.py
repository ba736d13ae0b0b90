"""What one attempt has shown."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ajo_worker.api.answer import FailureKind
from ajo_worker.api.blame import Blame
from ajo_worker.reasons import OutageReason, OwnReason

STRAY: OwnReason = "stray-answer"
"""The reason of an attempt that was answered with what belongs to another trigger's."""

Outcome: TypeAlias = Literal["accepted", "refused", "retryable", "unauthorized"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an answer or its absence; ``ambiguous``: Adobe may have accepted, although we saw no 202.

    ``retry_after`` is in seconds. ``outage`` names an outage that the answer itself speaks of, ``key_status`` its
    ``customerManagedKeyStatus``, where that is known. ``blame``: whose fault a refusal is, as far as it tells.
    ``answered_request_id`` is the ``requestId`` of the answer, where that is not the trigger's.
    """

    outcome: Outcome
    ambiguous: bool = False
    reason: str | None = None
    retry_after: float | None = None
    http_status: int | None = None
    error_code: str | None = None
    error_title: str | None = None
    execution_id: str | None = None
    adobe_request_id: str | None = None
    failure: FailureKind | None = None
    outage: OutageReason | None = None
    key_status: int | None = None
    blame: Blame | None = None
    answered_request_id: str | None = None
