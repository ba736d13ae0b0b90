"""When failures are an outage, and when refusals are a campaign's fault. Without I/O; instants monotonic."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ajo_worker.api.verdict import Verdict

WINDOW = 2.0
"""The window is this many times as long as failures must last."""
FEW_FAILURES, FEW_FOR = 5, 6.0
"""Where little is sent, this many failures without a success are enough, over so many times as long."""
LEAST_TRIGGERS = 3
"""Failures must be of so many different triggers: one that fails again and again may itself be at fault."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as sustained: ``failures`` within the window, over ``seconds``, being ``share`` of all answers.

    ``refusals`` of different triggers in a row are a campaign's fault.
    """

    failures: int
    seconds: float
    share: float
    refusals: int


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a circuit is to open, and what was seen."""

    reason: str
    evidence: dict[str, Any]


@dataclass(slots=True)
class _Span:
    """Answers of a second, or since the last success."""

    began: float
    answers: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    triggers: set[UUID] = field(default_factory=set)

    def failed(self, request_id: UUID, kind: str) -> None:
        self.answers += 1
        self.kinds[kind] += 1
        if len(self.triggers) < LEAST_TRIGGERS:
            self.triggers.add(request_id)


@dataclass(slots=True)
class Failures:
    """What a destination's answers have shown of late; kept by each worker for itself."""

    thresholds: Thresholds
    _window: deque[_Span] = field(default_factory=deque)
    _in_a_row: _Span | None = None

    def healthy(self, now: float) -> None:
        """The destination answered as it should, or refused with reason."""
        self._second(now).answers += 1
        self._in_a_row = None

    def failed(self, now: float, request_id: UUID, kind: str) -> Suspicion | None:
        """The destination failed in this way; the suspicion, if that makes it an outage."""
        if self._in_a_row is None:
            self._in_a_row = _Span(now)
        self._in_a_row.failed(request_id, kind)
        self._second(now).failed(request_id, kind)
        limits, window, row = self.thresholds, _sum(self._window), self._in_a_row
        failures = window.kinds.total()
        many = (
            failures >= limits.failures
            and failures >= limits.share * window.answers
            and now - window.began >= limits.seconds
        )
        if many and len(window.triggers) >= LEAST_TRIGGERS:
            return _suspicion(window, now)
        few = row.answers >= FEW_FAILURES and now - row.began >= FEW_FOR * limits.seconds
        return _suspicion(row, now) if few and len(row.triggers) >= LEAST_TRIGGERS else None

    def _second(self, now: float) -> _Span:
        if not self._window or now - self._window[-1].began >= 1.0:
            self._window.append(_Span(now))
        while now - self._window[0].began > WINDOW * self.thresholds.seconds:
            self._window.popleft()
        return self._window[-1]


def _sum(window: deque[_Span]) -> _Span:
    failing = [second for second in window if second.kinds]
    whole = _Span(failing[0].began, sum(second.answers for second in window))
    for second in failing:
        whole.kinds += second.kinds
        whole.triggers |= second.triggers
    return whole


def _suspicion(span: _Span, now: float) -> Suspicion:
    # Adobe's gateway may keep the text of the Cosmos outage from us: a bare run of 500s is the same suspicion.
    reason = "suspected-cosmos" if set(span.kinds) == {"500"} else "sustained-failures"
    seen = {"failures": span.kinds.total(), "answers": span.answers, "seconds": round(now - span.began, 1)}
    return Suspicion(reason, {**seen, "kinds": dict(span.kinds)})


@dataclass(slots=True)
class Refusals:
    """What a campaign's answers have shown: refusals in a row, all for the same reason."""

    thresholds: Thresholds
    _kind: str = ""
    _in_a_row: int = 0

    def accepted(self) -> None:
        """One was accepted: the campaign works."""
        self._in_a_row = 0

    def refused(self, kind: str) -> Suspicion | None:
        """One was refused for good; the suspicion, if so many were in a row."""
        self._in_a_row = self._in_a_row + 1 if kind == self._kind else 1
        self._kind = kind
        if self._in_a_row < self.thresholds.refusals:
            return None
        return Suspicion("campaign-failing", {"refusals": self._in_a_row, "kinds": {kind: self._in_a_row}})


def kind_of(verdict: Verdict) -> str:
    """One word for what an attempt showed: its status, or how it failed."""
    return str(verdict.http_status) if verdict.http_status else str(verdict.failure or verdict.reason)


def destination_failed(verdict: Verdict) -> bool | None:
    """Whether an attempt shows the destination failing (True) or working (False); None if it shows neither."""
    match verdict.outcome:
        case "accepted" | "refused":
            return False
        case "unauthorized":
            return None
        case _:
            return verdict.http_status not in {408, 429}
