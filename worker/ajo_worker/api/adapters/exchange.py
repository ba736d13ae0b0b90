"""What is known of one call while it is under way, and what both adapters do alike."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import random

from ajo_worker.api.answer import Answer, Failure, FailureKind

IDLE_SECONDS = 30.0
"""How long a connection is kept for the next call. Well below the 60 s after which load balancers usually close it
(the default of AWS's): a call on a connection that closes at that moment fails, and perhaps was processed."""

LONGEST_SECONDS = 60.0
"""How long a connection is used at most. The next one goes where the name leads by then, although the old address may
answer still, and is made with the certificates of then."""


def age_limit() -> float:
    """Up to that many seconds, and different ones for each connection: those of one moment must not end in another."""
    return LONGEST_SECONDS * (0.75 + random() / 4)  # noqa: S311 - jitter


OWN_HEADERS = {"accept-encoding": "identity", "user-agent": "ajo-dispatch"}
"""Sent with every call. Answers are small, and a compressed one could grow beyond what is read of it."""

NO_HEADERS: Mapping[str, str] = {}

SOON = 1e-6
"""Seconds. No answer is here at once, however coarse the kernel's clock."""

MOST_DETAIL = 200
"""Characters that are kept of a failure's detail."""


@dataclass(slots=True)
class Exchange:
    """One call, from its beginning to its answer or failure; instants by the monotonic clock.

    An instant in the past, where it is given, is when the bytes were there; without it that is now.
    """

    timeout: float = math.inf
    began: float = field(default_factory=time.monotonic)
    deadline: float = field(init=False)
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    _headers_at: float | None = None
    _start_lag: float = 0.0

    def __post_init__(self) -> None:
        self.deadline = self.began + self.timeout

    def left(self) -> float:
        """Seconds until the time-out."""
        return max(self.deadline - time.monotonic(), 0)

    def begins(self, at: float | None = None) -> None:
        """The call really begins at ``at``, or now: what passed since it was handed over was our own loop's."""
        at = self._past(at)
        self._start_lag, self.began = self._start_lag + at - self.began, at

    def lagged(self, seconds: float) -> None:
        """While it connected, our own loop took its time: the call is no longer for that."""
        lag = min(max(seconds, 0), time.monotonic() - self.began)
        self._start_lag, self.began = self._start_lag + lag, self.began + lag

    def headers_came(self, status: int, at: float | None = None, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """The status line came, and mostly the headers; the body is not here yet."""
        self.status, self._headers_at, self.headers = status, self._past(at), headers

    def answer(self, headers: Mapping[str, str], body: bytes, *, most: int, at: float | None = None) -> Answer:
        """The whole answer; a body longer than ``most`` bytes is cut."""
        arrived = self._past(at)
        if self.status is None or self._headers_at is None:
            raise ValueError("an answer has a status")
        return Answer(
            self.status,
            headers,
            body[:most],
            min(self._headers_at, arrived) - self.began,
            arrived - self.began,
            truncated=len(body) > most,
            lag=time.monotonic() - arrived,
            start_lag=self._start_lag,
        )

    def failure(
        self,
        kind: FailureKind,
        *,
        nothing_sent: bool = False,
        detail: str = "",
        at: float | None = None,
        body: bytes = b"",
    ) -> Failure:
        """No whole answer, but perhaps a part of its ``body``. Whatever went wrong after the status is a time-out, or
        the body's.
        """
        if self.status is not None and kind != "timeout":
            kind = "body"
        ended = max(self._past(at), (self._headers_at or self.began) + SOON)
        if kind == "timeout":  # that our loop noticed it late makes it no longer
            ended = min(ended, max(self.deadline, self._headers_at or self.began))
        return Failure(
            kind,
            perhaps_processed=not nothing_sent,
            elapsed=ended - self.began,
            detail=detail[:MOST_DETAIL],
            to_headers=None if self._headers_at is None else self._headers_at - self.began,
            status=self.status,
            lag=max(time.monotonic() - ended, 0),
            start_lag=self._start_lag,
            headers=self.headers,
            body=body,
        )

    def _past(self, at: float | None) -> float:
        """``at`` as far as it can be: not before the call began, nor in the future."""
        now = time.monotonic()
        return now if at is None else min(max(at, self.began + SOON), now)
