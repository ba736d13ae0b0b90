"""What commands that read the ledger are told when the database gives up: never that it is a fault of ours."""

import asyncpg
import pytest
from ajo_worker.ledger.database import READER, DatabaseError, connected, snapshot


async def test_a_reader_waits_for_no_lock_that_somebody_forgot(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert READER["lock_timeout"] == "10s"
    monkeypatch.setitem(READER, "lock_timeout", "10ms")
    forgotten = await asyncpg.connect(database_url)
    try:
        async with forgotten.transaction():
            await forgotten.execute("lock table ledger.triggers in access exclusive mode")
            with pytest.raises(DatabaseError, match=r"another session keeps locked: SELECT .* pg_stat_activity"):
                async with snapshot(database_url) as reader:
                    await reader.fetch("select from audit.triggers")
            ours = await forgotten.fetch(
                "select pid from pg_locks join pg_stat_activity using (pid) where mode = 'AccessExclusiveLock'"
            )
            assert {row["pid"] for row in ours} == {forgotten.get_server_pid()}
    finally:
        await forgotten.close()


async def test_a_statement_timeout_of_the_role_is_told_as_such(database_url: str) -> None:
    with pytest.raises(DatabaseError, match="refuses: canceling statement due to statement timeout"):
        async with connected(database_url, {"statement_timeout": "10ms"}) as reader:
            await reader.fetch("select pg_sleep(60)")


async def test_a_number_that_a_view_can_not_compute_is_a_fault_of_ours(database_url: str) -> None:
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        async with connected(database_url) as reader:
            await reader.fetch("select 3e9::int")
