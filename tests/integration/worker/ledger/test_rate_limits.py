"""Blocks of permits never overlap, however many workers lease them; a 429 stretches them for a while."""

import asyncio
from itertools import pairwise

import asyncpg
import pytest
from ajo_worker.ledger.rate_limits import LOCK_TIMEOUT, Leases, lease, slow_down, slowed
from ajo_worker.ledger.shared_connection import SharedConnection

from tests.integration.worker.ledger.workers import until, waiting

SCOPE, BLOCK, RECOVERY = "lane:standard", 0.05, 60.0


async def left_of(connection: asyncpg.Connection, seconds: float) -> float:
    """In how many seconds the next block ends."""
    left, _ = await lease(connection, SCOPE, seconds, RECOVERY)
    return left


async def end_of(connection: asyncpg.Connection, seconds: float) -> float:
    """When the next block ends, by the database's clock."""
    async with connection.transaction():  # until its end nobody else takes a block
        await lease(connection, SCOPE, seconds, RECOVERY)
        return float(await connection.fetchval("select extract(epoch from next_at)::float8 from ledger.rate_limits"))


async def test_blocks_of_many_workers_follow_one_another(database_url: str, connection: asyncpg.Connection) -> None:
    workers = [await asyncpg.connect(database_url) for _ in range(4)]

    async def some(worker: asyncpg.Connection) -> list[float]:
        return [await end_of(worker, 1.0) for _ in range(10)]

    try:
        ends = sorted(end for ends in await asyncio.gather(*map(some, workers)) for end in ends)
    finally:
        for worker in workers:
            await worker.close()
    assert len(ends) == 40
    assert all(later - earlier > 0.999 for earlier, later in pairwise(ends))


async def test_time_in_which_nobody_leased_is_not_made_up_for(connection: asyncpg.Connection) -> None:
    await lease(connection, SCOPE, BLOCK, RECOVERY)
    await connection.execute("update ledger.rate_limits set next_at = now() - interval '1 hour'")
    assert await left_of(connection, BLOCK) > 0


async def test_a_clock_that_was_set_back_stops_nothing_for_long(connection: asyncpg.Connection) -> None:
    await lease(connection, SCOPE, BLOCK, RECOVERY)
    await connection.execute("update ledger.rate_limits set next_at = now() + interval '1 hour'")
    assert await left_of(connection, BLOCK) < 202 * BLOCK


async def test_a_rate_is_lowered_once_a_second_and_grows_back(connection: asyncpg.Connection) -> None:
    async def stretch() -> float:
        """How much longer than at the full rate a block is."""
        before = await end_of(connection, 10.0)
        return (await end_of(connection, 10.0) - before) / 10.0

    assert await stretch() == pytest.approx(1.0, rel=0.05)
    await slow_down(connection, SCOPE, 0.5, RECOVERY)
    await slow_down(connection, SCOPE, 0.5, RECOVERY)
    assert await stretch() == pytest.approx(2.0, rel=0.05)
    assert await slowed(connection, RECOVERY) == {SCOPE}
    await connection.execute("update ledger.rate_limits set slowed_at = now() - interval '1.5 seconds'")
    await slow_down(connection, SCOPE, 0.5, RECOVERY)
    assert await stretch() == pytest.approx(1 / 0.2625, rel=0.05)
    await connection.execute("update ledger.rate_limits set slowed_at = now() - interval '61 seconds'")
    assert await stretch() == pytest.approx(1.0, rel=0.05)
    assert await slowed(connection, RECOVERY) == frozenset()


async def test_a_lease_says_which_part_of_its_rate_429s_have_left(connection: asyncpg.Connection) -> None:
    assert (await lease(connection, SCOPE, BLOCK, RECOVERY))[1] == pytest.approx(1.0)
    await slow_down(connection, SCOPE, 0.5, RECOVERY)
    assert (await lease(connection, SCOPE, BLOCK, RECOVERY))[1] == pytest.approx(0.5, rel=0.1)


async def test_a_rate_never_falls_to_nothing(connection: asyncpg.Connection) -> None:
    for _ in range(20):
        await slow_down(connection, SCOPE, 0.5, RECOVERY)
        await connection.execute("update ledger.rate_limits set slowed_at = now() - interval '1.1 seconds'")
    assert await connection.fetchval("select share from ledger.rate_limits") >= 0.01


async def test_a_limit_whose_row_somebody_keeps_locked_waits_and_the_others_go_on(database_url: str) -> None:
    """On another connection, where it is asked again: it was the one of all limits, which had a block in 3.5 s."""

    async def connect(**settings: str) -> asyncpg.Connection:
        return await asyncpg.connect(database_url, server_settings=settings)

    leases = Leases(SharedConnection(lambda: connect(lock_timeout=LOCK_TIMEOUT)), RECOVERY, connect)
    await leases.take(SCOPE, BLOCK)
    forgotten = await connect()
    transaction = forgotten.transaction()
    await transaction.start()
    await forgotten.execute("select from ledger.rate_limits where scope = $1 for update", SCOPE)
    kept_back = asyncio.create_task(leases.take(SCOPE, BLOCK))
    await until(lambda: waiting(database_url) == 1, "the lease waits for its row")
    for _ in range(20):
        assert (await leases.take("lane:high-throughput", BLOCK))[1] == 1.0
    assert not kept_back.done()
    await transaction.rollback()
    assert (await kept_back)[1] == (await leases.take(SCOPE, BLOCK))[1] == 1.0
    leases.close()
    await forgotten.close()
