"""What is in hand for nearly as long as RabbitMQ waits for an answer goes back to it before, while the work goes on.

RabbitMQ closes a channel over which a message was not answered within its ``consumer_timeout``
(https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout; 30 minutes by default), and all that came over it
comes again. The copy of what went back takes its place, or finds in the ledger what became of it elsewhere.
"""

import asyncio
import re
import time
from collections.abc import Callable
from math import inf

import structlog

from ajo_worker.intake.hub_calls import HubCalls
from ajo_worker.intake.in_hand import InHand

log = structlog.get_logger("ajo_worker.intake")

EARLY = 0.85
"""Part of the time-out after which a message goes back."""
LOOKS, LONGEST_LOOK = 20, 1.0
"""Looks within one time-out, and seconds between two of them at most."""
_USED = re.compile(r"delivery acknowledgement on channel .* timed out.* (\d+) ms")


class ConsumerTimeout:
    """Gives back in time what is in hand; ``seconds`` is the server's time-out as far as it is known, 0 for none."""

    def __init__(self, seconds: float, in_hand: InHand, calls: HubCalls) -> None:
        self._seconds, self._in_hand, self._calls = seconds, in_hand, calls

    def used(self, seconds: float) -> None:
        """RabbitMQ has closed a channel because an answer took for longer than this."""
        if not self._seconds or seconds < self._seconds:
            self._seconds = seconds
            log.warning(
                "consumer-timeout",
                seconds=seconds,
                do=f"messages go back before it from now on; set AJO_CONSUMER_TIMEOUT={seconds:g}: so do the first",
            )

    async def keep(self, drop_away: Callable[[], None]) -> None:
        """Look now and then for ever whether RabbitMQ would soon close a channel over a message in hand.

        ``drop_away`` lets go of what has gone back and was not opened yet.
        """
        while True:
            await asyncio.sleep(look_every(self._seconds))
            if self._in_hand.away:
                drop_away()
            self._calls.soon(self._give_back)

    def _give_back(self) -> None:
        now = time.monotonic()
        if given := self._in_hand.give_back(overdue(self._seconds, now), now):
            log.info(
                "given-back", messages=given, reason="RabbitMQ would close the channel over them; their work goes on"
            )


def look_every(timeout: float) -> float:
    """Seconds between two looks, for a time-out in seconds (0: there is none). Pure."""
    return min(timeout / LOOKS, LONGEST_LOOK) if timeout else LONGEST_LOOK


def overdue(timeout: float, now: float) -> float:
    """The instant before which whatever came must go back now. Pure."""
    return now - EARLY * timeout if timeout else -inf


def timeout_used(told: str) -> float | None:
    """The ``consumer_timeout`` in seconds for which RabbitMQ says that it closed a channel; None if it didn't. Pure."""
    found = _USED.search(told)
    return int(found[1]) / 1000 if found else None
