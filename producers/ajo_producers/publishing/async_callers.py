"""Coroutines that publish single triggers, and the thread that carries to the broker what they publish meanwhile."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from ajo_producers.publishing.carrier import Carrier
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublisherFull, PublishError
from ajo_producers.publishing.forks import reset_after_fork
from ajo_producers.publishing.group import Group, Waiting
from ajo_producers.publishing.link import LinkFailure
from ajo_producers.publishing.outgoing import Receipt

GRACE_SECONDS = 1.0
"""For the thread to tell a call whose time is up what became of its trigger."""
WOKEN_AT_ONCE = 100
NO_THREAD = "no thread can be started for it"
ENDING = "the program's main thread has ended, and none can be started for it any more: use Publisher here"
T = TypeVar("T")


class Call(Waiting):
    """A coroutine that waits to be told that its trigger has an outcome."""

    __slots__ = ("loop", "told")

    def __init__(self, trigger: CheckedTrigger, seconds: float) -> None:
        super().__init__(trigger, seconds)
        self.loop = asyncio.get_running_loop()
        self.told: asyncio.Future[None] = self.loop.create_future()


class AsyncCallers:
    """Those that wait, ``most`` of them at a time, in whatever loops; one thread serves the broker's socket for all.

    Raises:
        ValueError: ``most`` lets nobody wait.
    """

    def __init__(self, carrier: Carrier, most: int) -> None:
        if most < 1:
            raise ValueError("max_waiting must be 1 at least")
        self._carrier = carrier
        self._most = most
        self._group: Group[Call] = Group(carrier)
        self._calls: set[Call] = set()
        self._executor = _executor()
        reset_after_fork(self)

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._calls)

    async def publish(self, trigger: CheckedTrigger) -> Receipt:
        """See ``AsyncPublisher.publish``."""
        call = Call(trigger, self._carrier.timeout)
        if len(self._calls) >= self._most:
            ids = [trigger.request_id]
            text = f"{self._most:,} calls wait for {self._carrier.broker.shown} already"
            raise PublisherFull(text, unconfirmed=ids, unsent=ids)
        self._calls.add(call)
        overdue = call.loop.call_later(self._carrier.timeout + GRACE_SECONDS, self._give_up, call)
        begun = False
        try:
            self._group.join(call)
            if call.leads:
                self._begin_to_carry()
            begun = True
            await call.told
        except asyncio.CancelledError as cancelled:
            raise cancelled from self._cancelled(call)
        finally:
            if call.leads and not begun:  # Ctrl-C came: others wait for this one to lead
                self._begin_to_carry()
            overdue.cancel()
            self._calls.discard(call)
        if isinstance(call.outcome, Receipt):
            return call.outcome
        raise call.outcome or RuntimeError("told of no outcome")

    async def on_thread(self, work: Callable[[], T]) -> T:
        """Have other work done by the thread, behind what it has to do.

        Raises:
            LinkFailure: there is no thread.
        """
        return await asyncio.wrap_future(self._submit(work))

    async def close(self) -> None:
        """Wait for those that wait, and close the connection; the next use opens another one."""
        if waiting := [call.told for call in self._calls]:
            await asyncio.wait(waiting)
        try:
            await self.on_thread(self._carrier.close)
        except LinkFailure:
            self._carrier.close()
        self._executor.shutdown(wait=False)
        self._executor = _executor()

    def _begin_to_carry(self) -> None:
        """Have the thread carry what waits; where none can be had, that is the outcome of all that wait."""
        try:
            self._submit(self._carry)
        except LinkFailure as failure:
            _tell_all(self._group.fail_all(failure))
            self._group.next()  # nobody leads any more

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        try:
            return self._executor.submit(work)
        except RuntimeError as fault:
            self._executor = _executor()  # this one has kept the work for a thread that never comes
            raise LinkFailure(ENDING if "shutdown" in str(fault) else NO_THREAD) from fault

    def _carry(self) -> None:
        """One round, on the thread; the next one stands behind what else the thread has to do."""
        try:
            settled = self._group.carry()
        except Exception as error:  # noqa: BLE001 - a fault of ours: whoever waits must not wait for ever
            settled = self._group.fail_all(error)
        _tell_all(settled)
        if self._group.next():
            self._begin_to_carry()

    def _give_up(self, call: Call) -> None:
        """The thread should have told; it is stuck in what knows no time limit, such as the resolver of names."""
        call.handed_over |= not self._group.withdraw(call)
        if call.outcome is None:
            self._group.fail(call, LinkFailure("no answer"))
        _tell(call.loop, [call])

    def _cancelled(self, call: Call) -> PublishError:
        ids = [call.trigger.request_id]
        if self._group.withdraw(call) and not call.handed_over:
            return PublishError("withdrawn before it was sent", unconfirmed=ids, unsent=ids)
        if isinstance(call.outcome, Receipt):
            return PublishError("cancelled after the broker had confirmed it", confirmed=ids)
        if call.outcome is not None:
            return call.outcome
        return PublishError("cancelled on its way to the broker, which may come to have it", unconfirmed=ids)

    def _after_fork(self) -> None:
        """In the child: the thread is the parent's, and so are those that wait for it."""
        self._executor = _executor()
        self._calls = set()


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
