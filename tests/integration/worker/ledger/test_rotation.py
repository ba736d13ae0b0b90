"""Held payloads come under the newest key whoever else is at work on them, and leave no plain byte in the table."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_worker.ledger.passes import BATCH, PASSES
from ajo_worker.payloads.rotation import Rotation, rotate

from tests.support.database import query
from tests.support.held_payloads import Held, put_held, read_held

Connect = Callable[[], Awaitable[asyncpg.Connection]]

OLD, NEW, LOST = new_key(), new_key(), new_key()
OLDER, BOTH, STRANGER = Sealer.from_keys(OLD), Sealer.from_keys(f"{NEW},{OLD}"), Sealer.from_keys(LOST)
NEWEST = key_id_of(NEW)
ADDRESS = b"ada@example.com"

LOCK = "select from ledger.held_payloads where request_id = any($1) for update"
BYTES = "select pg_read_binary_file(pg_relation_filepath('ledger.held_payloads')) as bytes"


def payload(number: int) -> bytes:
    return b'{"to":"%s","id":%d}' % (ADDRESS, number)


def sealed(number: int, sealer: Sealer = OLDER) -> Held:
    return sealer.seal(payload(number))


def ignore(_: int) -> None:
    """Nobody watches the progress."""


async def impatient(connect: Connect) -> asyncpg.Connection:
    """A connection that fails where it would wait for a lock."""
    connection = await connect()
    await connection.execute("set lock_timeout = '1s'")
    return connection


async def no_pause(_: float) -> None:
    """The next pass begins at once."""


def on_disk(url: str) -> bytes:
    """All bytes of the table's file."""
    query(url, "checkpoint")
    return bytes(query(url, BYTES)[0]["bytes"])


async def test_old_and_plain_payloads_come_under_the_newest_key_in_batches(
    connection: asyncpg.Connection, database_url: str
) -> None:
    numbers = range(2 * BATCH + 3)
    rows = [(None, payload(number)) if number % 3 else sealed(number) for number in numbers]
    ids = put_held(database_url, [*rows, sealed(-1, BOTH)])
    told: list[int] = []
    done = await rotate(connection, BOTH, told.append)
    assert done == Rotation(resealed=len(numbers))
    assert told == [BATCH, 2 * BATCH, 2 * BATCH + 3]
    found = read_held(database_url)
    assert {key_id for key_id, _ in found.values()} == {NEWEST}
    assert [BOTH.open(*found[request_id]) for request_id in ids] == [payload(number) for number in (*numbers, -1)]
    assert await rotate(connection, BOTH, ignore) == Rotation()
    assert read_held(database_url) == found, "what is under the newest key is not touched"


async def test_nothing_held_is_nothing_to_do(connection: asyncpg.Connection) -> None:
    assert await rotate(connection, BOTH, ignore) == Rotation()


async def test_unknown_keys_and_broken_seals_are_told_and_stay_while_all_others_are_resealed(
    connection: asyncpg.Connection, database_url: str
) -> None:
    strange, broken = sealed(1, STRANGER), (key_id_of(OLD), b"not a seal")
    put_held(database_url, [strange] * 2)
    kept = put_held(database_url, [broken] * (BATCH + 1))
    good = put_held(database_url, [sealed(number) for number in range(3)])
    done = await rotate(connection, BOTH, ignore, no_pause)
    assert (done.resealed, done.left, done.unknown) == (3, 0, {key_id_of(LOST): 2})
    assert done.broken == kept
    found = read_held(database_url)
    assert {found[request_id] for request_id in kept} == {broken}
    assert {found[request_id][0] for request_id in good} == {NEWEST}
    assert list(found.values()).count(strange) == 2


async def test_locked_rows_are_passed_by_and_taken_once_they_are_free(connect: Connect, database_url: str) -> None:
    ids = put_held(database_url, [sealed(number) for number in range(BATCH + 20)])
    locked = [ids[0], ids[7], ids[-1]]
    other = await connect()
    await other.execute("begin")
    await other.fetch(LOCK, locked)
    before: list[set[str | None]] = []

    async def unlock(_: float) -> None:
        found = read_held(database_url)
        before.append({found[request_id][0] for request_id in locked})
        before.append({found[request_id][0] for request_id in set(ids) - set(locked)})
        await other.execute("rollback")

    done = await rotate(await impatient(connect), BOTH, ignore, unlock)
    assert before == [{key_id_of(OLD)}, {NEWEST}]
    assert done == Rotation(resealed=len(ids))


async def test_rows_that_stay_locked_are_counted_and_never_waited_for(connect: Connect, database_url: str) -> None:
    ids = put_held(database_url, [sealed(number) for number in range(5)])
    other = await connect()
    await other.execute("begin")
    await other.fetch(LOCK, ids[:2])
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    assert await rotate(await impatient(connect), BOTH, ignore, note) == Rotation(resealed=3, left=2)
    assert len(pauses) == PASSES - 1
    await other.execute("rollback")
    assert await rotate(await impatient(connect), BOTH, ignore) == Rotation(resealed=2)


async def test_what_a_worker_writes_or_deletes_meanwhile_stays_so(connect: Connect, database_url: str) -> None:
    ids = put_held(database_url, [sealed(number) for number in range(4)])
    worker, written, still_old = await connect(), sealed(100, BOTH), sealed(101)
    await worker.execute("begin")
    change = "update ledger.held_payloads set key_id = $2, payload = $3 where request_id = $1"
    await worker.execute(change, ids[0], *written)
    await worker.execute(change, ids[1], *still_old)
    await worker.execute("delete from ledger.held_payloads where request_id = $1", ids[2])

    async def commit(_: float) -> None:
        await worker.execute("commit")

    assert await rotate(await impatient(connect), BOTH, ignore, commit) == Rotation(resealed=2)
    found = read_held(database_url)
    assert set(found) == {ids[0], ids[1], ids[3]}
    assert found[ids[0]] == written
    assert [BOTH.open(*found[request_id]) for request_id in (ids[1], ids[3])] == [payload(101), payload(3)]


async def test_two_rotations_at_once_share_the_work(connect: Connect, database_url: str) -> None:
    ids = put_held(database_url, [sealed(number) for number in range(4 * BATCH)])
    connections = [await connect(), await connect()]
    both = await asyncio.gather(*(rotate(connection, BOTH, ignore, no_pause) for connection in connections))
    assert sum(done.resealed for done in both) == len(ids)
    assert not any(done.unknown or done.broken for done in both)
    found = read_held(database_url)
    assert [BOTH.open(*found[request_id]) for request_id in ids] == [payload(number) for number in range(len(ids))]
    assert {key_id for key_id, _ in found.values()} == {NEWEST}


async def test_a_sealed_address_is_nowhere_in_the_table_and_a_plain_one_goes_with_the_next_rewrite(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_held(database_url, [sealed(number) for number in range(50)])
    assert ADDRESS not in on_disk(database_url)
    put_held(database_url, [(None, payload(number)) for number in range(50)])
    assert ADDRESS in on_disk(database_url), "this is how a plain one would be seen"
    await rotate(connection, BOTH, ignore)
    with_address = "select from ledger.held_payloads where position($1::bytea in payload) > 0"
    assert query(database_url, with_address, ADDRESS) == []
    query(database_url, "vacuum full ledger.held_payloads")
    assert ADDRESS not in on_disk(database_url)
