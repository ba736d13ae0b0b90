"""Slots: never more than there are, retries first, and nothing is lost when a wait is given up."""

import asyncio

import pytest
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.limits.slots import Slots
from ajo_worker.limits.turns import Urgency


async def turns(count: int = 5) -> None:
    """Let every task that can run do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_no_more_places_are_taken_than_there_are() -> None:
    slots, peak = Slots(3, Closing()), 0

    async def use() -> None:
        nonlocal peak
        await slots.take(Urgency.FIRST, "a")
        peak = max(peak, slots.taken)
        await turns(2)
        slots.release("a")

    await asyncio.gather(*(use() for _ in range(20)))
    assert peak == 3
    assert slots.taken == 0


async def test_a_retry_gets_the_next_place_before_first_attempts_that_came_earlier() -> None:
    slots, order = Slots(1, Closing()), []

    async def use(name: str, *, retry: bool) -> None:
        await slots.take(Urgency.RETRY if retry else Urgency.FIRST, "a")
        order.append(name)
        slots.release("a")

    await slots.take(Urgency.FIRST, "a")
    waiting = [
        asyncio.create_task(use(name, retry=name.startswith("retry"))) for name in ("first-1", "first-2", "retry")
    ]
    await turns()
    slots.release("a")
    await asyncio.gather(*waiting)
    assert order == ["retry", "first-1", "first-2"]


async def test_a_cancelled_wait_gives_its_place_to_the_next() -> None:
    slots = Slots(1, Closing())
    await slots.take(Urgency.FIRST, "a")
    gone, stays = (asyncio.create_task(slots.take(Urgency.FIRST, "a")) for _ in range(2))
    await turns()
    slots.release("a")  # the place is given to `gone` ...
    gone.cancel()  # ... which is cancelled before it can use it
    await asyncio.gather(gone, return_exceptions=True)
    await asyncio.wait_for(stays, 1)
    assert slots.taken == 1


async def test_closing_ends_every_wait_and_refuses_new_ones() -> None:
    closing = Closing()
    slots = Slots(1, closing)
    await slots.take(Urgency.FIRST, "a")
    waiting = asyncio.create_task(slots.take(Urgency.RETRY, "a"))
    sleeping = asyncio.create_task(closing.sleep(3600))
    await turns()
    closing.begin()
    for wait in (waiting, sleeping, asyncio.create_task(slots.take(Urgency.FIRST, "a"))):
        with pytest.raises(HandedBack):
            await wait
    slots.release("a")
    assert slots.taken == 0


async def test_a_campaign_at_its_limit_leaves_the_next_places_to_others() -> None:
    slots = Slots(3, Closing(), {"slow": 1}.get)
    await slots.take(Urgency.FIRST, "slow")
    second = asyncio.create_task(slots.take(Urgency.RETRY, "slow"))
    await turns()
    await slots.take(Urgency.FIRST, "a")
    await slots.take(Urgency.FIRST, "a")
    other = asyncio.create_task(slots.take(Urgency.FIRST, "a"))
    await turns()
    slots.release("a")
    await other
    assert not second.done()
    slots.release("slow")
    await second
    assert slots.taken == 3


async def test_a_place_that_nobody_may_take_stays_free() -> None:
    slots = Slots(1, Closing(), {"slow": 0}.get)
    waits = asyncio.create_task(slots.take(Urgency.FIRST, "slow"))
    await turns()
    await slots.take(Urgency.FIRST, "a")
    slots.release("a")
    await slots.take(Urgency.FIRST, "a")
    assert not waits.done()
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
