"""Keeping checks apart: none hangs for longer than it may, and none takes others down with it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import ParamSpec, TypeVar

from ajo_worker.doctor.check import Check, failed

P = ParamSpec("P")
T = TypeVar("T")

HANGS = "it hangs: look for a firewall or an overloaded server in between; --timeout gives it longer"


async def bounded(check: str, seconds: float, look: Awaitable[T]) -> T | Check:
    """What ``look`` gives; a failed check if it takes longer than ``seconds``, or breaks. Never raises.

    An exception of a kind that nobody foresaw is named by its type alone: its text may quote an address.
    """
    try:
        async with asyncio.timeout(seconds):
            return await look
    except TimeoutError:
        return failed(check, f"no answer within {seconds:g} s", HANGS)
    except Exception as fault:  # noqa: BLE001 - see above
        return _unforeseen(check, fault)


async def surely(check: str, part: Awaitable[list[Check]]) -> list[Check]:
    """What ``part`` gives; one failed check if it breaks. Never raises."""
    try:
        return await part
    except Exception as fault:  # noqa: BLE001 - the other parts go on
        return [_unforeseen(check, fault)]


def _unforeseen(check: str, fault: Exception) -> Check:
    return failed(check, f"unexpected {type(fault).__name__}", "a fault of ajo-dispatch: please report it")


class DaemonThreads(ThreadPoolExecutor):
    """An executor whose threads nobody waits for: a look-up of a name may hang for longer than any check may.

    The event loop takes no executor but a ``ThreadPoolExecutor``; the threads of that one are joined at exit.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run on a thread of its own."""
        future: Future[T] = Future()

        def run() -> None:
            future.set_running_or_notify_cancel()
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as fault:  # noqa: BLE001 - raised again where the result is awaited
                future.set_exception(fault)

        Thread(target=run, name="doctor", daemon=True).start()
        return future
