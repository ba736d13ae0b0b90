"""The rate limits of a trigger: its campaign's, where there is one, and its lane's; shared by all workers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from ajo_worker.closing import Closing
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.limits.permits import Block, Permits, block_size
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.campaign import KnownCampaign, scope_of_campaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.urgency import Urgency

Lease = Callable[[str, float], Awaitable[tuple[float, float]]]
"""Takes the next block of a scope, of so many seconds at its full rate; answers in how many seconds it ends, and which
part of the rate 429s have left."""


class Pace(Protocol):
    """What slows a rate down beside its setting."""

    def lane_rate(self, lane: str, limit: float) -> float:
        """Calls a second for a whole lane now."""

    def campaign_rate(self, campaign: KnownCampaign, limit: float | None) -> float | None:
        """Calls a second for one campaign now; None where its lane's limit is enough."""

    def ramped(self, scope: str, limit: float) -> float:
        """The part (0 to 1) of a limit that outages of Adobe's have left, which come back; of ours nothing counts."""


class Limits:
    """Hands out permits; each scope's are leased in blocks, so that they cost no round trip a trigger."""

    def __init__(
        self, lanes: Mapping[str, float], lease: Lease, pace: Pace, clock: LedgerClock, closing: Closing
    ) -> None:
        self._lanes = lanes
        self._scope_of = {lane: f"lane:{lane}" for lane in lanes}
        self._lease = lease
        self._pace = pace
        self._clock = clock
        self._closing = closing
        self._permits: dict[str, Permits] = {}

    def take_now(self, received: Received, many: int) -> int:
        """Use up permits for so many attempts, or for as many as there are: those can be sent without waiting."""
        scopes = self._scopes(received)
        many = min([many, *(permits.there for permits in scopes)])
        if many:
            for permits in scopes:
                permits.take_now(many)
        return many

    def waiting(self, received: Received) -> int:
        """How many wait for the permits that an attempt needs."""
        return sum(permits.waiting for permits in self._scopes(received))

    async def take(self, received: Received, urgency: Urgency) -> Waits:
        """Wait for every permit that an attempt needs: its campaign's first, since a lane's must not lie idle.

        Raises:
            HandedBack: the worker is stopping.
        """
        waits = NO_WAIT
        for permits in self._scopes(received):
            waits += await permits.take(urgency, received.trigger.campaign)
        return waits

    def because(self, lane: str) -> str:
        """The phase that waits for permits of a lane, or of campaigns, mostly are now."""
        of_lane, of_any_campaign = self._scope_of.get(lane), scope_of_campaign("")
        some = [one for scope, one in self._permits.items() if scope == of_lane or scope.startswith(of_any_campaign)]
        longest = max(some, key=lambda permits: permits.waiting, default=None)
        return longest.because if longest is not None else "rate-limit"

    def _scopes(self, received: Received) -> list[Permits]:
        """Whose permits a trigger needs."""
        campaign = received.campaign
        if campaign is None:
            return []
        lane = self._of_lane(received.lane)
        if self._pace.campaign_rate(campaign, campaign.definition.rate_limit) is None:
            return [lane]
        return [self._of_campaign(campaign), lane]

    def _of_lane(self, lane: str) -> Permits:
        limit = self._lanes[lane]
        return self._scope(self._scope_of[lane], lambda: self._pace.lane_rate(lane, limit), limit)

    def _of_campaign(self, campaign: KnownCampaign) -> Permits:
        definition = campaign.definition
        limit = definition.rate_limit or self._lanes[definition.lane]

        def rate() -> float:
            return self._pace.campaign_rate(campaign, definition.rate_limit) or limit

        return self._scope(scope_of_campaign(definition.name), rate, limit)

    def _scope(self, scope: str, rate: Callable[[], float], limit: float) -> Permits:
        if scope not in self._permits:
            self._permits[scope] = Permits(
                scope, lambda: self._block(scope, rate(), limit), self._clock.monotonic, self._closing
            )
        return self._permits[scope]

    async def _block(self, scope: str, rate: float, limit: float) -> Block:
        permits = block_size(rate)
        asked = self._clock.monotonic()
        left, kept = await self._lease(scope, permits / rate)
        ends = self._clock.monotonic() + left
        return Block(
            permits, max(ends - permits / rate, asked), ends, throttled=kept, ramped=self._pace.ramped(scope, limit)
        )
