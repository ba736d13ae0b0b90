"""Keeping checks apart: none hangs for longer than it may, and none takes others down with it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from ajo_worker.doctor.check import Check, failed

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
