"""A check that hangs or breaks stays alone with it."""

import asyncio
import threading

import pytest
from ajo_worker.doctor.bounds import DaemonThreads, bounded, surely
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


def test_a_thread_that_hangs_keeps_neither_the_loop_nor_the_process_from_ending() -> None:
    never = threading.Event()

    async def main() -> Check | object:
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        return await bounded("one", 0.01, asyncio.to_thread(never.wait))

    found = asyncio.run(main())  # would not come back if the thread were waited for
    daemons = [thread.daemon for thread in threading.enumerate() if thread.name == "doctor"]
    never.set()
    assert isinstance(found, Check)
    assert daemons == [True]


async def test_a_thread_s_result_and_its_exception_come_back() -> None:
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    assert await asyncio.to_thread(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await asyncio.to_thread(int, "seven")
