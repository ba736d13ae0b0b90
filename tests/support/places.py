"""One place of those for attempts in flight, as a test wants it."""

from ajo_worker.limits.places import Place
from ajo_worker.limits.slots import Slots
from ajo_worker.triggers.urgency import Urgency


async def take_one(slots: Slots, urgency: Urgency, campaign: str, lane: str = "", *, first: bool = True) -> Place:
    """Wait for one place, in a line of its own."""
    [place] = await slots.line(urgency, campaign, lane, first=first).some()
    return place
