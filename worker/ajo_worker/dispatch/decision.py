"""What follows from an attempt's verdict: an end, or another attempt. Pure; docs/states.md draws it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import random
from typing import Literal, TypeAlias

from msgspec import Struct

from ajo_worker.api.answer import OURS
from ajo_worker.api.blame import OF_ONE
from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.backoff import Backoff
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.gate import KeptBack
from ajo_worker.states import EndState

MOST_EXPIRED = 5
"""Answers in a row that are put down to a token's end, and not to the token."""
DuplicateCause: TypeAlias = Literal["ambiguous-answer", "worker-crash"]


class History(Struct, frozen=True):
    """What the attempts of this round have shown so far.

    ``ambiguous`` counts the attempts that Adobe may have accepted although we saw no 202, ``interrupted`` those of them
    whose worker died, both of all rounds; ``ambiguous_before`` are those of earlier rounds, which an operator chose to
    repeat. ``unauthorized`` counts the answers in a row that refused the token, ``expired_tokens`` those of them whose
    token may have expired on the way: they show less.
    """

    attempts: int = 0
    ambiguous: int = 0
    ambiguous_before: int = 0
    interrupted: int = 0
    unauthorized: int = 0
    expired_tokens: int = 0

    def after(self, verdict: Verdict, *, token_lived: bool = True) -> "History":
        """The history with one more attempt; ``token_lived``: whether its token had surely not expired meanwhile."""
        refused = verdict.outcome == "unauthorized"
        return History(
            self.attempts + 1,
            self.ambiguous + verdict.ambiguous,
            self.ambiguous_before,
            self.interrupted,
            self.unauthorized + 1 if refused else 0,
            self.expired_tokens + (not token_lived) if refused else 0,
        )

    @property
    def duplicate_cause(self) -> DuplicateCause | None:
        """Why one more attempt may be a duplicate; None where every earlier one is known to have failed."""
        if not self.ambiguous:
            return None
        return "worker-crash" if self.interrupted == self.ambiguous else "ambiguous-answer"

    @property
    def in_doubt(self) -> bool:
        """Whether an attempt of this round may have been accepted: then nothing but its own retries may follow it."""
        return self.ambiguous > self.ambiguous_before

    @property
    def token_refused(self) -> bool:
        """Whether a fresh token was refused after another one: then it isn't the token."""
        return self.unauthorized - min(self.expired_tokens, MOST_EXPIRED) > 1

    def kept_back(self) -> EndState:
        """The state of a trigger that may not go on now: parked only where no attempt may have been accepted."""
        return "unconfirmed" if self.in_doubt else "parked"

    def failed(self) -> EndState:
        """The state of a trigger that ran out of time: expired only where no attempt may have been accepted."""
        return "unconfirmed" if self.ambiguous else "expired"

    def refused(self) -> EndState:
        """The state of a trigger that was refused for good: rejected only where no attempt may have been accepted."""
        return "unconfirmed" if self.ambiguous else "rejected"


@dataclass(frozen=True, slots=True)
class End:
    """The round is over; ``reason`` is None only for accepted. A parked trigger goes on in a new one."""

    state: EndState
    reason: str | None
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt, ``wait`` seconds from now; ``fresh_token`` after an answer that refused the old one.

    ``phase`` is that of the wait: what our own proxy or machine failed is nobody else's.
    """

    wait: float
    fresh_token: bool = False
    phase: Literal["back-off", "proxy"] = "back-off"


class Situation(Struct, frozen=True):
    """How things stand ``now`` (monotonic) that an attempt has ended; ``history`` counts it already.

    ``kept_back`` is why its campaign may not go on (a ``probe`` may), ``holds_ambiguous`` its choice for what may have
    been accepted. Answers of late have taken ``answers_take()`` seconds.
    """

    history: History
    budget: Budget
    now: float
    kept_back: KeptBack | None = None
    holds_ambiguous: bool = False
    probe: bool = False
    answers_take: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True, slots=True)
class Retrying:
    """How it is tried again: ``jitter`` gives numbers from 0 to 1, ``attempt_minimum`` is in seconds."""

    backoff: Backoff
    attempt_minimum: float
    jitter: Callable[[], float] = random


ACCEPTED = End("accepted", None)


def decide(verdict: Verdict, situation: Situation, retrying: Retrying) -> End | Retry:
    """What follows from ``verdict``.

    An outage is not the trigger's failure, and its budget is not to be burnt by it: while its lane or its campaign is
    ``kept_back``, what would be tried again is parked; so is what a failing campaign refuses, unless the recipient or
    the trigger itself is to blame. But what may have been accepted is not parked: a new round would send it again. A
    probe whose token was refused is tried with a fresh one: that tells nothing of the way.

    No attempt is promised that couldn't start at least ``attempt_minimum`` seconds before the budget's end, and early
    enough for an answer that takes as long as they do: one that is cut short tells nothing, and is a duplicate in the
    making.
    """
    history, budget, kept_back = situation.history, situation.budget, situation.kept_back
    match verdict.outcome:
        case "accepted":
            return ACCEPTED
        case "refused" if kept_back and kept_back.of_campaign and not verdict.ambiguous and not _own_fault(verdict):
            return End(history.kept_back(), kept_back.reason)
        case "refused":
            return End(history.refused(), verdict.reason)
        case "retryable" if verdict.ambiguous and situation.holds_ambiguous:
            return End("unconfirmed", verdict.reason)
        case "retryable" if kept_back:
            return End(history.kept_back(), kept_back.reason)
        case "unauthorized" if kept_back and (history.token_refused or not situation.probe):
            return End(history.kept_back(), kept_back.reason)
        case "unauthorized" if history.token_refused:
            return End(history.refused(), verdict.reason)
        case "unauthorized":
            wait, fresh_token = 0.0, True
        case "retryable":
            backoff = retrying.backoff
            wait, fresh_token = backoff.wait(history.attempts, retrying.jitter, floor=verdict.retry_after), False
    now, latest = situation.now, budget.latest_start(retrying.attempt_minimum, situation.answers_take())
    if now + wait > latest and kept_back:
        return End(history.kept_back(), kept_back.reason)
    if now + wait > latest:
        beyond = verdict.retry_after is not None and now + verdict.retry_after > latest
        return End(history.failed(), "retry-after-beyond-budget" if beyond else budget.end_reason)
    return Retry(wait, fresh_token, "proxy" if verdict.failure in OURS else "back-off")


def _own_fault(verdict: Verdict) -> bool:
    return verdict.blame in OF_ONE
