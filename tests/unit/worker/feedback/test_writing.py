"""The receiver's way to the ledger: what is wrong once doesn't shut it for good."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from ajo_worker.feedback import writing
from ajo_worker.feedback.feedback import Feedback
from ajo_worker.feedback.storing import FeedbackRow, Stored, row_of
from ajo_worker.feedback.writing import Writing

ROW = row_of(Feedback("sent", execution_id="UMA-1"), "webhook", datetime.now(UTC))


class Ledger:
    """Stores whatever it is given, once it has no more faults; it stands for the connections to it, too."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.refusals: list[Exception] = []

    async def connect(self, *_: object, **__: object) -> Any:
        if self.refusals:
            raise self.refusals.pop(0)
        return self

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        pass

    async def execute(self, _: str) -> None:
        pass

    async def fetch(self, _: str) -> None:
        pass

    async def store(self, _: object, rows: Sequence[FeedbackRow]) -> list[Stored]:
        if self.faults:
            raise self.faults.pop(0)
        return [Stored(new=True, match="none") for _ in rows]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    found = Ledger()
    monkeypatch.setattr(writing, "Connector", lambda _: found)
    monkeypatch.setattr(writing, "store", found.store)
    return found


@pytest.fixture
async def place(ledger: Ledger) -> AsyncIterator[Writing]:
    found = Writing(lambda: "")
    found.start()
    yield found
    await found.stop()


async def test_a_fault_that_is_given_up_costs_no_later_feedback(ledger: Ledger, place: Writing) -> None:
    """Nobody tries again what met a fault of our own, so nobody would find out that it is over."""
    ledger.faults = [RuntimeError() for _ in range(2)]
    with pytest.raises(RuntimeError):
        await place.store([ROW])
    assert await place.store([ROW]) == [Stored(new=True, match="none")]
    assert await place.reachable()


async def test_a_ledger_that_was_away_when_only_its_health_was_asked_for_takes_feedback_once_it_is_back(
    ledger: Ledger, place: Writing
) -> None:
    ledger.refusals = [ConnectionRefusedError()]
    assert not await place.reachable()
    assert await place.reachable()
    assert await place.store([ROW]) == [Stored(new=True, match="none")]
