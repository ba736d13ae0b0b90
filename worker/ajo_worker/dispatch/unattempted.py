"""Triggers that are not attempted now: they have their end without a call, or an attempt after all.

They are refused, or too late; copies of what the ledger knows; resumed, which may be such copies; or lost.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from ajo_worker.closing import HandedBack
from ajo_worker.dispatch.attempt import Attempt, Flight, Round
from ajo_worker.dispatch.claim import Claims, Late
from ajo_worker.dispatch.copies import Copies, Ours
from ajo_worker.dispatch.decision import End, History
from ajo_worker.dispatch.lost import Losses, Lost
from ajo_worker.dispatch.party import Party
from ajo_worker.ledger.admission import Known, Settled
from ajo_worker.ledger.attempts import Record
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.ownership import Release
from ajo_worker.ledger.write_faults import WriterStopped
from ajo_worker.limits.waits import NO_WAIT
from ajo_worker.states import EndState
from ajo_worker.triggers.refusal import UNKNOWN, Refusal

Next = Party | None
"""A trigger's next attempt; None if this was its last one here."""
Way: TypeAlias = Callable[[], Coroutine[Any, Any, Next]]
"""Begins a way of its own. A task that is cut off before its first step has begun none, and leaves none behind."""


@dataclass(frozen=True, slots=True)
class Unattempted:
    """Takes them to their end; ``start`` has lost ones start again, ``spawn`` lets others go their own way."""

    ledger: Ledger
    claims: Claims
    copies: Copies
    losses: Losses
    start: Callable[[Sequence[Flight]], None]
    spawn: Callable[[Way], None]

    async def unready(self, flight: Flight, current: Round | None, why: Refusal | Known) -> Next:
        """One that is not to be attempted now: it has its end without, if it isn't known to have one."""
        if isinstance(why, Known):
            return await self._copy(flight, why, None)
        if current is None:
            return await self.refused([(flight, why)], for_good=False)
        return await self.ended(flight, current, why)

    async def not_sent(self, attempt: Attempt, found: Late | Known | Exception) -> Next:
        """One whose announcement brought something else."""
        match found:
            case Known():
                return await self._copy(attempt.flight, found, None)
            case Late(round=current, refused=why):
                return await self.ended(attempt.flight, current, why)
            case fault:
                self.lost_or_failed(attempt.flight, fault, attempt.round)
        return None

    async def refused(self, refused: Sequence[tuple[Flight, Refusal]], *, for_good: bool = True) -> Next:
        """Those that have their end with their first rows; copies of what the ledger knows go on from there."""
        try:
            answers = await self.claims.refused([(flight.received, why) for flight, why in refused])
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - whatever it is, they are told
            await self.given_up([flight for flight, _ in refused], None, fault)
            return None
        for (flight, why), answer in zip(refused, answers, strict=True):
            if isinstance(answer, Known):
                self.spawn(partial(self._copy, flight, answer, why if for_good else None))
            elif answer is not None:
                flight.ends(answer)
            else:
                flight.ends(End("rejected" if why.state == "sending" else why.state, why.reason))
        return None

    async def _copy(self, flight: Flight, known: Known, refused: Refusal | None) -> Next:
        """The copy of a trigger that the ledger knows."""
        try:
            found = await self.copies.end_or_ours(flight.received, known)
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self.lost_or_failed(flight, fault)
            return None
        return await self._known(flight, found, refused)

    async def resumed(self, flight: Flight, refused: Refusal | None) -> Next:
        """One that was parked, and whose next round was opened."""
        try:
            found = await self.copies.resumed(flight.received)
        except Lost:  # with its row; no message stands behind it
            campaign = flight.received.campaign
            if refused is not None or campaign is None:
                return await self.refused([(flight, refused or UNKNOWN)])
            return Party(campaign, (flight,))
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self.lost_or_failed(flight, fault)
            return None
        return await self._known(flight, found, refused)

    async def _known(self, flight: Flight, found: Ours | Settled, refused: Refusal | None) -> Next:
        if isinstance(found, Settled):
            flight.ends(found)
            return None
        received, current = flight.received, found.round
        if (why := refused or found.refused) is not None or (campaign := received.campaign) is None:
            return await self.ended(flight, current, why or UNKNOWN)
        waits = None if received.resumed and current.budget is None else NO_WAIT
        return Party(campaign, (flight,), current, waits)

    async def ended(self, flight: Flight, current: Round, refused: Refusal) -> Next:
        """The end of a trigger that is ours, without another attempt."""
        end = End(_state_of(refused, current.history), refused.reason, refused.resume_at)
        try:
            ending = self.claims.rows.ending(flight.received, current, end, None, refused)
            if not await self.ledger.records.submit(Record(None, ending)):
                raise Lost  # noqa: TRY301 - as if it had come from below
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            self.lost_or_failed(flight, fault, current)
            return None
        flight.ends(end)
        return None

    def lost_or_failed(
        self, flight: Flight, fault: BaseException, current: Round | None = None, owed: Record | None = None
    ) -> None:
        """One that is not ours any more has a way of its own; whatever else it is, it is told."""
        if isinstance(fault, Lost):
            self.spawn(partial(self._lost, flight, current or fault.round, owed))
        else:
            flight.ends(fault)

    async def _lost(self, flight: Flight, current: Round | None, owed: Record | None) -> Next:
        """It has its end here, or starts again: the ledger says what became of it."""
        try:
            end = await self.losses.end_of(flight.received, current, owed)
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - as above
            flight.ends(fault)
            return None
        if end is not None:
            flight.ends(end)
        else:
            self.start([flight])
        return None

    async def given_up(self, flights: Sequence[Flight], current: Round | None, fault: BaseException) -> None:
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
