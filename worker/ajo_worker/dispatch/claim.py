"""How a trigger becomes ours: by its first row, or from a dead worker; a living one's is waited for.

The first row announces the first attempt, and every further one is announced before it is sent, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import structlog
from msgspec import Struct, structs

from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Announced, Attempt, Lost, Policy, Round
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import History, Retry
from ajo_worker.dispatch.preparation import Preparation
from ajo_worker.dispatch.prepare import without_token
from ajo_worker.dispatch.rows import Rows
from ajo_worker.ledger.admission import Admission, Known, Settled, TakeOver, Wait, on_copy
from ajo_worker.ledger.attempts import Intent, Record
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.ownership import Takeover
from ajo_worker.recipients import is_other_content
from ajo_worker.triggers.received import Received, content_digest
from ajo_worker.triggers.refusal import Refusal

log = structlog.get_logger("ajo_worker.dispatch")

LEASE_POLL = 0.2
NO_HISTORY = History()


class Claim(Struct, frozen=True):
    """The trigger is ours; ``refused`` is why it must not be attempted all the same."""

    round: Round
    refused: Refusal | None = None


class Late(Struct, frozen=True):
    """The trigger is ours, and its attempt comes too late."""

    round: Round
    refused: Refusal


Claimed: TypeAlias = Announced | Late | Known | Exception
"""What became of an attempt that was to be announced: it may be sent, or it comes too late; or the ledger knows the
trigger already; or why it isn't: ``RowRefused`` if the ledger can't hold it, ``Lost`` if somebody else has it."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims triggers in the ledger, and announces their attempts."""

    ledger: Ledger
    clock: LedgerClock
    preparation: Preparation
    closing: Closing
    policy: Policy
    rows: Rows

    async def first(self, attempts: Sequence[Attempt]) -> Sequence[Claimed]:
        """Claim triggers by announcing their first attempts, all in one commit."""
        intended = self.clock.monotonic()
        answers = await self._admitted([(attempt.received, None) for attempt in attempts], intended)
        ours, took = Round(1, 1, NO_HISTORY, None, None, intended), self.clock.monotonic() - intended
        return [
            Announced(attempt, ours, intended, intended, took) if answer is None else answer
            for attempt, answer in zip(attempts, answers, strict=True)
        ]

    async def next(self, attempt: Attempt, current: Round) -> Announced | Late:
        """Announce a further attempt of a trigger that is ours, if there is time for it.

        All that was waited for may have taken longer than foreseen: whether there is time for a retry is asked again.

        Raises:
            HandedBack: the worker is stopping.
            Lost: the trigger is not ours any more.
        """
        received, budget, latest = attempt.received, current.budget, self.preparation.latest_start
        asked = intended = self.clock.monotonic()
        if budget is None or intended <= latest(received, budget, current.history):
            asked = await self._announce(received, current, intended)
        if budget is None or self.clock.monotonic() <= (until := latest(received, budget, current.history)):
            return Announced(attempt, current, intended, asked, self.clock.monotonic() - intended)
        if intended - attempt.waits.token <= until < intended:
            return Late(current, without_token(budget))  # with a token at once it would have been in time
        in_vain = attempt.waits.by_column() | {
            "backoff_wait_seconds": attempt.backoff_wait,
            "ledger_wait_seconds": self.clock.monotonic() - intended,
        }
        return Late(current, Refusal("expired", budget.end_reason, in_vain=in_vain))

    def may_be_sent(self, announced: Announced) -> bool:
        """Whether an attempt may be sent at this very moment: it is the last thing that is asked before the call."""
        expires_at = announced.attempt.received.trigger.expires_at
        return self.ledger.liveness.may_send(announced.asked) and (
            expires_at is None
            or announced.round.budget is not None
            or self.clock.monotonic_at(expires_at) > self.clock.monotonic()
        )

    async def again(self, announced: Announced) -> Announced | Late:
        """Announce once more what may not be sent now: from before a gap in the heartbeats, or late with its commit.

        Raises:
            HandedBack: the worker is stopping.
            Lost: somebody has taken the trigger over since.
        """
        current, asked = announced.round, announced.asked
        if not self.ledger.liveness.may_send(asked):
            asked = await self._announce(announced.attempt.received, current, announced.intended)
        again = structs.replace(announced, asked=asked, ledger_wait=self.clock.monotonic() - announced.intended)
        return again if self.may_be_sent(again) else Late(current, Refusal("expired", "expires-at"))

    async def _announce(self, received: Received, current: Round, intended: float) -> float:
        """Commit the intent of the next attempt, and hold it back until nobody can have taken the trigger over.

        When that was asked for (monotonic).

        Raises:
            Lost: somebody has.
        """
        history = current.history
        request_id, number, cause = received.trigger.request_id, history.attempts + 1, history.duplicate_cause
        intent = Intent(request_id, current.fence, number, self.clock.at(intended), cause)
        while True:
            asked = self.clock.monotonic()
            if not await self.ledger.intents.submit(intent):
                raise Lost
            if self.ledger.liveness.may_send(asked):
                return asked
            await self.closing.sleep(LEASE_POLL)

    async def refused(self, refused: Sequence[tuple[Received, Refusal]]) -> Sequence[Known | Exception | None]:
        """Give triggers their end with their first rows, all in one commit; None for each that is new."""
        return await self._admitted(refused, self.clock.monotonic())

    async def _admitted(
        self, several: Sequence[tuple[Received, Refusal | None]], now: float
    ) -> Sequence[Known | Exception | None]:
        """What the ledger answers to their first rows. A fault of one row is that trigger's alone."""
        rows, faults = list[Admission](), dict[int, Exception]()
        for index, (received, refusal) in enumerate(several):
            try:
                rows.append(self.rows.admission(received, refusal, now))
            except Exception as fault:  # noqa: BLE001 - its neighbours may be of other messages
                faults[index] = fault
        answers = iter(await self.ledger.admissions.submit_all(rows) if rows else ())
        return [faults.get(index) or next(answers) for index in range(len(several))]

    async def forgotten(self, received: Received, record: Record) -> bool:
        """Write a trigger anew that was sent, and that the ledger has no row of any more; False if it has one.

        So it is after a fail-over to a standby that lagged, or where AJO_DATABASE_URL leads to another ledger now.
        """
        request_id = received.trigger.request_id
        if record.ending is None or await self.ledger.looks.submit(request_id) is not None:
            return False
        log.error("trigger-forgotten", request_id=str(request_id), state=record.ending.state, do="it is written anew")
        row = self.rows.admission(received, None, self.clock.monotonic())
        if await self.ledger.admissions.submit(row) is not None:
            return False
        attempt, ending = record.attempt and record.attempt._replace(round=1), record.ending._replace(fence=1)
        return await self.ledger.records.submit(Record(attempt, ending))

    async def resumed(self, received: Received) -> Claim | Settled:
        """Its round was opened for us; if something has happened in it since, this is a copy like any other.

        Raises:
            HandedBack: the worker is stopping.
            Lost: its row is gone.
        """
        known = await self.ledger.looks.submit(received.trigger.request_id)
        if known is None:
            raise self._gone(received, None)
        if known.state == "sending" and known.owner == self.ledger.worker_id and not known.attempts_started:
            history = History(0, known.ambiguous_attempts, known.ambiguous_before, known.interrupted_attempts)
            return Claim(Round(known.round, known.fence, history, None, None, self.clock.monotonic()))
        return await self.copy(received, known)

    async def compare(self, received: Received, first: Received | Known) -> None:
        """Put a copy on record that has other recipients or other content than the first: it is never sent."""
        if received.resumed:
            return  # made of the payload that is held, and no copy
        key = self.policy.hash_key
        digest = content_digest(received, key)
        if is_other_content(first.content_digest if isinstance(first, Known) else content_digest(first, key), digest):
            log.warning("copy-differs", request_id=str(received.trigger.request_id), campaign=received.trigger.campaign)
            await self.ledger.quarantine.submit(self.rows.differing_copy(received, digest))

    async def copy(self, received: Received, known: Known) -> Claim | Settled:
        """What to do with a copy of a trigger that the ledger knows: perhaps it becomes ours.

        Raises:
            HandedBack: the worker is stopping.
            Lost: its row is gone, while its owner's end was waited for.
        """
        request_id, stepped = received.trigger.request_id, 0
        await self.compare(received, known)
        while True:
            if known.clock_stepped:  # after a long wait for its owner that can't be told any more
                stepped = known.round
            match on_copy(known, self.ledger.worker_id):
                case Settled() as done:
                    return done
                case Wait():
                    await self.closing.sleep(self.policy.copy_poll)
                case TakeOver(interrupted=interrupted):
                    worker, announced = self.ledger.worker_id, known.attempts_started
                    # One that is held and not repeated has the crash as its reason.
                    marked = interrupted and not (received.campaign and received.campaign.holds_ambiguous)
                    if await self.ledger.takeovers.submit(
                        Takeover(request_id, known.fence, worker, announced, interrupted, marked)
                    ):
                        untimed = stepped == known.round
                        return self._taken_over(received, known, interrupted=interrupted, untimed=untimed)
            seen = await self.ledger.looks.submit(request_id)
            if seen is None:
                raise self._gone(received, known)
            known = seen

    def _gone(self, received: Received, known: Known | None) -> Lost:
        """The ledger had a row a moment ago, and has none any more; of an attempt that was under way nobody knows."""
        log.error("trigger-forgotten", request_id=str(received.trigger.request_id), do="it is claimed anew")
        if known is None:
            return Lost()
        history = _history(known, interrupted=known.attempts_started > 0 and not known.last_attempt_recorded)
        return Lost(Round(known.round, known.fence, history, None, None, self.clock.monotonic()))

    def _kept_back_since(self, received: Received, moment: datetime) -> bool:
        campaign = received.campaign
        return campaign is not None and self.preparation.gate.kept_back_since(campaign, moment)

    def _taken_over(self, received: Received, known: Known, *, interrupted: bool, untimed: bool) -> Claim:
        now = self.clock.monotonic()
        history = _history(known, interrupted=interrupted)
        if known.first_dispatched_at is None:  # a round that was opened, and nothing sent in it
            return Claim(Round(known.round, known.fence + 1, history, None, None, now))
        expires_at = received.trigger.expires_at
        seconds = received.campaign.budget if received.campaign else 0.0
        started = self.clock.monotonic_at(known.first_dispatched_at)
        budget = Budget(started, seconds, self.clock.monotonic_at(expires_at) if expires_at else None)
        wait = max(self.clock.monotonic_at(known.not_before) - now, 0.0) if known.not_before else 0.0
        ours = Round(known.round, known.fence + 1, history, budget, Retry(wait), now)
        if history.in_doubt and received.campaign and received.campaign.holds_ambiguous:
            return Claim(ours, Refusal("expired", history.duplicate_cause or "budget-spent"))
        if untimed:
            return Claim(ours, Refusal("expired", "clock-step"))
        if now + wait <= self.preparation.latest_start(received, budget, history):
            return Claim(ours)
        if self._kept_back_since(received, known.first_dispatched_at):
            return Claim(ours, Refusal("parked", "outage"))  # its copy waited in the broker while the outage lasted
        return Claim(ours, Refusal("expired", "retry-after-beyond-budget" if wait else budget.end_reason))


def _history(known: Known, *, interrupted: bool) -> History:
    return History(
        known.attempts_started,
        known.ambiguous_attempts + interrupted,
        known.ambiguous_before,
        known.interrupted_attempts + interrupted,
    )
