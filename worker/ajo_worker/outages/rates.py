"""How fast lanes and campaigns may go, by the circuits as last read, and their 429s; on the event loop, without I/O."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp2, log2

from ajo_worker.outages.circuits import Circuit
from ajo_worker.reasons import OURS_TO_MEND
from ajo_worker.triggers.campaign import CAMPAIGN, KnownCampaign, scope_of_campaign

LEAST_KEPT = 0.5
"""A rate is never lowered further than this at once, however many 429s there were."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """How a scope comes back after an outage: ``first`` calls a second, twice as many every ``doubling`` seconds."""

    first: float
    doubling: float

    def seconds(self, limit: float) -> float:
        """Until ``limit`` is reached."""
        return self.doubling * max(log2(limit / self.first), 0.0)

    def rate(self, since: float, limit: float) -> float:
        """Calls a second that are allowed so many seconds after the outage ended."""
        return min(limit, self.first * exp2(min(max(since, 0.0) / self.doubling, 64.0)))


class Rates:
    """Answers the limits' questions (``Pace``); ``destinations`` are the scopes of the campaigns' by name."""

    def __init__(
        self,
        campaigns: Mapping[str, KnownCampaign],
        destinations: Mapping[str, str],
        ramp: Ramp,
        lanes: Mapping[str, float],
        monotonic: Callable[[], float],
    ) -> None:
        self._campaigns, self._destinations = campaigns, destinations
        self._ramp, self._lanes, self._monotonic = ramp, lanes, monotonic
        self._circuits: Mapping[str, Circuit] = {}
        self._slowed: frozenset[str] = frozenset()
        self._read_at = monotonic()
        self._answers: Counter[str] = Counter()
        self._throttled: Counter[str] = Counter()

    def know(self, circuits: Mapping[str, Circuit], slowed: frozenset[str]) -> None:
        """Take what was read from the ledger just now."""
        self._circuits, self._slowed, self._read_at = circuits, slowed, self._monotonic()

    def answered(self, name: str, *, throttled: bool) -> None:
        """A call of this campaign was answered, with a 429 if it was ``throttled``, or got no answer."""
        self._answers[name] += 1
        self._throttled[name] += throttled

    def throttled(self) -> dict[str, float]:
        """Scopes of campaigns that got a 429, with the share of their answers that were none; counts begin anew."""
        found = {
            scope_of_campaign(name): max(1 - times / self._answers[name], LEAST_KEPT)
            for name, times in self._throttled.items()
            if times
        }
        self._throttled.clear()
        self._answers.clear()
        return found

    def lane_rate(self, lane: str, limit: float) -> float:
        """Calls a second of a lane: fewer while one of its destinations comes back."""
        scopes = self._destinations_of(lane)
        return min([limit, *(rate for scope in scopes if (rate := self._recovering(scope, limit)) is not None)])

    def campaign_rate(self, campaign: KnownCampaign, limit: float | None) -> float | None:
        """Calls a second of a campaign; None where its lane's limit is all there is to it."""
        scope = scope_of_campaign(campaign.definition.name)
        lane = self._lanes[campaign.definition.lane]
        recovering = self._recovering(scope, limit or lane)
        if recovering is not None:
            return recovering
        return limit or (lane if scope in self._slowed else None)

    def ramped(self, scope: str, limit: float) -> float:
        """The part (0 to 1) of the limit of ``lane:NAME`` or ``campaign:NAME`` that outages of Adobe's have left of it.

        What comes back after a hold, a pause or a fault of our own is slowed by us.
        """
        kind, _, name = scope.partition(":")
        scopes = {scope} if kind == CAMPAIGN else self._destinations_of(name)
        adobes = [one for one in scopes if (circuit := self._circuits.get(one)) and circuit.reason not in OURS_TO_MEND]
        return min([limit, *(rate for one in adobes if (rate := self._recovering(one, limit)) is not None)]) / limit

    def _destinations_of(self, lane: str) -> set[str]:
        return {s for name, s in self._destinations.items() if self._campaigns[name].definition.lane == lane}

    def _recovering(self, scope: str, limit: float) -> float | None:
        circuit = self._circuits.get(scope)
        if circuit is None or circuit.state != "recovering":
            return None
        since = circuit.since + self._monotonic() - self._read_at
        return self._ramp.rate(since, limit)
