"""Places for attempts in flight."""

import asyncio

from ajo_worker.closing import Closing
from ajo_worker.limits.turns import Turns, Urgency


class Slots:
    """A counting semaphore; who waits is served in the order of ``Turns``."""

    def __init__(self, places: int, closing: Closing) -> None:
        self._free = places
        self._closing = closing
        self._turns: Turns[asyncio.Future[None]] = Turns()
        self.taken = 0

    async def take(self, urgency: Urgency, campaign: str) -> None:
        """Wait for a place.

        Raises:
            HandedBack: the worker is stopping.
        """
        self._closing.check()
        if not self._free:
            place = asyncio.get_running_loop().create_future()
            self._turns.add(place, urgency, campaign)
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
        for place in self._turns.take():
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
