"""Going through held payloads in batches, beside workers and others that do the same: several passes over all ids."""

from collections.abc import Awaitable, Callable
from uuid import UUID

BATCH = 500
"""Payloads that are changed in one transaction."""
PASSES = 4
PAUSE_SECONDS = 1.0
"""Between two passes; a worker's locks last for milliseconds."""
FIRST_ID = UUID(int=0)


async def in_passes(
    batch: Callable[[UUID], Awaitable[UUID | None]],
    is_done: Callable[[], Awaitable[bool]],
    pause: Callable[[float], Awaitable[None]],
) -> None:
    """Have ``batch`` change what can be locked from an id on, until it has no further id to begin with.

    Whoever waits for a lock while it holds others can be part of a deadlock. So a batch leaves out what others have
    locked. That is tried again, ``PASSES`` times in all, with ``pause`` (in seconds) in between, unless all is done.
    """
    for turn in range(PASSES):
        if turn:
            await pause(PAUSE_SECONDS)
        begin: UUID | None = FIRST_ID
        while begin is not None:
            begin = await batch(begin)
        if await is_done():
            return
