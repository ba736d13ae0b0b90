"""How a new trigger becomes ours: by its first row. It announces the first attempt.

Every further one is announced before it is sent, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct, structs

from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Announced, Attempt, Round
from ajo_worker.dispatch.decision import History
from ajo_worker.dispatch.kept_back import when_without_token
from ajo_worker.dispatch.lost import Lost
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.rows import Rows
from ajo_worker.ledger.admission import Admission, Known
from ajo_worker.ledger.attempts import Intent
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import EXPIRED, Refusal

LEASE_POLL = 0.2
NO_HISTORY = History()


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
    means: Means
    closing: Closing
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
        received, budget, latest = attempt.received, current.budget, self.means.latest_start
        asked = intended = self.clock.monotonic()
        if budget is None or intended <= latest(received, budget, current.history):
            asked = await self._announce(received, current, intended)
        if budget is None or self.clock.monotonic() <= (until := latest(received, budget, current.history)):
            return Announced(attempt, current, intended, asked, self.clock.monotonic() - intended)
        if intended - attempt.waits.token <= until < intended:
            return Late(current, when_without_token(budget))  # with a token at once it would have been in time
        in_vain = attempt.waits.by_column() | {
            "backoff_wait_seconds": attempt.backoff_wait,
            "ledger_wait_seconds": attempt.waits.ledger + self.clock.monotonic() - intended,
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
        return again if self.may_be_sent(again) else Late(current, EXPIRED)

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
