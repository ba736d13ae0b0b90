"""Claims of several triggers at once: none suffers from another one."""

from types import SimpleNamespace
from typing import Any

from ajo_worker.dispatch.claim import Claims
from ajo_worker.triggers.refusal import Refusal


class Ledger:
    """Admits all that is offered."""

    def __init__(self) -> None:
        self.offered: list[Any] = []
        self.admissions = self

    async def submit_all(self, rows: list[Any]) -> list[None]:
        self.offered += rows
        return [None] * len(rows)


class Rows:
    """A row is what was received; of some there is none."""

    def admission(self, received: Any, *_: object) -> Any:
        if received == "odd":
            raise KeyError(received)
        return received


async def test_a_trigger_whose_row_cannot_be_made_is_the_only_one_that_fails() -> None:
    ledger = Ledger()
    parts: tuple[Any, ...] = (ledger, SimpleNamespace(monotonic=lambda: 1.0), None, None, Rows())
    refused: Any = [(one, Refusal("rejected", "campaign-ended")) for one in ("one", "odd", "other")]
    first, odd, third = await Claims(*parts).refused(refused)
    assert (first, third) == (None, None)
    assert isinstance(odd, KeyError)
    assert ledger.offered == ["one", "other"]
