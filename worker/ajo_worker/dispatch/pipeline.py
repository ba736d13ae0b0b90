"""The way of triggers in hand: prepare → announce → send → judge → decide → record, until each has its state.

Triggers that came in one moment, in one message or in many, take the steps together as long as they are alike. Whoever
differs goes on alone, by the same steps; so does each from its call on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from ajo_worker.campaigns.live_campaign import LiveCampaign
from ajo_worker.dispatch.attempt import Announced, Attempt, Flight, Policy, Ready
from ajo_worker.dispatch.claim import Claimed, Claims, Late
from ajo_worker.dispatch.copies import Copies
from ajo_worker.dispatch.decision import End
from ajo_worker.dispatch.lost import Losses, Lost
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.party import Party
from ajo_worker.dispatch.prepare import Preparing
from ajo_worker.dispatch.send import Calls
from ajo_worker.dispatch.unattempted import Next, Unattempted, Way
from ajo_worker.ledger.attempts import Record
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.limits.places import Places
from ajo_worker.limits.waits import NO_WAIT
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import UNKNOWN, Refusal, refusal


class Statuses(Protocol):
    """What Journey Optimizer says of campaigns."""

    def known(self, campaign_id: str) -> LiveCampaign | None:
        """What is known of one now; None if nothing is."""


@dataclass(slots=True)
class Pipeline:
    """Takes triggers to their state in the ledger; thousands at once, on one event loop.

    Whatever becomes of a flight, it is told, once: with its end, or with why it has none.
    """

    ledger: Ledger
    clock: LedgerClock
    claims: Claims
    copies: Copies
    calls: Calls
    means: Means
    policy: Policy
    statuses: Statuses
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _unattempted: Unattempted = field(init=False)

    def __post_init__(self) -> None:
        losses = Losses(self.ledger, self.clock, self.claims.rows)
        self._unattempted = Unattempted(self.ledger, self.claims, self.copies, losses, self.start, self._spawn)

    def start(self, flights: Sequence[Flight]) -> None:
        """Send triggers on their way: by campaigns and lanes, but for those that must not be attempted."""
        parties: dict[tuple[str, str], tuple[KnownCampaign, list[Flight]]] = {}
        refused: list[tuple[Flight, Refusal]] = []
        now = self.clock.now()
        for flight in flights:
            received = flight.received
            try:
                why = self._refusal(received, now)
            except Exception as fault:  # noqa: BLE001 - the others start
                flight.ends(fault)
                continue
            if received.resumed:
                self._spawn(partial(self._unattempted.resumed, flight, why))
            elif why is not None or received.campaign is None:
                refused.append((flight, why or UNKNOWN))
            else:
                alike = received.trigger.campaign, received.came_by
                parties.setdefault(alike, (received.campaign, []))[1].append(flight)
        for campaign, party in parties.values():
            self._begin(Party(campaign, tuple(party)))
        if refused:
            self._spawn(partial(self._unattempted.refused, refused))

    def cut_off(self) -> None:
        """End whatever is under way, wherever it stands."""
        for task in tuple(self._tasks):
            task.cancel()

    def _refusal(self, received: Received, now: datetime) -> Refusal | None:
        live = self.statuses.known(received.campaign.definition.campaign_id) if received.campaign else None
        return refusal(received, now, self.policy.before_start, live)

    def _begin(self, party: Party) -> None:
        self._spawn(partial(self._made_ready, party))

    def _spawn(self, way: Way) -> None:
        task = asyncio.create_task(self._to_the_end(way))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _to_the_end(self, way: Way) -> None:
        party = await way()
        while party is not None:
            party = await self._made_ready(party)

    async def _made_ready(self, party: Party) -> Next:
        """prepare: those that are ready together go on together."""
        way = Preparing(self.means, party, self._begin)
        try:
            await way.party.backed_off()
            while way.party.flights:
                ready = await way.some()
                if not isinstance(ready, Ready):
                    return await self._unattempted.unready(ready.flight, party.round, ready.why)
                if not way.party.flights:
                    return await self._announced(ready)
                self._spawn(partial(self._announced, ready))
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - whatever it is, they are told
            await self._unattempted.given_up(way.party.flights, party.round, fault)
        return None

    async def _announced(self, ready: Ready) -> Next:
        """announce: only those that are announced keep their places, and are sent."""
        with ready.places as places:
            if not (attempts := ready.attempts):
                return None
            try:
                announced = await self._announce(attempts)
            except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
                await self._unattempted.given_up([one.flight for one in attempts], attempts[0].round, fault)
                return None
            ways = [
                partial(self._flown, found, places.handed_on(attempt.place))
                if isinstance(found, Announced)
                else partial(self._unattempted.not_sent, attempt, found)
                for attempt, found in zip(attempts, announced, strict=True)
            ]
        for way in ways[1:]:
            self._spawn(way)
        return await ways[0]()

    async def _announce(self, attempts: Sequence[Attempt]) -> Sequence[Claimed]:
        if (current := attempts[0].round) is None:
            return await self.claims.first(attempts)
        try:
            return [await self.claims.next(attempts[0], current)]
        except Lost as lost:
            return [lost]

    async def _flown(self, announced: Announced, places: Places) -> Next:
        """send → judge → decide → record."""
        flight, current = announced.attempt.flight, announced.round
        try:
            with places:
                if not self.claims.may_be_sent(announced):
                    again = await self.claims.again(announced)
                    if isinstance(again, Late):
                        return await self._unattempted.ended(flight, again.round, again.refused)
                    announced = again
                sent = await self.calls.sent(announced)
            verdict = await self.calls.judged(sent)
            current, step = self.calls.decided(sent, verdict)
            if isinstance(step, End):
                record = self.calls.ended(sent, verdict, current, step)
                self.ledger.records.put(record, partial(self._ended, flight, step, record))
                return None
            await self.calls.recorded(sent, verdict)
        except (Lost, Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self._unattempted.lost_or_failed(flight, fault, current)
            return None
        flight.on_retry(flight.received, current.history.attempts, verdict, step.wait)
        return Party(announced.attempt.campaign, (flight,), current, NO_WAIT)

    def _ended(self, flight: Flight, end: End, record: Record, recorded: bool | Exception) -> None:
        """Attempt and end are durable: called by the writer, so that no task waits for it."""
        if recorded is True:
            flight.ends(end)
        else:
            self._unattempted.lost_or_failed(flight, recorded or Lost(), owed=record)
