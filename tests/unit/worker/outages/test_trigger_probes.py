"""How long the right to probe lasts."""

from typing import Any
from uuid import UUID

import pytest
from ajo_worker.outages import probe_rights
from ajo_worker.outages.trigger_probes import TriggerProbes

BUDGET = 300.0


async def test_the_right_to_probe_outlasts_the_longest_answer_that_a_probe_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leased: list[float] = []

    async def claim(_: object, __: str, ___: UUID, seconds: float) -> None:
        leased.append(seconds)

    class Ledger:
        async def run(self, asked: Any) -> Any:
            return await asked(None)

    monkeypatch.setattr(probe_rights, "claim_probe", claim)
    parts: tuple[Any, ...] = (None, Ledger(), None, UUID(int=1))
    await TriggerProbes(*parts, longest_interval=60.0, longest_budget=BUDGET)._probe("lane:standard")
    assert leased[0] > BUDGET
