"""Permits are given out no faster than they are leased, and no wait is lost."""

import asyncio

import pytest
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.limits.permits import BLOCK_SECONDS, KEPT_SECONDS, Block, Permits, block_size
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.urgency import Urgency
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from tests.support.simulation.loops import Loop, World


class Office:
    """Gives out blocks of ``size`` permits, one after another, each of ``seconds``; ``faults`` leases fail first."""

    def __init__(self, size: int, seconds: float, faults: int = 0) -> None:
        self.size, self.seconds, self.faults = size, seconds, faults
        self.leases = 0
        self.next = 0.0

    async def lease(self) -> Block:
        await asyncio.sleep(0)
        if self.faults:
            self.faults -= 1
            raise OSError
        self.leases += 1
        begins = max(self.next, asyncio.get_running_loop().time())
        self.next = begins + self.seconds
        return Block(self.size, begins, self.next)


def permits(office: Office, closing: Closing | None = None) -> Permits:
    return Permits("lane:standard", office.lease, asyncio.get_running_loop().time, closing or Closing())


async def test_a_block_serves_many_and_is_leased_once() -> None:
    office = Office(size=10, seconds=60.0)
    limit = permits(office)
    await asyncio.gather(*(limit.take(Urgency.FIRST, "a") for _ in range(10)))
    assert office.leases == 1


async def test_the_next_block_is_waited_for() -> None:
    office = Office(size=2, seconds=0.2)
    limit, loop = permits(office), asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(limit.take(Urgency.FIRST, "a") for _ in range(5)))
    assert office.leases == 3
    assert loop.time() - began >= 0.4 - 0.01


async def test_the_urgent_go_first() -> None:
    office, order = Office(size=1, seconds=0.01), []
    limit = permits(office)

    async def use(name: str, urgency: Urgency) -> None:
        await limit.take(urgency, "a")
        order.append(name)

    await limit.take(Urgency.FIRST, "a")
    await asyncio.gather(use("first", Urgency.FIRST), use("retry", Urgency.RETRY), use("urgent", Urgency.URGENT))
    assert order == ["urgent", "retry", "first"]


async def test_a_failed_lease_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ajo_worker.limits.permits.PAUSE_AFTER_FAULT", 0.01)
    office = Office(size=1, seconds=0.01, faults=2)
    await permits(office).take(Urgency.FIRST, "a")
    assert office.faults == 0


@pytest.mark.parametrize(
    ("answers", "rate_limit", "ledger"),
    [
        ([0.0, 0.0, 0.0], 1.75, 0.0),
        ([0.0, 0.0, 0.9], 1.75, 0.0),  # in time for the next second
        ([0.0, 0.0, 20.0], 1.75, 19.0),
        ([0.0, 0.0, None, None, 18.5], 1.75, 18.5),
    ],
    ids=["at once", "in time", "late", "after two faults"],
)
def test_what_the_ledger_holds_back_longer_than_the_limit_would_is_a_wait_for_the_ledger(
    answers: list[float | None], rate_limit: float, ledger: float
) -> None:
    """A permit a second; ``answers`` are the seconds that each lease takes, or None for a fault."""
    world = World()
    loop = Loop(world)
    world.loops.append(loop)
    ends, found = 0.0, list[Waits]()

    async def lease() -> Block:
        nonlocal ends
        if (seconds := answers.pop(0)) is None:
            raise OSError
        await asyncio.sleep(seconds)
        begins = max(ends, world.now)
        ends = begins + 1.0
        return Block(1, begins, ends)

    limit = Permits("x", lease, lambda: world.now, Closing())

    async def take() -> None:
        found.append(await limit.take(Urgency.FIRST, "a"))

    loop.create_task(take())
    world.run(until=0.25)
    for _ in range(2):
        loop.create_task(take())
    assert world.run(until=lambda: len(found) == 3)
    assert astuple(found[1]) == pytest.approx(astuple(Waits(rate_limit=0.75)))
    assert astuple(found[2]) == pytest.approx(astuple(Waits(rate_limit=rate_limit, ledger=ledger)))
    loop.bury()


async def test_who_gives_up_waiting_keeps_nobody_from_a_permit() -> None:
    office = Office(size=1, seconds=0.02)
    limit = permits(office)
    await limit.take(Urgency.FIRST, "a")
    gone, stays = (asyncio.create_task(limit.take(Urgency.FIRST, "a")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await stays


async def test_a_stopping_worker_waits_for_nothing() -> None:
    closing = Closing()
    limit = permits(Office(size=1, seconds=60.0), closing)
    await limit.take(Urgency.FIRST, "a")
    waits = asyncio.create_task(limit.take(Urgency.FIRST, "a"))
    await asyncio.sleep(0)
    closing.begin()
    with pytest.raises(HandedBack):
        await waits


async def test_permits_that_are_there_can_be_had_at_once_by_many_unless_somebody_waits() -> None:
    async def lease() -> Block:
        return Block(5, 0.0, 1e9)

    permits = Permits("x", lease, lambda: 1.0, Closing())
    assert permits.there == 0, "nothing is leased yet"
    await permits.take(Urgency.FIRST, "a")
    assert permits.there == 4
    permits.take_now(3)
    assert permits.there == 1
    await permits.take(Urgency.FIRST, "a")
    waits = asyncio.create_task(permits.take(Urgency.FIRST, "a"))
    await asyncio.sleep(0)
    assert permits.there == 0
    await waits


@given(st.floats(1, 10_000))
def test_a_block_holds_what_its_time_allows_and_at_least_one(rate: float) -> None:
    assert max(rate * BLOCK_SECONDS, 1) <= block_size(rate) < rate * BLOCK_SECONDS + 1.0001


@pytest.mark.parametrize(
    ("now", "usable", "comes"),
    [
        (9.9, False, True),
        (10.0, True, False),
        (10.5, True, False),
        (11.0 + KEPT_SECONDS, True, False),
        (12.1, False, False),
    ],
)
def test_permits_are_good_from_their_begin_till_a_little_after_their_end(now: float, usable: bool, comes: bool) -> None:
    block = Block(2, 10.0, 11.0)
    assert (block.usable(now), block.comes(now)) == (usable, comes)
    assert not block.less(2).usable(now)
