"""The worker is stopping: whatever waits is handed back to the broker, whatever is in flight finishes."""

import asyncio
from typing import TypeVar

T = TypeVar("T")


class HandedBack(Exception):  # noqa: N818 - not an error: the message goes back to the broker
    """The trigger was not finished here; its message must not be acknowledged."""


class Closing:
    """A one-way switch that ends waits. Lives on one event loop."""

    def __init__(self) -> None:
        self._waits: set[asyncio.Future[None]] = set()
        self.begun = False

    def begin(self) -> None:
        """Raise ``HandedBack`` in every wait, now and from now on."""
        self.begun = True
        for wait in self._waits:
            if not wait.done():
                wait.set_exception(HandedBack())

    def check(self) -> None:
        """Raise ``HandedBack`` if the worker is stopping."""
        if self.begun:
            raise HandedBack

    async def race(self, future: "asyncio.Future[T]") -> T:
        """Wait for ``future``, which is set by others.

        Raises:
            HandedBack: the worker began to stop first.
        """
        self.check()
        self._waits.add(future)  # type: ignore[arg-type] # only ever given an exception
        try:
            return await future
        finally:
            self._waits.discard(future)

    async def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            HandedBack: the worker began to stop first.
        """
        loop = asyncio.get_running_loop()
        wake: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(max(seconds, 0.0), _wake, wake)
        try:
            await self.race(wake)
        finally:
            timer.cancel()


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
