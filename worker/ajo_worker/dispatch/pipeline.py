"""The way of triggers in hand: prepare → announce → send → judge → decide → record, until each has its state.

Triggers that came in one moment, in one message or in many, take the steps together as long as they are alike. Whoever
differs goes on alone, by the same steps; so does each from its call on.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import structlog

from ajo_worker.campaigns.live_campaign import LiveCampaign
from ajo_worker.closing import HandedBack
from ajo_worker.dispatch.attempt import Announced, Attempt, Flight, Lost, Party, Policy, Round
from ajo_worker.dispatch.claim import Claim, Claimed, Claims, Late
from ajo_worker.dispatch.decision import End, History
from ajo_worker.dispatch.preparation import Preparation
from ajo_worker.dispatch.prepare import Preparing, Ready
from ajo_worker.dispatch.send import Calls
from ajo_worker.ledger.admission import Known, Settled
from ajo_worker.ledger.attempts import Record
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.group_commit import WriterStopped
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.ownership import Release
from ajo_worker.limits.places import Places
from ajo_worker.limits.waits import NO_WAIT
from ajo_worker.states import EndState
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import UNKNOWN, Refusal, refusal

log = structlog.get_logger("ajo_worker.dispatch")

Next = Party | None
"""A trigger's next attempt; None if this was its last one here."""


class Statuses(Protocol):
    """What Journey Optimizer says of campaigns."""

    def known(self, campaign_id: str) -> LiveCampaign | None:
        """What is known of one now; None if nothing is."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes triggers to their state in the ledger; thousands at once, on one event loop.

    Whatever becomes of a flight, it is told, once: with its end, or with why it has none.
    """

    ledger: Ledger
    clock: LedgerClock
    claims: Claims
    calls: Calls
    preparation: Preparation
    policy: Policy
    statuses: Statuses
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

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
                self._spawn(self._resumed(flight, why))
            elif why is not None or received.campaign is None:
                refused.append((flight, why or UNKNOWN))
            else:
                alike = received.trigger.campaign, received.came_by
                parties.setdefault(alike, (received.campaign, []))[1].append(flight)
        for campaign, party in parties.values():
            self._begin(Party(campaign, tuple(party)))
        if refused:
            self._spawn(self._refused(refused))

    def cut_off(self) -> None:
        """End whatever is under way, wherever it stands."""
        for task in tuple(self._tasks):
            task.cancel()

    def _refusal(self, received: Received, now: datetime) -> Refusal | None:
        live = self.statuses.known(received.campaign.definition.campaign_id) if received.campaign else None
        return refusal(received, now, self.policy.before_start, live)

    def _begin(self, party: Party) -> None:
        self._spawn(self._made_ready(party))

    def _spawn(self, way: Coroutine[Any, Any, Next]) -> None:
        task = asyncio.create_task(self._to_the_end(way))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _to_the_end(self, way: Coroutine[Any, Any, Next]) -> None:
        while (party := await way) is not None:
            way = self._made_ready(party)

    async def _made_ready(self, party: Party) -> Next:
        """prepare: those that are ready together go on together."""
        way = Preparing(self.preparation, party, self._begin)
        try:
            await way.backed_off()
            while way.flights:
                ready = await way.some()
                if not isinstance(ready, Ready):
                    return await self._unready(ready.flight, party.round, ready.why)
                if not way.flights:
                    return await self._announced(ready)
                self._spawn(self._announced(ready))
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - whatever it is, they are told
            await self._given_up(way.flights, party.round, fault)
        return None

    async def _announced(self, ready: Ready) -> Next:
        """announce: only those that are announced keep their places, and are sent."""
        with ready.places as places:
            if not (attempts := ready.attempts):
                return None
            try:
                announced = await self._announce(attempts)
            except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
                await self._given_up([one.flight for one in attempts], attempts[0].round, fault)
                return None
            ways = [
                self._flown(found, places.handed_on(attempt.place))
                if isinstance(found, Announced)
                else self._not_sent(attempt, found)
                for attempt, found in zip(attempts, announced, strict=True)
            ]
        for way in ways[1:]:
            self._spawn(way)
        return await ways[0]

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
                        return await self._ended_unsent(flight, again.round, again.refused)
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
            self._lost_or_failed(flight, fault, current)
            return None
        flight.on_retry(flight.received, current.history.attempts, verdict, step.wait)
        return Party(announced.attempt.campaign, (flight,), current, NO_WAIT)

    def _ended(self, flight: Flight, end: End, record: Record, recorded: bool | Exception) -> None:
        """Attempt and end are durable: called by the writer, so that no task waits for it."""
        if recorded is True:
            flight.ends(end)
        else:
            self._lost_or_failed(flight, recorded or Lost(), owed=record)

    async def _unready(self, flight: Flight, current: Round | None, why: Refusal | Known) -> Next:
        """One that is not to be attempted now: it has its end without, if it isn't known to have one."""
        if isinstance(why, Known):
            return await self._copy(flight, why, None)
        if current is None:
            return await self._refused([(flight, why)], for_good=False)
        return await self._ended_unsent(flight, current, why)

    async def _not_sent(self, attempt: Attempt, found: Late | Known | Exception) -> Next:
        """One whose announcement brought something else."""
        match found:
            case Known():
                return await self._copy(attempt.flight, found, None)
            case Late(round=current, refused=why):
                return await self._ended_unsent(attempt.flight, current, why)
            case fault:
                self._lost_or_failed(attempt.flight, fault, attempt.round)
        return None

    async def _refused(self, refused: Sequence[tuple[Flight, Refusal]], *, for_good: bool = True) -> Next:
        """Those that have their end with their first rows; copies of what the ledger knows go on from there."""
        try:
            answers = await self.claims.refused([(flight.received, why) for flight, why in refused])
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            await self._given_up([flight for flight, _ in refused], None, fault)
            return None
        for (flight, why), answer in zip(refused, answers, strict=True):
            if isinstance(answer, Known):
                self._spawn(self._copy(flight, answer, why if for_good else None))
            elif answer is not None:
                flight.ends(answer)
            else:
                flight.ends(End("rejected" if why.state == "sending" else why.state, why.reason))
        return None

    async def _copy(self, flight: Flight, known: Known, refused: Refusal | None) -> Next:
        """The copy of a trigger that the ledger knows."""
        try:
            claim = await self.claims.copy(flight.received, known)
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self._lost_or_failed(flight, fault)
            return None
        return await self._claimed(flight, claim, refused)

    async def _resumed(self, flight: Flight, refused: Refusal | None) -> Next:
        """One that was parked, and whose next round was opened."""
        try:
            claim = await self.claims.resumed(flight.received)
        except Lost:  # with its row; no message stands behind it
            campaign = flight.received.campaign
            if refused is not None or campaign is None:
                return await self._refused([(flight, refused or UNKNOWN)])
            return Party(campaign, (flight,))
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self._lost_or_failed(flight, fault)
            return None
        return await self._claimed(flight, claim, refused)

    async def _claimed(self, flight: Flight, claim: Claim | Settled, refused: Refusal | None) -> Next:
        if isinstance(claim, Settled):
            flight.ends(claim)
            return None
        received, current = flight.received, claim.round
        if (why := refused or claim.refused) is not None or (campaign := received.campaign) is None:
            return await self._ended_unsent(flight, current, why or UNKNOWN)
        waits = None if received.resumed and current.budget is None else NO_WAIT
        return Party(campaign, (flight,), current, waits)

    async def _ended_unsent(self, flight: Flight, current: Round, refused: Refusal) -> Next:
        """The end of a trigger that is ours, without another attempt."""
        end = End(_state_of(refused, current.history), refused.reason, refused.resume_at)
        try:
            ending = self.claims.rows.ending(flight.received, current, end, None, refused)
            if not await self.ledger.records.submit(Record(None, ending)):
                raise Lost  # noqa: TRY301 - as if it had come from below
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self._lost_or_failed(flight, fault, current)
            return None
        flight.ends(end)
        return None

    def _lost_or_failed(
        self, flight: Flight, fault: BaseException, current: Round | None = None, owed: Record | None = None
    ) -> None:
        if isinstance(fault, Lost):
            self._spawn(self._lost(flight, current or fault.round, owed))
        else:
            flight.ends(fault)

    async def _lost(self, flight: Flight, current: Round | None, owed: Record | None) -> Next:
        """Somebody else has the trigger, and the ledger says what became of it; or the ledger has no row of it.

        Then what was sent, and perhaps accepted, is not sent again: it is on record with the end that it has here.
        """
        received = flight.received
        log.info("trigger-lost", request_id=str(received.trigger.request_id))
        try:
            if owed is None and current is not None and (cause := current.history.duplicate_cause) is not None:
                owed = Record(None, self.claims.rows.ending(received, current, End("unconfirmed", cause), None))
            if owed is not None and owed.ending is not None and await self.claims.forgotten(received, owed):
                flight.ends(Settled(owed.ending.state))
                return None
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            flight.ends(fault)
            return None
        self.start([flight])
        return None

    async def _given_up(self, flights: Sequence[Flight], current: Round | None, fault: BaseException) -> None:
        """Nothing is sent for them: one that is ours is released, so that the next worker need not wait for our end."""
        try:
            if current is not None and isinstance(fault, HandedBack | WriterStopped):
                for flight in flights:
                    request_id = flight.received.trigger.request_id
                    await self.ledger.releases.submit(Release(request_id, current.fence, current.history.attempts))
        finally:
            for flight in flights:
                flight.ends(fault)


def _state_of(refused: Refusal, history: History) -> EndState:
    match refused.state:
        case "parked":
            return history.kept_back()
        case "expired":
            return history.failed()
        case _:
            return history.refused()
