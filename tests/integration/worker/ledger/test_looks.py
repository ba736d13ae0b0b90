"""Looks into the broker: one worker looks for all, and what is on record afterwards is what an auditor asks for."""

import re
import secrets
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from ajo_worker.ledger.looks import claim, record, record_rates
from ajo_worker.ledger.rate_limits import slow_down
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.queues.looking import Looking

from tests.support.backlog_rows import put_campaign, put_pacing_worker
from tests.support.database import query

QUEUE, OTHER = "ajo-dispatch.standard", "ajo-dispatch.high-throughput"
LANES = {QUEUE: "standard", OTHER: "high-throughput"}
CAMPAIGN = "order-shipped"


async def later(connection: asyncpg.Connection, seconds: float) -> None:
    """Have so much time gone by since all that is on record."""
    back = "- make_interval(secs => $1)"
    await connection.execute(
        f"update ledger.queues set asked_at = asked_at {back}, looked_at = looked_at {back}", seconds
    )
    await connection.execute(f"update ledger.backlogs set looked_at = looked_at {back}", seconds)
    await connection.execute(
        f"update ledger.rate_limits set slowed_at = slowed_at {back}, slowed_since = slowed_since {back}", seconds
    )


async def test_whoever_is_first_looks_for_all_and_after_ten_seconds_anybody_may_again(
    connection: asyncpg.Connection,
) -> None:
    assert sorted(await claim(connection, LANES)) == [OTHER, QUEUE]
    assert await claim(connection, LANES) == []
    await later(connection, 8)
    assert await claim(connection, LANES) == []
    await later(connection, 2)
    assert len(await claim(connection, LANES)) == 2, "also if nothing was seen: the broker was away from the first one"


async def test_a_backlog_has_a_row_for_each_look_and_an_empty_queue_one_in_five_minutes(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_pacing_worker(database_url, unopened=f'{{"{QUEUE}": 3}}')
    await claim(connection, LANES)
    for seconds, messages in ((10, 7), (10, 8), (10, 0), (10, 0), (10, 3), (10, 0), (10, 0)):
        await record(connection, {QUEUE: messages, OTHER: 0})
        await later(connection, seconds)
        if messages == 8:
            await connection.execute("update ledger.workers set unopened = '{}'")
    rows = query(database_url, "select queue, messages, unopened from audit.backlogs order by looked_at")
    assert [(row["messages"], row["unopened"]) for row in rows if row["queue"] == QUEUE] == [
        (7, 3), (8, 3), (0, 0), (3, 0), (0, 0)
    ]  # fmt: skip
    assert len([row for row in rows if row["queue"] == OTHER]) == 1
    await later(connection, 240)
    await record(connection, {QUEUE: 0, OTHER: 0})
    assert len(query(database_url, "select 1 from audit.backlogs")) == len(rows) + 1, "five minutes after its last one"
    (row,) = query(database_url, "select * from audit.queues where queue = $1", QUEUE)
    assert (row["messages"], row["lane"]) == (0, "standard")


async def test_an_auditor_can_ask_afterwards_whether_the_rate_was_slowed_and_how_many_waited(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_pacing_worker(database_url, waiting=f'{{"standard": {{"{CAMPAIGN}": 480, "calm": 2}}}}')
    for name in (CAMPAIGN, "calm"):
        put_campaign(database_url, name)
    await slow_down(connection, f"campaign:{CAMPAIGN}", 0.25, 20.0)
    await record_rates(connection)
    await record_rates(connection)
    await connection.execute("delete from ledger.rate_limits")
    rows = {row["campaign"]: row for row in query(database_url, "select * from audit.rates")}
    assert rows.keys() == {CAMPAIGN, "calm"}, "once in ten seconds"
    slowed, calm = rows[CAMPAIGN], rows["calm"]
    assert (slowed["cause"], slowed["lane"], slowed["waiting"], slowed["rate_limit"]) == (
        "throttle",
        "standard",
        480,
        500,
    )
    assert 0.25 <= slowed["share"] < 1
    assert slowed["calls_per_second"] == slowed["share"] * 500
    assert (calm["cause"], calm["share"], calm["waiting"]) == (None, None, 2)


async def test_a_campaign_is_slowed_since_the_first_429_after_it_had_been_at_its_full_rate(
    connection: asyncpg.Connection,
) -> None:
    async def since() -> datetime:
        moment: datetime = await connection.fetchval("select slowed_since from ledger.rate_limits")
        return moment

    scope, recovery = f"campaign:{CAMPAIGN}", 20.0
    await slow_down(connection, scope, 0.5, recovery)
    await later(connection, 8)
    first = await since()
    await slow_down(connection, scope, 0.5, recovery)
    assert await since() == first, "it had not grown back"
    await later(connection, 30)
    await slow_down(connection, scope, 0.5, recovery)
    assert await since() > first


async def test_where_the_broker_is_away_what_is_slowed_is_on_record_all_the_same_and_the_queues_are_not_known(
    connection: asyncpg.Connection, database_url: str
) -> None:
    def away(_: list[str]) -> dict[str, int]:
        raise OSError("ConnectionRefusedError")

    put_pacing_worker(database_url, waiting=f'{{"standard": {{"{CAMPAIGN}": 480}}}}')
    shared = SharedConnection(lambda: asyncpg.connect(database_url))
    with pytest.raises(OSError, match="Refused"):
        await Looking(shared, LANES, away, lambda: None).look()
    assert len(query(database_url, "select 1 from audit.rates")) == 1
    assert not query(database_url, "select 1 from audit.backlogs") + query(database_url, "select 1 from audit.queues")
    await later(connection, 10)
    await Looking(shared, LANES, lambda queues: dict.fromkeys(queues, 7), lambda: None).look()
    assert {row["messages"] for row in query(database_url, "select messages from audit.queues")} == {7}
    shared.close()


GRANTS = re.findall(r"^GRANT [^;]+ TO dispatch;", Path("docs/ledger.md").read_text(encoding="utf-8"), re.MULTILINE)


async def test_the_rights_that_the_docs_give_a_worker_are_enough(
    connection: asyncpg.Connection, database_url: str
) -> None:
    role = f"dispatch_{secrets.token_hex(6)}"
    query(database_url, f"create role {role}")
    try:
        for grant in GRANTS:
            query(database_url, grant.replace("TO dispatch", f"TO {role}"))
        await connection.execute(f"set role {role}")
        assert len(await claim(connection, LANES)) == 2
        await record_rates(connection)
        await record(connection, {QUEUE: 7})
        await connection.execute("reset role")
    finally:
        query(database_url, f"drop owned by {role}")
        query(database_url, f"drop role {role}")
