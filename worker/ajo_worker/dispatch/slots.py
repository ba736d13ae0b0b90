"""Places for attempts in flight; a retry gets one before a first attempt, since its budget is running."""

import asyncio
from collections import deque

from ajo_worker.dispatch.closing import Closing


class Slots:
    """A counting semaphore with two queues, first come first served in each."""

    def __init__(self, places: int, closing: Closing) -> None:
        self._free = places
        self._closing = closing
        self._retries: deque[asyncio.Future[None]] = deque()
        self._firsts: deque[asyncio.Future[None]] = deque()
        self.taken = 0

    async def take(self, *, retry: bool) -> None:
        """Wait for a place.

        Raises:
            HandedBack: the worker is stopping.
        """
        self._closing.check()
        if not self._free:
            place = asyncio.get_running_loop().create_future()
            (self._retries if retry else self._firsts).append(place)
            try:
                await self._closing.race(place)
            except BaseException:
                if (
                    place.done() and not place.cancelled() and not place.exception()
                ):  # given in the same moment: pass it on
                    self._give()
                else:
                    place.cancel()
                raise
        else:
            self._free -= 1
        self.taken += 1

    def release(self) -> None:
        """Give a place back."""
        self.taken -= 1
        self._give()

    def _give(self) -> None:
        for queue in (self._retries, self._firsts):
            while queue:
                place = queue.popleft()
                if not place.done():
                    place.set_result(None)
                    return
        self._free += 1
