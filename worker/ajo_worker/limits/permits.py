"""Permits of one rate limit, leased in blocks from the ledger; who waits is served in the order of ``Turns``.

Instants are monotonic seconds, rates are calls a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from math import ceil

import structlog
from msgspec import Struct

from ajo_worker.closing import Closing
from ajo_worker.limits.shadow import Shadow
from ajo_worker.limits.turns import Turns
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.urgency import Urgency

log = structlog.get_logger("ajo_worker.limits")

BLOCK_SECONDS = 0.05
"""A block holds what its rate allows in this time: large enough to spare round trips, small enough to be exact."""
KEPT_SECONDS = 1.0
"""Permits that nobody wanted are no good later: many kept ones would make a burst."""
PAUSE_AFTER_FAULT = 0.5
HALF = 0.5


class Block(Struct, frozen=True):
    """``permits`` that may be used from ``begins`` on, and not much later than ``ends``.

    ``throttled`` and ``ramped`` are the parts (0 to 1) of the configured rate that 429s and an outage have left of it.
    """

    permits: int
    begins: float
    ends: float
    throttled: float = 1.0
    ramped: float = 1.0

    def usable(self, now: float) -> bool:
        """Whether one may be used now."""
        return self.permits > 0 and self.begins <= now <= self.ends + KEPT_SECONDS

    def comes(self, now: float) -> bool:
        """Whether it has permits whose time will come."""
        return self.permits > 0 and now < self.begins

    def less(self, used: int) -> "Block":
        """What is left after so many were used."""
        return Block(self.permits - used, self.begins, self.ends, self.throttled, self.ramped)

    @property
    def speed(self) -> float:
        """Its rate, as a part of the configured one."""
        return self.throttled * self.ramped

    @property
    def causes(self) -> tuple[float, float]:
        """By how much 429s slow it, and by how much the outage that is over."""
        return 1.0 - self.throttled, 1.0 - self.ramped


def block_size(rate: float) -> int:
    """Permits in a block."""
    return max(1, ceil(rate * BLOCK_SECONDS))


NextBlock = Callable[[], Awaitable[Block]]
"""Leases it, at whatever rate holds now."""


class Permits:
    """One scope's permits in this worker; lives on one event loop."""

    def __init__(self, scope: str, lease: NextBlock, monotonic: Callable[[], float], closing: Closing) -> None:
        self.scope = scope
        self._lease = lease
        self._monotonic = monotonic
        self._closing = closing
        self._block = Block(0, 0.0, 0.0)
        self._turns: Turns[asyncio.Future[None]] = Turns()
        self._shadow = Shadow()
        self._giving: asyncio.Task[None] | None = None
        self._held = 0.0
        self._held_since: float | None = None
        self._told = ""

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._turns)

    @property
    def because(self) -> str:
        """What holds those back that wait: ``rate-limit``, unless half of the configured rate is left, or less."""
        throttled, ramped = self._block.causes
        return "rate-limit" if self._block.speed > HALF else "throttle" if throttled >= ramped else "ramp"

    @property
    def there(self) -> int:
        """How many can be had without waiting: none while others wait."""
        return self._block.permits if not self._turns and self._block.usable(self._monotonic()) else 0

    def take_now(self, many: int) -> None:
        """Use up so many of those that are there."""
        now = self._monotonic()
        self._shadow.rests(now)
        self._shadow.enters(now, many)
        self._use(many)

    async def take(self, urgency: Urgency, campaign: str) -> Waits:
        """Wait for a permit, and use it up; how long that took, by what held it back.

        Raises:
            HandedBack: the worker is stopping.
        """
        self._closing.check()
        now = self._monotonic()
        if not self._turns:
            self._shadow.rests(now)
        ticket = self._shadow.enters(now)
        if not self._turns and self._block.usable(now):
            self._use(1)
            return Waits()
        held = self._held_until(now)
        permit = asyncio.get_running_loop().create_future()
        self._turns.add(permit, urgency, campaign)
        if self._giving is None or self._giving.done():
            self._giving = asyncio.create_task(self._give(), name=f"permits-{self.scope}")
        try:
            await self._closing.race(permit)
        finally:
            permit.cancel()  # one that was given in the same moment is lost, which makes us slower and never faster
        ours, (throttle, ramp) = self._shadow.leaves(ticket, self._monotonic())
        ledger = min(max(self._held - held, 0.0), ours)
        return Waits(rate_limit=ours - ledger, throttle=throttle, ramp=ramp, ledger=ledger)

    async def _give(self) -> None:
        while self._turns and not self._closing.begun:
            now = self._monotonic()
            if self._block.comes(now):
                await asyncio.sleep(self._block.begins - now)
            elif not self._block.usable(now):
                await self._renew()
            else:
                self._hand_out()

    def _hand_out(self) -> None:
        for permit in self._turns.take():
            if not permit.done():
                permit.set_result(None)
                self._use(1)
            if self._block.permits < 1:
                return

    def _use(self, many: int) -> None:
        self._block = self._block.less(many)
        self._shadow.lets_through(self._monotonic(), many, self._block.speed, self._block.causes)

    def _held_until(self, now: float) -> float:
        """For how long the ledger has held back, so far, what the limit would have let through."""
        return self._held + max(now - self._held_since, 0.0) if self._held_since is not None else self._held

    async def _renew(self) -> None:
        if self._held_since is None:  # what is used up early has to wait for its end in any case
            self._held_since = max(self._monotonic(), self._block.ends)
        try:
            self._block = await self._lease()
            now = self._monotonic()
            if not self._block.comes(now):  # else others had the permits until then
                self._held = self._held_until(now)
            self._held_since = None
            self._told = ""
        except Exception as fault:  # noqa: BLE001 - without the ledger nothing is sent anyway
            kind = type(fault).__name__  # told once, until it is over
            getattr(log, "debug" if kind == self._told else "warning")("lease-failed", scope=self.scope, fault=kind)
            self._told = kind
            await asyncio.sleep(PAUSE_AFTER_FAULT)
