"""Threads that nobody waits for."""

import asyncio
import threading

import pytest
from ajo_worker.daemon_threads import DaemonThreads


def test_a_thread_that_hangs_keeps_neither_the_loop_nor_the_process_from_ending() -> None:
    never = threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(DaemonThreads())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(never.wait), 0.01)

    asyncio.run(main())  # would not come back if the thread were waited for
    daemons = [thread.daemon for thread in threading.enumerate() if thread.name == "nobody-waits"]
    never.set()
    assert daemons == [True]


async def test_a_thread_s_result_and_its_exception_come_back() -> None:
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    assert await asyncio.to_thread(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await asyncio.to_thread(int, "seven")
