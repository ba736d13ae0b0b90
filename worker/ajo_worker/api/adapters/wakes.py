"""When pyreqwest had something for us, however late our loop comes to it."""

import asyncio
import time
from asyncio import events
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class Wake:
    """Stands in for the running loop while one of pyreqwest's coroutines goes on, and notes when it is woken.

    A coroutine of pyreqwest asks for the running loop, takes a future from it and, once there is news, calls
    ``call_soon_threadsafe`` on tokio's thread (``AsyncioWaker`` in src/coroutine/waker.rs of pyo3). That is the only
    moment at which it tells anybody. It needs the interpreter lock for it: while others hold that, it is late.
    """

    __slots__ = ("_loop", "at", "create_future")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.create_future = self._loop.create_future
        self.at: float | None = None

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, **options: Any) -> object:  # noqa: ANN401 - passed on as it came
        """Called by pyreqwest, on its own thread."""
        self.at = time.monotonic()
        return self._loop.call_soon_threadsafe(callback, *args, **options)

    async def watch(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await ``coroutine``; ``at`` is then when it was woken last, None if it never had to wait."""
        self.at = None
        result: T = await _Watched(coroutine, self, self._loop)
        return result


class _Watched:
    """Awaits a coroutine of pyreqwest with ``Wake`` in place of the running loop."""

    __slots__ = ("_coroutine", "_loop", "_wake")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], wake: Wake, loop: asyncio.AbstractEventLoop) -> None:
        self._coroutine, self._wake, self._loop = coroutine, wake, loop

    def __await__(self) -> Generator[Any, Any, Any]:
        thrown: BaseException | None = None
        while True:
            events._set_running_loop(self._wake)  # type: ignore[arg-type] # it has what pyreqwest asks of a loop
            try:
                waits_for = self._coroutine.throw(thrown) if thrown else self._coroutine.send(None)
            except StopIteration as ended:
                return ended.value
            finally:
                events._set_running_loop(self._loop)
            try:
                yield waits_for
                thrown = None
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as fault:  # noqa: BLE001 - a cancellation is the coroutine's own affair
                thrown = fault
