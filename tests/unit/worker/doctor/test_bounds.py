"""A check that hangs or breaks stays alone with it."""

import asyncio

import pytest
from ajo_worker.doctor.bounds import bounded, surely
from ajo_worker.doctor.check import Check

SECRET = "hunter2"


async def breaks() -> list[Check]:
    raise KeyError(SECRET)


async def test_what_a_look_gives_is_passed_on() -> None:
    assert await bounded("one", 60, asyncio.sleep(0, "seen")) == "seen"


async def test_a_look_that_hangs_becomes_a_failed_check() -> None:
    found = await bounded("one", 0.01, asyncio.Event().wait())
    assert isinstance(found, Check)
    assert (found.check, found.status, found.found) == ("one", "failed", "no answer within 0.01 s")


@pytest.mark.parametrize("several", [False, True])
async def test_an_exception_that_nobody_foresaw_is_named_by_its_type_alone(several: bool) -> None:
    [found] = await surely("one", breaks()) if several else [await bounded("one", 60, breaks())]
    assert isinstance(found, Check)
    assert (found.status, found.found) == ("failed", "unexpected KeyError")
    assert SECRET not in repr(found)
