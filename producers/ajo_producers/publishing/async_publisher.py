"""The publisher for asyncio: the blocking one's way to the broker, on a thread of its own.

Why not aio-pika and redis.asyncio: docs/sdk.md has the figures.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.contract.setting_rules import PUBLISH_TIMEOUT
from ajo_producers.publishing.async_callers import AsyncCallers
from ajo_producers.publishing.carrier import Carrier, Delivered
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.environment import PublisherSettings, read_settings
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.link import Deadline, LinkFailure
from ajo_producers.publishing.outgoing import DEFAULT_BATCH_SIZE, Receipt, Windows
from ajo_producers.publishing.stream import PublishReport, Stream, Tally, Window

MAX_WAITING = 10_000


class AsyncPublisher:
    """Publishes triggers to one broker, from coroutines; its calls are those of ``Publisher``.

    All coroutines of a process share one: what they publish while a confirm is under way travels together in the next
    messages, over one connection. Sockets are served by a thread of its own, so that nothing of the broker ever blocks
    the event loop. It can be made before a loop runs, and used in several. ``timeout`` is in seconds: within it the
    broker confirms, or ``PublishError`` is raised. At most ``max_waiting`` calls to ``publish`` wait at the same time.

    **Cancelled**, a call ends at once, and nothing is half sent. The ``CancelledError`` has a ``PublishError`` as its
    cause, which says what became of the trigger: ``unsent``, it was withdrawn and is never sent; ``confirmed``, the
    broker has it; else, in ``unconfirmed`` alone, it is on its way, and will arrive if the connection holds. To publish
    it again is no second message in any case.

    Raises:
        SettingError: one of the arguments can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        queue_prefix: str = DEFAULT_QUEUE_PREFIX,
        timeout: float = PUBLISH_TIMEOUT,
        producer: str | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._carry_with(Carrier(PublisherSettings(url, queue_prefix, timeout, producer)), max_waiting)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, *, max_waiting: int = MAX_WAITING) -> Self:
        """A publisher by ``AJO_BROKER_URL``, ``AJO_QUEUE_PREFIX``, ``AJO_PUBLISH_TIMEOUT`` and ``AJO_PRODUCER``.

        Raises:
            SettingError: one of them can't be used.
        """
        publisher = cls.__new__(cls)
        publisher._carry_with(Carrier(read_settings(env), env), max_waiting)
        return publisher

    @property
    def waiting(self) -> int:
        """How many calls to ``publish`` wait for the broker now."""
        return self._callers.waiting

    async def publish(self, trigger: CheckedTrigger) -> Receipt:
        """Publish one trigger; returns once the broker has confirmed it.

        Raises:
            PublishError: it was not confirmed in time; ``unconfirmed`` has its request id.
            PublisherFull: ``max_waiting`` calls wait already; nothing was sent.
        """
        return await self._callers.publish(trigger)

    async def publish_many(
        self,
        triggers: Iterable[CheckedTrigger],
        *,
        batch_size: int = DEFAULT_BATCH_SIZE,
        on_progress: Callable[[int], None] | None = None,
    ) -> PublishReport:
        """Publish triggers in batches by lane; ``on_progress`` is told how many have been confirmed so far.

        ``triggers`` is read on the event loop, a batch at a time, between which others have their turn.

        Raises:
            PublishError: as ``Publisher.publish_many`` has it. Cancelled, it is the cause, and tells of those that were
                taken from ``triggers``.
        """
        stream = Stream(self._carrier, triggers, batch_size, remembers=True)
        tally = Tally(stream.source, on_progress)
        try:
            async for receipts in self._publish(stream):
                tally.add(receipts)
        except PublishError as error:
            tally.complete(error)
            raise
        except asyncio.CancelledError as cancelled:
            cause = cancelled.__cause__
            if not isinstance(cause, PublishError):  # between two windows
                cause = stream.failed([], "cancelled before the rest was sent")
            cause.confirmed = tally.report().confirmed
            raise cancelled from cause
        return tally.report()

    async def publish_stream(
        self, triggers: Iterable[CheckedTrigger], *, batch_size: int = DEFAULT_BATCH_SIZE, in_order: bool = False
    ) -> AsyncIterator[tuple[Receipt, ...]]:
        """Publish triggers without end: yields the receipts of each message as it is confirmed, and keeps nothing.

        Nothing is sent before a window is full (32 batches, or 4 MB) or ``triggers`` has ended. Where triggers trickle
        in, publish each as it comes. ``in_order`` is as ``Publisher.publish_stream`` has it.

        Raises:
            PublishError: ``unconfirmed`` are those taken from ``triggers`` and not confirmed. No more were taken.
        """
        stream = Stream(self._carrier, triggers, batch_size, in_order=in_order)
        async for receipts in self._publish_in_order(stream) if in_order else self._publish(stream):
            yield receipts

    async def close(self) -> None:
        """Wait for what is under way, and close the connection; the next use opens another one."""
        await self._callers.close()

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    def __repr__(self) -> str:
        """Without the password."""
        return f"AsyncPublisher({self._carrier.broker.shown}, {self._carrier.sender.queue_prefix})"

    def _carry_with(self, carrier: Carrier, max_waiting: int) -> None:
        self._carrier = carrier
        self._callers = AsyncCallers(carrier, max_waiting)

    async def _publish(self, stream: Stream) -> AsyncIterator[tuple[Receipt, ...]]:
        gathered = Windows()
        for batch in stream.batches:
            for window in gathered.add(batch):
                async for receipts in self._deliver(stream, window):
                    yield receipts
            await asyncio.sleep(0)
        for window in gathered.rest():
            async for receipts in self._deliver(stream, window):
                yield receipts
        stream.end()

    async def _publish_in_order(self, stream: Stream) -> AsyncIterator[tuple[Receipt, ...]]:
        for window in stream.windows:
            async for receipts in self._deliver(stream, window):
                yield receipts
        stream.end()

    async def _deliver(self, stream: Stream, window: Window) -> AsyncIterator[tuple[Receipt, ...]]:
        begun = False

        def load() -> Window:
            nonlocal begun
            begun = True
            return window

        def deliver() -> Delivered:
            return self._carrier.deliver(load, Deadline(self._carrier.timeout), renewed=True)

        try:
            delivered = await self._callers.on_thread(deliver)
        except asyncio.CancelledError as cancelled:
            text = "cancelled on the way to the broker" if begun else "cancelled before the rest was sent"
            raise cancelled from stream.failed(window if begun else [], text)
        except LinkFailure as failure:
            raise stream.failed(window if begun else [], self._carrier.explain(failure)) from failure
        for receipts in stream.receipts(window, delivered):
            yield receipts
