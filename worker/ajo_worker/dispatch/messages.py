"""Messages in hand, and what each came to, in a line that Flower shows: how many, in which state, why."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from ajo_producers.contract.counted import counted

from ajo_worker.api.verdict import Verdict
from ajo_worker.closing import HandedBack
from ajo_worker.dispatch.going_on import PAUSE_AFTER_FAULT
from ajo_worker.ledger.write_faults import WriterStopped
from ajo_worker.reasons import OF_AN_ANSWER
from ajo_worker.states import DEAD, STATES
from ajo_worker.triggers.delivery import Delivery
from ajo_worker.triggers.received import Received

log = structlog.get_logger("ajo_worker.dispatch")

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


class Messages:
    """All that are in hand: each is answered for with the last of its triggers.

    ``over`` is told the queue of each trigger of an opened message that has its end, ``answered`` that a message is in
    hand no more; ``begin`` begins what takes its time.
    """

    def __init__(
        self,
        over: Callable[[str, int], None],
        answered: Callable[[], None],
        begin: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._over, self._answered, self._begin = over, answered, begin
        self._in_hand: set[Message] = set()
        self.going_back: dict[UUID, Received] = {}
        """Triggers that go back to the broker once the others of their message are at their end."""

    def __len__(self) -> int:
        return len(self._in_hand)

    def take(self, delivery: Delivery, left: int, *, opened: bool) -> Message:
        """One more, with so many triggers."""
        message = Message(delivery, left, opened=opened)
        self._in_hand.add(message)
        return message

    def goes_back(self, message: Message, received: Received) -> None:
        """One of its triggers was handed back: so is the whole message, at its end."""
        request_id = received.trigger.request_id
        message.back.append(request_id)
        self.going_back[request_id] = received

    def one_less(self, message: Message, fate: Fate | None = None, *, fault: BaseException | None = None) -> None:
        """One of its triggers has its end; with the last one it is answered for."""
        if fate is not None:
            message.fates[fate] += 1
        message.fault = message.fault or fault
        message.left -= 1
        if not message.left:
            self._answer(message)
        if message.opened:
            self._over(message.delivery.queue, 1)

    def _answer(self, message: Message) -> None:
        receipt, fates, fault = message.delivery.receipt, message.fates, message.fault
        if fault is None:
            (receipt.failed if mostly_failed(fates) else receipt.done)(summary(fates))
        elif isinstance(fault, HandedBack | WriterStopped | asyncio.CancelledError):
            receipt.returned()
        else:
            log.error("dispatch-fault", queue=message.delivery.queue, exc_info=fault)
            self._begin(_returned_later(message))
        for request_id in message.back:
            self.going_back.pop(request_id, None)
        self._in_hand.discard(message)
        self._answered()


async def _returned_later(message: Message) -> None:
    try:
        await asyncio.sleep(PAUSE_AFTER_FAULT)
    finally:
        message.delivery.receipt.returned()


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
    return f"{counted(total, 'trigger')}: {told or 'nothing was in it'}"


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
