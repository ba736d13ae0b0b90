"""The way of triggers in hand: what is left of one that ends before it has begun."""

import asyncio
import gc
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.dispatch.pipeline import Pipeline
from ajo_worker.ledger.clock import LedgerClock


def flight(*, resumed: bool) -> Any:
    trigger = SimpleNamespace(expires_at=None)
    return SimpleNamespace(received=SimpleNamespace(trigger=trigger, campaign=None, resumed=resumed))


@pytest.mark.parametrize("resumed", [True, False])
async def test_a_way_that_is_cut_off_before_its_first_step_leaves_nothing_that_waits_to_be_run(resumed: bool) -> None:
    nothing: Any = SimpleNamespace(rows=None, before_start="refuse")
    pipeline = Pipeline(nothing, LedgerClock(), *[nothing] * 6)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pipeline.start([flight(resumed=resumed)])
        pipeline.cut_off()
        while pipeline._tasks:
            await asyncio.sleep(0)
        gc.collect()
    assert [str(one.message) for one in told] == []
