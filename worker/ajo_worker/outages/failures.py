"""When failures are an outage. Without I/O; instants monotonic."""

from collections import Counter, deque
from dataclasses import dataclass, field
from math import nextafter
from typing import Any
from uuid import UUID

from ajo_worker.api.verdict import STRAY, Verdict
from ajo_worker.reasons import NO_ANSWERS, PROXY_FAILING, UNEXPECTED, OutageReason

WINDOW = 2.0
"""The window is this many times as long as failures must last."""
FEW_FAILURES, FEW_FOR = 5, 6.0
"""Where little is sent, this many failures without a success are enough, over so many times as long."""
LEAST_TRIGGERS = 3
"""Failures must be of so many different triggers: one that fails again and again may itself be at fault."""
PROXY = "proxy"
"""The kind of failures of our own proxy, which say nothing of the destination, but that it isn't reached."""
PASSING = frozenset({408, 421, 423, 425, 429})
"""Statuses after which a call is tried again, and which a destination that works may give."""
NEARLY = 0.75
"""A retry has less than the whole budget for its answer; so much of it without any answer is silence as well."""


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

    reason: OutageReason
    evidence: dict[str, Any]


@dataclass(slots=True)
class _Span:
    """Answers of a second, or since the last success; failures ``since``, of which the ``slowest`` took so long."""

    began: float
    answers: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    triggers: set[UUID] = field(default_factory=set)
    since: float = field(init=False)
    slowest: float = 0.0

    def __post_init__(self) -> None:
        self.since = self.began

    def failed(self, request_id: UUID, kind: str, since: float, took: float) -> None:
        self.answers += 1
        self.kinds[kind] += 1
        self.since, self.slowest = min(self.since, since), max(self.slowest, took)
        if len(self.triggers) < LEAST_TRIGGERS:
            self.triggers.add(request_id)


@dataclass(slots=True)
class Failures:
    """What a destination's answers have shown of late; kept by each worker for itself.

    Slowness is no failure. A time-out says that a call was not answered until then: where anything was answered since
    that call was sent, the destination is slow, and the time-out counts neither as failure nor as answer. Nor does it
    before nothing has been answered for nearly as long as an answer may take (``patience`` seconds): who gives up
    earlier doesn't know. Then it attests to a failure that has lasted since the first of these calls was sent.

    And quick failures must not speak for slow successes that are under way: calls of the same time that have been open
    for longer than the failures took count as answers, as long as there was a success within ``patience`` seconds, or
    so much time has not passed since ``began``.
    """

    thresholds: Thresholds
    began: float = 0.0
    patience: float = 0.0
    _window: deque[_Span] = field(default_factory=deque)
    _in_a_row: _Span | None = None
    _open: Counter[int] = field(default_factory=Counter)
    _answered: float = field(init=False)
    _silent_since: float = float("inf")
    _healthy: float = field(init=False)

    def __post_init__(self) -> None:
        self._healthy = self.began
        # Calls from before say nothing: after an outage that a good answer ended, perhaps to another worker, those that
        # hung in it would open it again.
        self._answered = nextafter(self.began, float("-inf"))

    def sends(self, now: float) -> None:
        """A call is about to be sent; ``learn`` is told what came of it."""
        self._open[int(now)] += 1

    def learn(self, now: float, sent: float, request_id: UUID, verdict: Verdict) -> Suspicion | None:
        """What came ``now`` of a call that was ``sent`` then; the suspicion, if that makes it an outage."""
        self._open[int(sent)] -= 1
        if self._open[int(sent)] <= 0:
            del self._open[int(sent)]
        if verdict.http_status is not None:
            self._answered, self._silent_since = now, float("inf")
        failed, since = destination_failed(verdict), now
        if failed is False:
            self.healthy(now)
        if is_unanswered(verdict):
            if self._answered >= sent:
                return None
            since = self._silent_since = min(self._silent_since, sent)
            failed = now - since >= NEARLY * self.patience
        return self.failed(now, request_id, kind_of(verdict), since=since, took=now - sent) if failed else None

    def healthy(self, now: float) -> None:
        """The destination answered as it should, or refused with reason."""
        self._second(now).answers += 1
        self._in_a_row, self._healthy = None, now

    def failed(
        self, now: float, request_id: UUID, kind: str, *, since: float | None = None, took: float = 0.0
    ) -> Suspicion | None:
        """The destination failed in this way; the suspicion, if that makes it an outage."""
        if self._in_a_row is None:
            self._in_a_row = _Span(now)
        for span in (self._in_a_row, self._second(now)):
            span.failed(request_id, kind, now if since is None else since, took)
        limits, window, row = self.thresholds, _sum(self._window), self._in_a_row
        if window.kinds.total() >= limits.failures and self._lasts(window, now, limits.seconds):
            return _suspicion(window, now)
        if row.kinds.total() >= FEW_FAILURES and self._lasts(row, now, FEW_FOR * limits.seconds):
            return _suspicion(row, now)
        return None

    def _lasts(self, span: _Span, now: float, seconds: float) -> bool:
        if now - span.since < seconds or len(span.triggers) < LEAST_TRIGGERS:
            return False
        return span.kinds.total() >= self.thresholds.share * (span.answers + self._slow_ones(span, now))

    def _slow_ones(self, span: _Span, now: float) -> int:
        """Calls of a span's time that may yet be answered well: they have been open for longer than failures took."""
        if now - self._healthy > self.patience:
            return 0
        until = now - span.slowest
        return sum(count for second, count in self._open.items() if span.began <= second + 1 <= until)

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
        whole.since, whole.slowest = min(whole.since, second.since), max(whole.slowest, second.slowest)
        whole.kinds += second.kinds
        whole.triggers |= second.triggers
    return whole


def _suspicion(span: _Span, now: float) -> Suspicion:
    seen = {"failures": span.kinds.total(), "answers": span.answers, "seconds": round(now - span.since, 1)}
    return Suspicion(_reason(span.kinds), {**seen, "kinds": dict(span.kinds)})


def _reason(kinds: Counter[str]) -> OutageReason:
    # What dies with a proxy looks like anybody's fault, and what comes after it is the proxy's.
    if 2 * kinds[PROXY] >= kinds.total():
        return PROXY_FAILING
    if set(kinds) == {"500"}:  # of the Cosmos outage, Adobe's gateway may keep the text from us
        return "suspected-cosmos"
    return NO_ANSWERS if set(kinds) == {"timeout"} else "sustained-failures"


def kind_of(verdict: Verdict) -> str:
    """One word for what an attempt showed: its status, or how it failed."""
    return str(verdict.http_status) if verdict.http_status else str(verdict.failure or verdict.reason)


def is_unanswered(verdict: Verdict) -> bool:
    """Whether an attempt was given up after it was sent, with not even a status of its answer."""
    return verdict.failure == "timeout" and verdict.http_status is None


def destination_failed(verdict: Verdict) -> bool | None:
    """Whether an attempt shows the destination failing (True) or working (False); None if it shows neither."""
    match verdict.outcome:
        case "refused" if verdict.reason == UNEXPECTED:  # a page in Adobe's place, say
            return True
        case "accepted" | "refused":
            return False
        case "unauthorized":
            return None
        case _ if verdict.reason == STRAY:  # it is not the answer to this call
            return None
        case _ if verdict.failure == "exhausted":  # the call never left our machine
            return None
        case _:
            return verdict.http_status not in PASSING
