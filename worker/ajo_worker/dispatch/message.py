"""A message in hand, and what it came to, in a line that Flower shows: how many, in which state, why. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from ajo_worker.api.verdict import Verdict
from ajo_worker.reasons import OF_AN_ANSWER
from ajo_worker.states import DEAD, STATES
from ajo_worker.triggers.delivery import Delivery
from ajo_worker.triggers.received import Received

FAILED = frozenset({*DEAD, "quarantined"})
MOST_REASONS = 3
"""Reasons that are told of one state; ``ajo-dispatch status`` has all."""
KNOWN_BEFORE = "known before"
"""The reason of a copy: what became of its trigger was known, and nothing was sent for it."""
UNREADABLE = "unreadable"
"""Why something is in quarantine, where nothing of it may be shown; ledger.quarantine says what is wrong."""


class Fate(NamedTuple):
    """What became of a trigger, or of a message that can't be read; ``reason`` is one of docs/states.md, or None."""

    state: str
    reason: str | None


class Message:
    """A message in hand, ``opened`` if it could be: how much of it has no end yet, and what became of the rest."""

    __slots__ = ("back", "delivery", "fates", "fault", "left", "opened")

    def __init__(self, delivery: Delivery, left: int, *, opened: bool) -> None:
        self.delivery = delivery
        self.left = left
        self.opened = opened
        self.fates: Counter[Fate] = Counter()
        self.fault: BaseException | None = None
        self.back: list[UUID] = []
        """Those of it that go back to the broker once the others are at their end."""

    def on_retry(self, received: Received, attempts: int, verdict: Verdict, wait: float) -> None:
        """Tell whoever sees the message that one of its triggers is tried again."""
        reason = f"{verdict.reason} ({verdict.http_status or verdict.failure})"
        self.delivery.receipt.retried(attempts, f"{reason}, {received.trigger.request_id}, again in {wait:.2f} s")


def summary(fates: Mapping[Fate, int]) -> str:
    """``100 triggers: 98 accepted, 1 rejected (Adobe: recipient-refused), 1 parked (outage)``.

    It has neither addresses nor anything of a payload: states and reasons are words of our own.
    """
    states: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
    for (state, reason), count in fates.items():
        states[state][reason] += count
    total = sum(fates.values())
    # What is no state, as of what was quarantined, comes last.
    ordered = sorted(states, key=lambda state: (STATES.index(state) if state in STATES else len(STATES), state))
    told = ", ".join(f"{states[state].total():,} {state}{_reasons(states[state])}" for state in ordered)
    return f"{total:,} {'trigger' if total == 1 else 'triggers'}: {told or 'nothing was in it'}"


def mostly_failed(fates: Mapping[Fate, int]) -> bool:
    """Whether more than half of it is dead letters or in quarantine: then the task is red."""
    failed = sum(count for fate, count in fates.items() if fate.state in FAILED)
    return 2 * failed > sum(fates.values())


def _reasons(reasons: Counter[str | None]) -> str:
    known = [(reason, count) for reason, count in reasons.most_common() if reason is not None]
    if not known:
        return ""
    of_all = len(known) == len(reasons) == 1
    told = [_told(reason) if of_all else f"{_told(reason)} {count:,}" for reason, count in known[:MOST_REASONS]]
    return f" ({', '.join(told)}{', …' if len(known) > MOST_REASONS else ''})"


def _told(reason: str) -> str:
    return f"Adobe: {reason}" if reason in OF_AN_ANSWER else reason
