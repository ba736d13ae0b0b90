"""What is known of one call while it is under way, and what both adapters do alike."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ajo_worker.api.answer import Answer, Failure, FailureKind

IDLE_SECONDS = 30.0
"""How long a connection is kept for the next call. Well below the 60 s after which load balancers usually close it
(the default of AWS's): a call on a connection that closes at that moment fails, and perhaps was processed."""

OWN_HEADERS = {"accept-encoding": "identity", "user-agent": "ajo-dispatch"}
"""Sent with every call. Answers are small, and a compressed one could grow beyond what is read of it."""

MOST_DETAIL = 200
"""Characters that are kept of a failure's detail."""


@dataclass(slots=True)
class Exchange:
    """One call, from its beginning to its answer or failure; times by the monotonic clock."""

    began: float = field(default_factory=time.monotonic)
    status: int | None = None
    to_headers: float | None = None

    def headers_came(self, status: int) -> None:
        """The status line and the headers are here, the body is not."""
        self.status, self.to_headers = status, self._elapsed()

    def answer(self, headers: Mapping[str, str], body: bytes, *, most: int) -> Answer:
        """The whole answer; a body longer than ``most`` bytes is cut."""
        to_body = self._elapsed()
        if self.status is None or self.to_headers is None:
            raise ValueError("an answer has a status")
        return Answer(self.status, headers, body[:most], self.to_headers, to_body, truncated=len(body) > most)

    def failure(self, kind: FailureKind, *, nothing_sent: bool = False, detail: str = "") -> Failure:
        """No whole answer. Whatever went wrong after the headers is a time-out, or the body's."""
        if self.status is not None and kind != "timeout":
            kind = "body"
        return Failure(
            kind,
            perhaps_processed=not nothing_sent,
            elapsed=self._elapsed(),
            detail=detail[:MOST_DETAIL],
            to_headers=self.to_headers,
            status=self.status,
        )

    def _elapsed(self) -> float:
        return time.monotonic() - self.began
