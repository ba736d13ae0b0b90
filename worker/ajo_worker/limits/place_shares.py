"""How many places a lane may hold, and how many are kept for urgent triggers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ajo_producers.campaigns.definition import Definition

from ajo_worker.settings import Settings


@dataclass(frozen=True, slots=True)
class Shares:
    """Most places at once: of ordinary triggers of a lane, of all of a lane's, of ordinary triggers of all lanes."""

    ordinary_of_lane: int
    of_lane: int
    ordinary: int

    def may(self, *, urgent: bool, ordinary_of_lane: int, of_lane: int, ordinary: int) -> bool:
        """Whether one more may take a place, where so many are taken."""
        if of_lane >= self.of_lane:
            return False
        return urgent or (ordinary_of_lane < self.ordinary_of_lane and ordinary < self.ordinary)


def shares(places: int, *, lanes: int, lane_share: float, urgent: bool, urgent_reserve: float) -> Shares:
    """The shares of so many places, where triggers are of so many lanes, and some are ``urgent`` or none.

    A lane that is the only one has nobody to leave places to; without urgent campaigns none are kept for them. The
    reserve is rounded, so a worker with less than ten places has none by default: one would be too much of them. A
    lane's urgent triggers count as well, so that a lane that hangs never has the whole reserve: of 1,000 places it gets
    760 for ordinary triggers, and 40 more for urgent ones.
    """
    kept = min(int(places * urgent_reserve + 0.5), places - 1) if urgent else 0
    if lanes < 2:  # noqa: PLR2004 - two are the first that can be in each other's way
        return Shares(places - kept, places, places - kept)
    return Shares(max(int((places - kept) * lane_share), 1), max(int(places * lane_share), 1), places - kept)


def shares_of(settings: Settings, definitions: Sequence[Definition]) -> Shares:
    """Who may have how many places, from the settings and the campaigns that there are."""
    return shares(
        settings.max_in_flight,
        lanes=len({definition.lane for definition in definitions}),
        lane_share=settings.lane_share,
        urgent=any(definition.priority == "urgent" for definition in definitions),
        urgent_reserve=settings.urgent_reserve,
    )
