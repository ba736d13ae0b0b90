"""Acknowledgements, a turn of the hub at a time.

RabbitMQ takes all tags up to one in one frame, and its quorum queue has one command for them: so an unbroken run of
tags that are all answered goes out as one. What lies behind a tag that is not answered yet, as while a trigger backs
off, is held for a moment, and then goes singly: what is held takes up the prefetch count. Redis and Valkey take any
tags in one command.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from math import inf
from typing import Any

import structlog
from redis.exceptions import ResponseError

from ajo_worker.intake.hub_calls import HubCalls
from ajo_worker.intake.valkey_unacked import MOST_TOLD, QoS

log = structlog.get_logger("ajo_worker.intake")

HELD = 0.1
"""Seconds for which what lies behind an open tag is held."""


class Tags:
    """Tags of one channel of RabbitMQ, which grow with its messages; without I/O."""

    def __init__(self) -> None:
        self._open: dict[int, None] = {}
        """Of messages that are not answered, in the order in which they came."""
        self._answered: dict[int, float] = {}
        """Of those to acknowledge, and since when (monotonic), the oldest first."""
        self._lowest = 0.0

    @property
    def held(self) -> bool:
        """Whether there are tags to acknowledge."""
        return bool(self._answered)

    def came(self, tag: int) -> None:
        """A message came under this tag."""
        self._open[tag] = None

    def answered(self, tag: int, now: float) -> None:
        """It is to be acknowledged."""
        self._open.pop(tag, None)
        self._answered[tag] = now

    def given_back(self, tag: int) -> None:
        """The broker was told that it goes back."""
        self._open.pop(tag, None)

    def run(self) -> int | None:
        """The tag up to which all can be acknowledged as one; None if there is none. They count as told from now on."""
        lowest = next(iter(self._open), inf)
        if lowest == self._lowest and self._open:  # nothing new lies below it
            return None
        self._lowest = lowest
        told = [tag for tag in self._answered if tag < lowest]
        for tag in told:
            del self._answered[tag]
        return max(told, default=None)

    def stragglers(self, before: float) -> list[int]:
        """Those that were answered before an instant, and can only go singly. They count as told from now on."""
        old = [tag for tag, _ in takewhile(lambda held: held[1] < before, self._answered.items())]
        for tag in old:
            del self._answered[tag]
        return old


class Acknowledgements:
    """Those of a connection to the broker; on the hub's thread only."""

    def __init__(self, calls: HubCalls) -> None:
        self._calls = calls
        calls.then = self.flush
        self._tags: dict[Any, Tags] = {}
        self._lists: dict[Any, list[str]] = {}
        self._due = 0.0
        self._refusal = ""

    def connection_lost(self) -> None:
        """Nobody knows its tags any more."""
        self._refusal = ""
        self._tags.clear()
        self._lists.clear()

    def came(self, message: Any) -> None:
        """A message came; the broker waits for an answer."""
        if not _is_listed(message):
            self._tags.setdefault(message.channel, Tags()).came(message.delivery_tag)

    def acknowledge(self, message: Any) -> None:
        """Have it acknowledged with the others of this turn."""
        if _is_listed(message):
            self._lists.setdefault(message.channel, []).append(message.delivery_tag)
        elif (tags := self._tags.get(message.channel)) is not None:
            tags.answered(message.delivery_tag, time.monotonic())

    def give_back(self, message: Any) -> None:
        """Give it back to its queue, at once."""
        if not _is_listed(message) and (tags := self._tags.get(message.channel)) is not None:
            tags.given_back(message.delivery_tag)
        with self._whatever_breaks():
            message.requeue()

    def flush(self, *, held: float = HELD) -> None:
        """Tell the broker; what was ``held`` for so many seconds goes singly."""
        now = time.monotonic()
        lists, self._lists = self._lists, {}
        for channel, listed in lists.items():
            with self._whatever_breaks(lambda: self._lists.update({channel: listed})):  # noqa: B023 - called in its turn
                channel.qos.ack_all(listed)
        with self._whatever_breaks():
            for channel, of_channel in self._tags.items():
                if (newest := of_channel.run()) is not None:
                    channel.basic_ack(newest, multiple=True)
                for tag in of_channel.stragglers(now - held):
                    channel.basic_ack(tag)
        if now >= self._due and (self._lists or any(tags.held for tags in self._tags.values())):
            self._due = now + HELD
            self._calls.later(HELD, self.flush)

    @contextmanager
    def _whatever_breaks(self, kept: Callable[[], None] = lambda: None) -> Iterator[None]:
        """A connection that is broken is no fault here: its messages come again, and are known. A refusal is told.

        What is ``kept`` then goes out later: Redis and Valkey may not answer over one connection, and hand out over
        another that goes on.
        """
        try:
            yield
        except ResponseError as refusal:
            kept()
            if (text := str(refusal)[:MOST_TOLD]) != self._refusal:
                self._refusal = text
                log.warning("not-answered", fault=text, do="messages stay noted as taken; see ajo-dispatch doctor")
        except Exception as fault:  # noqa: BLE001 - whatever the broker's client raises then
            kept()
            log.debug("not-answered", fault=type(fault).__name__)


def _is_listed(message: Any) -> bool:
    return isinstance(getattr(message.channel, "qos", None), QoS)
