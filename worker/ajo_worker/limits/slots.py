"""Places for attempts in flight."""

import asyncio
from collections import Counter
from collections.abc import Callable

from ajo_worker.closing import Closing
from ajo_worker.limits.turns import Turns, Urgency


def _unlimited(_: str) -> None:
    return None


class Slots:
    """A counting semaphore; who waits is served in the order of ``Turns``.

    ``most_of`` says how many places a campaign may have at most; None for as many as there are.
    """

    def __init__(self, places: int, closing: Closing, most_of: Callable[[str], int | None] = _unlimited) -> None:
        self._free = places
        self._closing = closing
        self._most_of = most_of
        self._turns: Turns[tuple[asyncio.Future[None], str]] = Turns()
        self._of: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._of.total()

    async def take(self, urgency: Urgency, campaign: str) -> None:
        """Wait for a place.

        Raises:
            HandedBack: the worker is stopping.
        """
        self._closing.check()
        if self._free and self._may(campaign):
            self._occupy(campaign)
            return
        place = asyncio.get_running_loop().create_future()
        self._turns.add((place, campaign), urgency, campaign)
        try:
            await self._closing.race(place)
        except BaseException:
            if place.done() and not place.cancelled() and not place.exception():  # given in the same moment: pass it on
                self.release(campaign)
            else:
                place.cancel()
            raise

    def release(self, campaign: str) -> None:
        """Give a place back."""
        self._free += 1
        self._of[campaign] -= 1
        if not self._of[campaign]:
            del self._of[campaign]
        for place, next_campaign in self._turns.take(self._may):
            if place.done():
                continue
            self._occupy(next_campaign)
            place.set_result(None)
            if not self._free:
                return

    def _occupy(self, campaign: str) -> None:
        self._free -= 1
        self._of[campaign] += 1

    def _may(self, campaign: str) -> bool:
        most = self._most_of(campaign)
        return most is None or self._of[campaign] < most
