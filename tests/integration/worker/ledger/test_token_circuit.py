"""The token endpoint's circuit: on record from the first worker without a token to the last, and for nobody else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.outages import circuits, probe_rights
from ajo_worker.outages.token_circuit import end_if_all_have_tokens, let_go, open_circuit
from uuid_utils.compat import uuid7

SCOPE = "token:ims.example.com"
FAILURE = "token endpoint: status 503"
ME, OTHER = uuid7(), uuid7()
BEGAN = datetime.now(UTC) - timedelta(seconds=7)


async def put_worker(
    connection: asyncpg.Connection, worker: UUID, *, fails: bool = False, owner_timeout: float = 60.0
) -> None:
    await connection.execute(
        "insert into ledger.workers (worker_id, hostname, pid, version, started_at, heartbeat_at, token_failed_at, "
        "owner_timeout_seconds, budget_seconds, lanes) "
        "values ($1, 'host', 1, '0', now(), now(), case when $2 then now() end, $3, 60, '{}')",
        worker,
        fails,
        owner_timeout,
    )


async def opened(connection: asyncpg.Connection, worker: UUID = ME) -> int | None:
    return await open_circuit(connection, SCOPE, "token-unavailable", worker, BEGAN, FAILURE)


async def outage(connection: asyncpg.Connection) -> asyncpg.Record:
    (found,) = await connection.fetch("select * from ledger.outages")
    return found


async def test_it_is_opened_once_and_counts_from_when_its_worker_had_no_token(connection: asyncpg.Connection) -> None:
    for worker in (ME, OTHER):
        await put_worker(connection, worker)
    number = await opened(connection)
    assert number is not None
    assert await opened(connection, OTHER) is None
    found = await outage(connection)
    assert (found["opened_at"], found["reason"], found["opened_by"]) == (BEGAN, "token-unavailable", str(ME))
    circuit = (await circuits.read(connection))[SCOPE]
    assert (circuit.state, circuit.probe_due) == ("open", False)
    assert await probe_rights.probe_now(connection, "campaign:none") is None


async def test_it_ends_when_no_living_worker_but_the_one_with_a_token_fails(connection: asyncpg.Connection) -> None:
    for worker in (ME, OTHER):
        await put_worker(connection, worker)
    number = await opened(connection, OTHER)
    assert await end_if_all_have_tokens(connection, ME) == [], "it says so in the moment in which it opens"
    assert await end_if_all_have_tokens(connection, OTHER) == [SCOPE]
    found = await outage(connection)
    assert (found["outage_id"], found["ended_by"]) == (number, str(OTHER))
    assert found["ended_at"] == found["recovered_at"], "nothing ramps up"
    assert await end_if_all_have_tokens(connection, OTHER) == []
    assert await opened(connection, OTHER) not in (None, number), "it may come again"


@pytest.mark.parametrize("dead", [False, True])
async def test_a_dead_worker_keeps_no_outage_on_record(connection: asyncpg.Connection, dead: bool) -> None:
    await put_worker(connection, ME)
    await put_worker(connection, OTHER, owner_timeout=0.0 if dead else 60.0)
    await opened(connection, OTHER)
    assert await end_if_all_have_tokens(connection, ME) == ([SCOPE] if dead else [])


async def test_an_operators_hold_ends_with_the_operator_alone(connection: asyncpg.Connection) -> None:
    await put_worker(connection, ME)
    await opened(connection)
    number = await circuits.hold(connection, SCOPE, "rotation", "olga")
    assert await opened(connection) is None
    assert await end_if_all_have_tokens(connection, ME) == []
    assert (await circuits.read(connection))[SCOPE].state == "held"
    assert await let_go(connection, SCOPE, "olga") == number
    assert (await circuits.read(connection))[SCOPE].state == "closed"
    assert await let_go(connection, SCOPE, "olga") is None
    ended = await connection.fetch("select ended_by, ended_at from ledger.outages")
    assert [row["ended_by"] for row in ended] == ["olga", "olga"]
