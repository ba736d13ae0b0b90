"""``python -m tests.chaos.sabotage RULE worker …``: a worker without one of the rules, to show that the matrix notices.

Each takes one rule out of the real code, in the process that it starts, and nowhere else.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from ajo_producers.cli.main import main
from ajo_worker.dispatch import copies, dispatcher
from ajo_worker.dispatch.attempt import Flights
from ajo_worker.intake import pool
from ajo_worker.intake.acknowledging import Acknowledgements
from ajo_worker.ledger import attempts, ownership
from ajo_worker.ledger.admission import Settled, TakeOver
from ajo_worker.ledger.attempts import Record
from ajo_worker.ledger.group_commit import GroupCommit
from ajo_worker.ledger.liveness import Liveness
from ajo_worker.ledger.write_faults import WriterStopped
from msgspec import structs


def without_fencing() -> None:
    """An owner that lost its trigger goes on sending it."""
    attempts.INTEND = attempts.INTEND.replace("AND t.fence = i.fence AND t.state = 'sending'", "")
    Liveness.may_send = lambda *_: True  # type: ignore[method-assign] # what sabotage is


def without_intent() -> None:
    """The first attempt is sent before its announcement is durable; what is written of it later waits for that."""
    submit, submit_all, put = GroupCommit.submit, GroupCommit.submit_all, GroupCommit.put
    announcing: dict[UUID | None, asyncio.Task[None]] = {}

    async def announce(self: GroupCommit[Any, Any], row: Any) -> None:
        with suppress(WriterStopped):
            await asyncio.sleep(1)
            await submit(self, row)

    async def at_once(self: GroupCommit[Any, Any], rows: Any) -> Any:
        if self.name != "admissions":
            return await submit_all(self, rows)
        for row in rows:
            announcing[row.request_id] = asyncio.create_task(announce(self, row))
        return [None] * len(rows)

    async def afterwards(self: GroupCommit[Any, Any], row: Any) -> Any:
        if (task := announcing.pop(_trigger_of(row), None)) is not None:
            await task
        return await submit(self, row)

    def put_afterwards(self: GroupCommit[Any, Any], row: Any, told: Callable[[Any], None]) -> None:
        if (task := announcing.pop(_trigger_of(row), None)) is not None:
            task.add_done_callback(lambda _: put(self, row, told))
        else:
            put(self, row, told)

    GroupCommit.put = put_afterwards  # type: ignore[method-assign] # as above
    GroupCommit.submit_all = at_once  # type: ignore[method-assign] # as above
    GroupCommit.submit = afterwards  # type: ignore[method-assign] # as above


def _trigger_of(row: Any) -> UUID | None:
    if isinstance(row, Record):
        row = row.attempt or row.ending
    return row if isinstance(row, UUID) else getattr(row, "request_id", None)


def without_late_acknowledgement() -> None:
    """A message is acknowledged when it comes."""
    take, acknowledge = pool.AsyncioPool.take, Acknowledgements.acknowledge

    def at_once(self: Any, message: Any) -> None:
        acknowledge(self._acknowledgements, message)
        self._acknowledgements.flush(held=0)
        take(self, message)

    pool.AsyncioPool.take = at_once  # type: ignore[method-assign] # as above
    Acknowledgements.acknowledge = lambda *_: None  # type: ignore[method-assign] # as above
    Acknowledgements.give_back = lambda *_: None  # type: ignore[method-assign] # as above


def without_joining() -> None:
    """A redelivered copy takes its trigger over, whoever has it."""

    class Nobody(Flights):
        """Nothing is ever in hand."""

        def get(self, *_: Any) -> None:  # type: ignore[override] # as above
            return None

    begin = dispatcher.Dispatcher.__init__

    def forgetful(self: Any, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self._flights = self._going_on._flights = Nobody()

    dispatcher.Dispatcher.__init__ = forgetful  # type: ignore[method-assign] # as above
    ownership.TAKE_OVER = ownership.TAKE_OVER.replace("(old.owner = w.owner", "(true")
    copies.on_copy = lambda known, _: (  # type: ignore[assignment, attr-defined] # as above
        Settled(known.state)
        if known.state != "sending"
        else TakeOver(known, interrupted=known.attempts_started > 0 and not known.last_attempt_recorded)
    )


def without_the_budget_read_back() -> None:
    """A takeover begins a budget of its own."""
    taken_over = copies.Copies._taken_over

    def fresh(self: Any, *arguments: Any, **options: Any) -> Any:
        found = taken_over(self, *arguments, **options)
        budget = found.round.budget and structs.replace(found.round.budget, started=self.clock.monotonic())
        return copies.Ours(structs.replace(found.round, budget=budget))

    copies.Copies._taken_over = fresh  # type: ignore[method-assign] # as above


RULES: dict[str, Callable[[], None]] = {
    "fencing": without_fencing,
    "intent": without_intent,
    "acknowledge-last": without_late_acknowledgement,
    "joining": without_joining,
    "budget": without_the_budget_read_back,
}

if __name__ == "__main__":
    RULES[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
