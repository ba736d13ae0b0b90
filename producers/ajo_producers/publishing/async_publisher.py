"""The publisher for asyncio: the blocking one's way to the broker, on a thread of its own.

Why not aio-pika and redis.asyncio: docs/sdk.md has the figures.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.contract.setting_rules import PUBLISH_TIMEOUT
from ajo_producers.publishing.carrier import Carrier, Delivered
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.environment import PublisherSettings, read_settings
from ajo_producers.publishing.errors import PublisherFull, PublishError
from ajo_producers.publishing.forks import reset_after_fork
from ajo_producers.publishing.group import Group, Waiting
from ajo_producers.publishing.link import Deadline, LinkFailure
from ajo_producers.publishing.outgoing import DEFAULT_BATCH_SIZE, Receipt, Windows
from ajo_producers.publishing.stream import PublishReport, Stream, Tally, Window

MAX_WAITING = 10_000
GRACE_SECONDS = 1.0
WOKEN_AT_ONCE = 100
T = TypeVar("T")


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

    _executor: ThreadPoolExecutor

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
        return len(self._calls)

    async def publish(self, trigger: CheckedTrigger) -> Receipt:
        """Publish one trigger; returns once the broker has confirmed it.

        Raises:
            PublishError: it was not confirmed in time; ``unconfirmed`` has its request id.
            PublisherFull: ``max_waiting`` calls wait already; nothing was sent.
        """
        call = Call(trigger, self._carrier.timeout)
        if len(self._calls) >= self._max_waiting:
            ids = [trigger.request_id]
            text = f"{self._max_waiting:,} calls wait for {self._carrier.broker.shown} already"
            raise PublisherFull(text, unconfirmed=ids, unsent=ids)
        self._calls.add(call)
        self._group.join(call)
        if call.leads:
            self._begin_to_carry()
        overdue = call.loop.call_later(self._carrier.timeout + GRACE_SECONDS, self._give_up, call)
        try:
            await call.told
        except asyncio.CancelledError as cancelled:
            raise cancelled from self._cancelled(call)
        finally:
            overdue.cancel()
            self._calls.discard(call)
        if isinstance(call.outcome, Receipt):
            return call.outcome
        raise call.outcome or RuntimeError("told of no outcome")

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
        if waiting := [call.told for call in self._calls]:
            await asyncio.wait(waiting)
        await self._run(self._carrier.close)
        self._executor.shutdown(wait=False)
        self._executor = _executor()

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
        if max_waiting < 1:
            raise ValueError("max_waiting must be 1 at least")
        self._carrier = carrier
        self._max_waiting = max_waiting
        self._group: Group[Call] = Group(carrier)
        self._calls: set[Call] = set()
        self._executor = _executor()
        reset_after_fork(self)

    def _begin_to_carry(self) -> None:
        """Have the thread carry what waits; where none can be had, that is the outcome of all that wait."""
        try:
            self._executor.submit(self._carry)
        except RuntimeError as fault:
            self._executor = _executor()  # this one has kept the work for a thread that never comes
            _tell_all(self._group.fail_all(fault))
            self._group.next()  # nobody leads any more

    def _carry(self) -> None:
        """One round, on the thread; the next one stands behind what else the thread has to do."""
        try:
            settled = self._group.carry()
        except Exception as error:  # noqa: BLE001 - a fault of ours: whoever waits must not wait for ever
            settled = self._group.fail_all(error)
        _tell_all(settled)
        if self._group.next():
            self._executor.submit(self._carry)

    def _give_up(self, call: "Call") -> None:
        """The thread should have told; it is stuck in what knows no time limit, such as the resolver of names."""
        call.handed_over |= not self._group.withdraw(call)
        if call.outcome is None:
            self._group.fail(call, LinkFailure("no answer"))
        _tell(call.loop, [call])

    def _cancelled(self, call: "Call") -> PublishError:
        ids = [call.trigger.request_id]
        if self._group.withdraw(call) and not call.handed_over:
            return PublishError("withdrawn before it was sent", unconfirmed=ids, unsent=ids)
        if isinstance(call.outcome, Receipt):
            return PublishError("cancelled after the broker had confirmed it", confirmed=ids)
        if call.outcome is not None:
            return call.outcome
        return PublishError("cancelled on its way to the broker, which may come to have it", unconfirmed=ids)

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
            delivered = await self._run(deliver)
        except asyncio.CancelledError as cancelled:
            text = "cancelled on the way to the broker" if begun else "cancelled before the rest was sent"
            raise cancelled from stream.failed(window if begun else [], text)
        for receipts in stream.receipts(window, delivered):
            yield receipts

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _after_fork(self) -> None:
        """In the child: the thread is the parent's, and so are those that wait for it."""
        self._executor = _executor()
        self._calls = set()


class Call(Waiting):
    """A coroutine that waits to be told that its trigger has an outcome."""

    __slots__ = ("loop", "told")

    def __init__(self, trigger: CheckedTrigger, seconds: float) -> None:
        super().__init__(trigger, seconds)
        self.loop = asyncio.get_running_loop()
        self.told: asyncio.Future[None] = self.loop.create_future()


def _tell_all(settled: Iterable[Call]) -> None:
    """Have those that wait woken, each on its loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Call]] = {}
    for call in settled:
        by_loop.setdefault(call.loop, []).append(call)
    for loop, calls in by_loop.items():
        with suppress(RuntimeError):  # that loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(_tell, loop, calls)


def _tell(loop: asyncio.AbstractEventLoop, calls: list[Call]) -> None:
    """Wake those that wait; not all at once, so that others have their turn between them."""
    for call in calls[:WOKEN_AT_ONCE]:
        if not call.told.done():
            call.told.set_result(None)
    if rest := calls[WOKEN_AT_ONCE:]:
        loop.call_soon(_tell, loop, rest)


def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="ajo-publisher")
