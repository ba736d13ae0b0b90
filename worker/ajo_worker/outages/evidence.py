"""When failures are an outage, and when refusals are a campaign's fault. Without I/O; instants monotonic."""

from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ajo_worker.api.blame import Blame
from ajo_worker.api.verdict import Verdict

WINDOW = 2.0
"""The window is this many times as long as failures must last."""
FEW_FAILURES, FEW_FOR = 5, 6.0
"""Where little is sent, this many failures without a success are enough, over so many times as long."""
LEAST_TRIGGERS = 3
"""Failures must be of so many different triggers: one that fails again and again may itself be at fault."""
PLACES_ON_TRIAL = 5
"""Calls of a campaign on trial that are in flight in a worker at most: more would be refused than tell anything."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as sustained: ``failures`` within the window, over ``seconds``, being ``share`` of all answers.

    ``refusals`` in a row make a campaign suspect.
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
    """What a campaign's answers have shown: refusals in a row, all alike, since one was accepted.

    What a recipient or the trigger itself is to blame for never counts. So many that the campaign is to blame for
    pause it. Where an answer doesn't tell, so many of different recipients begin its **trial**: few of its calls are in
    flight at a time (``PLACES_ON_TRIAL``), until one is accepted, or as many others were refused too.
    """

    thresholds: Thresholds
    _kind: str = ""
    _told: int = 0
    _recipients: set[Hashable] = field(default_factory=set)

    @property
    def on_trial(self) -> bool:
        """Whether others are to be tried, few at a time."""
        return len(self._recipients) >= self.thresholds.refusals

    def accepted(self) -> None:
        """One was accepted: the campaign works."""
        self._told = 0
        self._recipients.clear()

    def refused(self, kind: str, blame: Blame | None = "campaign", recipient: Hashable = None) -> Suspicion | None:
        """One was refused for good, to this recipient; the suspicion, if that makes it the campaign's fault."""
        if blame in {"recipient", "trigger"}:
            return None
        if kind != self._kind:
            self._kind = kind
            self.accepted()
        most = self.thresholds.refusals
        if blame == "campaign":
            self._told += 1
        elif len(self._recipients) < 2 * most:
            self._recipients.add(recipient)
        others = len(self._recipients)
        if self._told < most and others < 2 * most:
            return None
        counted = {"recipients": others} if others else {}
        return Suspicion(
            "campaign-failing", {"refusals": self._told + others, **counted, "kinds": {kind: self._told + others}}
        )


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
