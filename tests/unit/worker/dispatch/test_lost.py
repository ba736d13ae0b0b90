"""Triggers that are not ours any more: taken over by somebody else, or gone from the ledger."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Ended, Flight, Round
from ajo_worker.dispatch.claim import Claims
from ajo_worker.dispatch.copies import Copies
from ajo_worker.dispatch.decision import History
from ajo_worker.dispatch.lost import Lost
from ajo_worker.dispatch.pipeline import Pipeline
from ajo_worker.ledger.admission import Settled
from ajo_worker.triggers.received import Received
from msgspec import structs

from tests.support.simulation.network import START

TRIGGER = Trigger(request_id=UUID(int=1), campaign="order-shipped", recipients=(Recipient(user_id="person1"),))
RECEIVED = Received(TRIGGER, b"", UUID(int=2), "shop", START, 0.0, START, None, "standard")
RESUMED = structs.replace(RECEIVED, resumed=True)


class Row(SimpleNamespace):
    """A row of which only some is of interest."""

    def _replace(self, **other: Any) -> "Row":
        return Row(**{**vars(self), **other})


class Stage:
    """A pipeline whose ledger knows of the trigger, or doesn't any more."""

    def __init__(self, *, known: bool) -> None:
        self.written: list[Any] = []
        self.told: list[Ended] = []
        looks = SimpleNamespace(submit=self._answer(object() if known else None))
        admissions = SimpleNamespace(submit=self._answer(None))
        records = SimpleNamespace(submit=self._answer(found=True))
        ledger: Any = SimpleNamespace(looks=looks, admissions=admissions, records=records)
        clock: Any = SimpleNamespace(monotonic=lambda: 1.0, now=lambda: START)
        nothing: Any = None
        rows: Any = SimpleNamespace(
            admission=lambda *_: "its first row",
            ending=lambda _, current, end, *__: Row(state=end.state, reason=end.reason, fence=current.fence),
        )
        claims = Claims(ledger, clock, nothing, nothing, rows)
        self.started: list[Flight] = []
        stage = self

        class Watched(Pipeline):
            def start(self, flights: Any) -> None:
                stage.started += flights

        self.pipeline = Watched(ledger, clock, claims, nothing, nothing, nothing, nothing, nothing)

    def _answer(self, found: object) -> Any:
        async def submit(row: Any) -> Any:
            self.written.append(row)
            return found

        return submit

    async def loses(self, history: History) -> None:
        """What becomes of a flight that learns, before its next attempt, that it isn't ours."""
        flight = Flight(RECEIVED, lambda _, end: self.told.append(end), lambda *_: None)
        current = Round(2, 3, history, None, None, 0.0)
        self.pipeline._unattempted.lost_or_failed(flight, Lost(), current)
        while not (self.told or self.started):
            await asyncio.sleep(0)


async def test_what_may_have_been_accepted_and_is_gone_from_the_ledger_ends_unconfirmed_there_and_is_not_sent() -> None:
    stage = Stage(known=False)
    await stage.loses(History(attempts=1, ambiguous=1))
    assert stage.told == [Settled("unconfirmed")]
    assert not stage.started
    _, admitted, (attempt, ending) = stage.written
    assert (admitted, attempt) == ("its first row", None)
    assert (ending.state, ending.reason, ending.fence) == ("unconfirmed", "ambiguous-answer", 1)


@pytest.mark.parametrize(("known", "ambiguous"), [(True, 1), (True, 0), (False, 0)])
async def test_what_the_ledger_knows_or_what_is_known_to_have_failed_starts_again(
    *, known: bool, ambiguous: int
) -> None:
    stage = Stage(known=known)
    await stage.loses(History(attempts=1, ambiguous=ambiguous))
    assert len(stage.started) == 1
    assert not stage.told


@pytest.mark.parametrize(
    ("started", "recorded", "cause"), [(1, False, "worker-crash"), (1, True, None), (0, False, None)]
)
async def test_a_copy_whose_row_vanishes_while_it_waits_is_lost_and_it_is_known_whether_it_may_have_been_sent(
    *, started: int, recorded: bool, cause: str | None
) -> None:
    looks: Any = SimpleNamespace(submit=Stage(known=False)._answer(None))
    ledger: Any = SimpleNamespace(looks=looks, worker_id=UUID(int=3))
    clock: Any = SimpleNamespace(monotonic=lambda: 1.0)
    policy: Any = SimpleNamespace(copy_poll=0.0)
    closing = Closing()
    nothing: Any = None
    known: Any = SimpleNamespace(
        state="sending", owner=UUID(int=4), owner_alive=True, clock_stepped=False, round=1, fence=1,
        attempts_started=started, last_attempt_recorded=recorded,
        ambiguous_attempts=0, ambiguous_before=0, interrupted_attempts=0,
    )  # fmt: skip
    with pytest.raises(Lost) as lost:
        await Copies(ledger, clock, nothing, closing, policy, nothing).end_or_ours(RESUMED, known)
    assert lost.value.round is not None
    assert lost.value.round.history.duplicate_cause == cause
