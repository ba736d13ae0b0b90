"""Slots: never more than there are, retries first, and nothing is lost when a wait is given up."""

import asyncio

import pytest
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.limits.bounds import shares
from ajo_worker.limits.places import Place
from ajo_worker.limits.slots import Slots, TurnedAway
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.urgency import Urgency

from tests.support.places import take_one


async def turns(count: int = 5) -> None:
    """Let every task that can run do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_no_more_places_are_taken_than_there_are() -> None:
    slots, peak = Slots(3, Closing()), 0

    async def use() -> None:
        nonlocal peak
        place = await take_one(slots, Urgency.FIRST, "a")
        peak = max(peak, slots.taken)
        await turns(2)
        slots.release(place)

    await asyncio.gather(*(use() for _ in range(20)))
    assert peak == 3
    assert slots.taken == 0


async def test_a_retry_gets_the_next_place_before_first_attempts_that_came_earlier() -> None:
    slots, order = Slots(1, Closing()), []

    async def use(name: str, *, retry: bool) -> None:
        place = await take_one(slots, Urgency.RETRY if retry else Urgency.FIRST, "a")
        order.append(name)
        slots.release(place)

    held = await take_one(slots, Urgency.FIRST, "a")
    waiting = [
        asyncio.create_task(use(name, retry=name.startswith("retry"))) for name in ("first-1", "first-2", "retry")
    ]
    await turns()
    slots.release(held)
    await asyncio.gather(*waiting)
    assert order == ["retry", "first-1", "first-2"]


async def test_a_cancelled_wait_gives_its_place_to_the_next() -> None:
    slots = Slots(1, Closing())
    held = await take_one(slots, Urgency.FIRST, "a")
    gone, stays = (asyncio.create_task(take_one(slots, Urgency.FIRST, "a")) for _ in range(2))
    await turns()
    slots.release(held)  # the place is given to `gone` ...
    gone.cancel()  # ... which is cancelled before it can use it
    await asyncio.gather(gone, return_exceptions=True)
    await asyncio.wait_for(stays, 1)
    assert slots.taken == 1


async def test_closing_ends_every_wait_and_refuses_new_ones() -> None:
    closing = Closing()
    slots = Slots(1, closing)
    held = await take_one(slots, Urgency.FIRST, "a")
    waiting = asyncio.create_task(take_one(slots, Urgency.RETRY, "a"))
    sleeping = asyncio.create_task(closing.sleep(3600))
    await turns()
    closing.begin()
    for wait in (waiting, sleeping, asyncio.create_task(take_one(slots, Urgency.FIRST, "a"))):
        with pytest.raises(HandedBack):
            await wait
    slots.release(held)
    assert slots.taken == 0


async def test_a_campaign_at_its_limit_leaves_the_next_places_to_others() -> None:
    slots = Slots(3, Closing(), {"slow": 1}.get)
    slow = await take_one(slots, Urgency.FIRST, "slow")
    second = asyncio.create_task(take_one(slots, Urgency.RETRY, "slow"))
    await turns()
    held = await take_one(slots, Urgency.FIRST, "a")
    await take_one(slots, Urgency.FIRST, "a")
    other = asyncio.create_task(take_one(slots, Urgency.FIRST, "a"))
    await turns()
    slots.release(held)
    await other
    assert not second.done()
    slots.release(slow)
    await second
    assert slots.taken == 3


async def test_a_place_that_nobody_may_take_stays_free() -> None:
    slots = Slots(1, Closing(), {"slow": 0}.get)
    waits = asyncio.create_task(take_one(slots, Urgency.FIRST, "slow"))
    await turns()
    slots.release(await take_one(slots, Urgency.FIRST, "a"))
    await take_one(slots, Urgency.FIRST, "a")
    assert not waits.done()
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)


def lanes(places: int = 10) -> Slots:
    return Slots(places, Closing(), shares=shares(places, lanes=2, lane_share=0.8, urgent=True, urgent_reserve=0.05))


async def test_a_lane_that_hangs_leaves_the_others_their_places_and_its_own_urgent_ones_some_of_theirs() -> None:
    slots = lanes(100)
    hang = [asyncio.create_task(take_one(slots, Urgency.FIRST, "hangs", "standard")) for _ in range(200)]
    urgent = [asyncio.create_task(take_one(slots, Urgency.URGENT, "hangs-urgently", "standard")) for _ in range(200)]
    await turns()
    assert slots.bounds.taken_of["standard"] == 80
    others = [asyncio.create_task(take_one(slots, Urgency.FIRST, "b", "high-throughput")) for _ in range(200)]
    await turns()
    assert slots.bounds.taken_of["high-throughput"] == 19
    await take_one(slots, Urgency.URGENT, "c", "high-throughput")
    for task in (*hang, *urgent, *others):
        task.cancel()
    await asyncio.gather(*hang, *urgent, *others, return_exceptions=True)


async def test_who_is_turned_away_waits_no_more_and_retries_stay() -> None:
    slots = Slots(1, Closing())
    held = await take_one(slots, Urgency.FIRST, "a")
    first = asyncio.create_task(take_one(slots, Urgency.FIRST, "a"))
    retry = asyncio.create_task(take_one(slots, Urgency.RETRY, "a", first=False))
    other = asyncio.create_task(take_one(slots, Urgency.FIRST, "b"))
    await turns()
    slots.turn_away(["a"])
    with pytest.raises(TurnedAway):
        await first
    slots.release(held)
    slots.release(await retry)
    slots.release(await other)
    assert slots.taken == 0


class Clock:
    """Time that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def waits_behind(seconds: float, rounds: int = 1) -> Waits:
    """What a trigger waits for that comes when 4 calls are sent into 4 places, each of which lasts so long."""
    clock = Clock()
    slots = Slots(4, Closing(), monotonic=clock)
    for _ in range(rounds):
        places = [await take_one(slots, Urgency.FIRST, "a") for _ in range(4)]
        for place in places:
            slots.sent(place)
        waiting = asyncio.create_task(take_one(slots, Urgency.FIRST, "a"))
        await turns()
        clock.now += seconds
        for place in places:
            slots.release(place)
        place = await waiting
        slots.release(place)
    return place.waits


@pytest.mark.parametrize(("seconds", "ours"), [(0.2, 1.0), (1.9, 1.0), (4.0, 1 / 16), (25.0, 0.01), (60.0, 1 / 240)])
async def test_a_wait_for_a_place_is_congestion_as_far_as_calls_are_slow(seconds: float, ours: float) -> None:
    waits = await waits_behind(seconds)
    assert waits.slot == pytest.approx(ours * seconds, rel=1e-3)
    assert waits.slot + waits.congestion == pytest.approx(seconds)


@pytest.mark.parametrize("spread", [0.0, 0.001, 0.3])
async def test_calls_that_all_end_at_once_hand_all_their_places_on_as_slowly(spread: float) -> None:
    clock = Clock()
    slots = Slots(10, Closing(), monotonic=clock)
    places = [await take_one(slots, Urgency.FIRST, "slow") for _ in range(10)]
    for place in places:
        slots.sent(place)
    waiting = [asyncio.create_task(take_one(slots, Urgency.FIRST, "a")) for _ in range(10)]
    await turns()
    clock.now = 10.0
    for place in places:
        slots.release(place)
        clock.now += spread
    total = sum([(await one).waits for one in waiting], Waits())
    assert total.slot < 0.1 * total.congestion, "each of the ten would have waited for a quarter of a second"


async def test_who_waits_for_the_few_places_that_hanging_calls_left_waits_for_adobes_sake() -> None:
    clock = Clock()
    slots = Slots(10, Closing(), monotonic=clock)
    for _ in range(8):
        slots.sent(await take_one(slots, Urgency.FIRST, "hangs"))
    clock.now = 5.0
    places = [await take_one(slots, Urgency.FIRST, "a") for _ in range(2)]
    waiting = [asyncio.create_task(take_one(slots, Urgency.FIRST, "a")) for _ in range(100)]
    await turns()
    done: list[Waits] = []
    while waiting:
        for place in places:
            slots.sent(place)
        clock.now += 0.2
        for place in places:
            slots.release(place)
        places = [await waiting.pop(0), await waiting.pop(0)]
        done += [place.waits for place in places]
    total = sum(done, Waits())
    assert total.congestion > 3 * total.slot, "with ten places it would have taken a fifth of the time"


async def test_a_steady_stream_that_would_have_had_its_places_waits_for_adobes_sake_alone() -> None:
    """4 places, a call each second of 6 s: with calls of 2 s nobody would wait."""
    clock = Clock()
    slots = Slots(4, Closing(), monotonic=clock)
    waiting: list[asyncio.Task[Place]] = []
    ends: list[tuple[float, Place]] = []
    waits: list[Waits] = []
    for _ in range(240):
        clock.now += 0.5
        if clock.now == int(clock.now):
            waiting.append(asyncio.create_task(take_one(slots, Urgency.FIRST, "a")))
        while ends and ends[0][0] <= clock.now:
            slots.release(ends.pop(0)[1])
        await turns()
        while waiting and waiting[0].done():
            place = waiting.pop(0).result()
            slots.sent(place)
            waits.append(place.waits)
            ends.append((clock.now + 6.0, place))
    total = sum((wait for wait in waits), Waits())
    assert total.congestion > 100
    assert total.slot < 0.1 * total.congestion
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
