"""Whether the broker still hands messages out to us: a consumer can vanish without a word.

RabbitMQ that restarts a virtual host keeps connections open, and forgets their consumers: heartbeats go on, messages
wait, and no worker takes them. So a worker that has room and gets nothing looks into its queues now and then.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

log = structlog.get_logger("ajo_worker.intake")

EVERY = 10.0
"""Seconds between two looks."""
LOOKS = 2
"""So many looks in a row must find messages that nobody hands out."""


@dataclass(frozen=True, slots=True)
class Look:
    """How it stands: messages that ever came, whether there is room for more, and lanes that are paused."""

    taken: int
    room: bool
    paused: frozenset[str] | set[str]


@dataclass(slots=True)
class Idleness:
    """What looks have found; without I/O."""

    _taken: int = -1
    _in_a_row: int = 0

    def lasts(self, now: Look) -> bool:
        """Whether there is room, and nothing came since the last look."""
        idle = now.room and now.taken == self._taken
        self._taken = now.taken
        if not idle:
            self._in_a_row = 0
        return idle

    def overlooked(self, waiting: Mapping[str, int], now: Look) -> bool:
        """Whether messages ``waiting`` in open lanes are handed out to nobody, once more; then it begins anew."""
        found = self.lasts(now) and any(waiting[lane] for lane in waiting.keys() - now.paused)
        self._in_a_row = self._in_a_row + 1 if found else 0
        gone = self._in_a_row >= LOOKS
        if gone:
            self._in_a_row = 0
        return gone


async def watch(
    lanes: Mapping[str, str],
    ask: Callable[[Iterable[str]], Awaitable[Mapping[str, int]]],
    look: Callable[[], Look],
    reconnect: Callable[[], None],
) -> None:
    """Look now and then for ever into these queues, whose ``lanes`` are given; ``reconnect`` is called when consumers
    are gone.
    """
    idleness = Idleness()
    while True:
        await asyncio.sleep(EVERY)
        if not idleness.lasts(look()):  # a busy worker asks the broker nothing
            continue
        try:
            lengths = await ask(lanes)
        except Exception as fault:  # noqa: BLE001 - a broker that is away is told of elsewhere
            log.debug("queues-not-seen", fault=type(fault).__name__)
            continue
        waiting = Counter[str]()
        for queue, messages in lengths.items():
            waiting[lanes[queue]] += messages
        if idleness.overlooked(waiting, look()):
            log.warning("consumers-gone", waiting=dict(waiting), do="it connects again")
            reconnect()
