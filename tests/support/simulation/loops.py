"""Event loops of several simulated processes in one thread, on virtual time: it jumps to whatever is due next.

A process that is killed is never turned again; a frozen one neither runs nor has its timers, until it goes on.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")

MOST_STEPS = 5_000
"""Steps without any time passing after which the simulated processes are taken to spin."""


class Loop(asyncio.AbstractEventLoop):
    """The event loop of one process, turned from outside, a callback at a time."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._left = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.alive = True
        self.frozen = False

    def runs(self) -> bool:
        """Whether it has something to do now."""
        due = self.due()
        return self.alive and not self.frozen and (bool(self._ready) or (due is not None and due <= self._world.now))

    def due(self) -> float | None:
        """When its next timer fires; None if it has none, or can't fire any."""
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        return self._timers[0][0] if self._timers and self.alive and not self.frozen else None

    def turn(self) -> None:
        """Run one callback. As in asyncio, what has come in goes before timers that are due."""
        if not self._left:
            while (due := self.due()) is not None and due <= self._world.now:
                self._ready.append(heappop(self._timers)[2])
            self._left = len(self._ready)
        self._left -= 1
        handle = self._ready.popleft()
        if not handle.cancelled():
            asyncio._set_running_loop(self)
            try:
                handle._run()
            finally:
                asyncio._set_running_loop(None)

    def bury(self) -> None:
        """Free what a process leaves behind; whatever its coroutines still do on their way out reaches nobody."""
        self.alive = False
        asyncio._set_running_loop(self)
        try:
            for task in self.tasks:  # it grows: some begin another one on their way out
                task._log_destroy_pending = False  # type: ignore[attr-defined] # asyncio has no public switch for it
                if not task.done():
                    task.get_coro().close()  # type: ignore[union-attr] # every task has a coroutine
        finally:
            asyncio._set_running_loop(None)
        self._ready.clear()
        self._timers.clear()

    def time(self) -> float:
        """Virtual seconds."""
        return self._world.now

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """As asyncio has it."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio has it."""
        return self.call_at(self._world.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio has it."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._world.numbers), timer))
        return timer

    def create_future(self) -> "asyncio.Future[Any]":
        """As asyncio has it."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:  # type: ignore[override] # asyncio's has more forms
        """As asyncio has it."""
        task = asyncio.Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Never: it would look at the wall clock."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An exception that nobody takes. Of the living, one that ended a callback is a fault."""
        if self.alive and "handle" in context:
            self._world.fail(f"a callback raised {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are skipped when their time comes."""


class World:
    """Virtual time, what happens outside the processes (servers, networks), and what was seen to be wrong.

    ``disturbed`` once anything was done to a process or its way to the ledger: only then may a trigger change hands.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.numbers = count()
        self.loops: list[Loop] = []
        self.failures: list[str] = []
        self.disturbed = False
        self._wanted: tuple[str, Loop | None] | None = None
        self._came: Loop | None = None
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._steps = 0

    def fail(self, text: str) -> None:
        """Note that something is wrong."""
        self.failures.append(f"at {self.now:.3f} s: {text}")

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen outside the processes."""
        heappush(self._events, (self.now + seconds, next(self.numbers), action))

    def mark(self, name: str, loop: Loop) -> None:
        """Say that a moment has come that faults like to strike at."""
        if self._wanted in ((name, loop), (name, None)):
            self._wanted, self._came = None, loop

    def run_to(self, name: str, loop: Loop | None, *, at_most: float) -> Loop | None:
        """Go on until a moment comes (in a certain process), and say in which; None if not in ``at_most`` seconds."""
        self._wanted, self._came = (name, loop), None
        self.run(until=lambda: self._came is not None, at_most=at_most)
        self._wanted = None
        return self._came

    def run(self, *, until: float | Callable[[], bool], at_most: float = 3600.0) -> bool:
        """Go on until an instant or a condition; False if that didn't come within ``at_most`` seconds."""
        end = self.now + at_most if callable(until) else until
        while not self.failures:
            if callable(until) and until():
                return True
            if not self._step(end):
                return not callable(until)
        return False

    def _step(self, end: float) -> bool:
        self._steps += 1
        if self._steps > MOST_STEPS:
            self.fail("the processes spin")
        for loop in self.loops:
            if loop.runs():
                loop.turn()
                self.loops.remove(loop)
                self.loops.append(loop)
                return True
        moments = [due for loop in self.loops if (due := loop.due()) is not None]
        if self._events:
            moments.append(self._events[0][0])
        moment = max(min(moments, default=end), self.now)
        if moment > self.now:
            self._steps = 0
        if moment >= end:
            self.now = max(end, self.now)
            return False
        self.now = moment
        if self._events and self._events[0][0] <= moment:
            heappop(self._events)[2]()
        return True
