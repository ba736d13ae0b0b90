"""Circuits are shared: whoever is first opens one, probes, and ends its outage; the others learn of it."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.outages.circuits import (
    answered,
    close_recovered,
    end_holds,
    hold,
    open_circuit,
    put_off_end,
    read,
    recover,
)
from ajo_worker.outages.probe_rights import claim_probe, note_probe, probe_failed, probe_now, put_off_probe
from uuid_utils.compat import uuid7

SCOPE = "destination:standard@platform.adobe.io"
ME, OTHER = uuid7(), uuid7()


async def beat(connection: asyncpg.Connection, worker: UUID, owner_timeout: float = 60.0) -> None:
    await connection.execute(
        "insert into ledger.workers "
        "(worker_id, hostname, pid, version, started_at, heartbeat_at, owner_timeout_seconds, budget_seconds, "
        "lanes) values ($1, 'host', 1, '0', now(), now(), $2, 60, '{}')",
        worker,
        owner_timeout,
    )


async def opened(connection: asyncpg.Connection, interval: float = 0.0) -> int:
    number = await open_circuit(connection, SCOPE, interval, "sustained-failures", str(ME), {"failures": 20})
    assert number is not None
    return number


async def test_two_workers_open_one_outage(connection: asyncpg.Connection) -> None:
    number = await opened(connection)
    assert await open_circuit(connection, SCOPE, 5.0, "suspected-cosmos", str(OTHER), {}) is None
    outages = await connection.fetch("select * from ledger.outages")
    assert [(row["outage_id"], row["reason"], row["opened_by"], row["ended_at"]) for row in outages] == [
        (number, "sustained-failures", str(ME), None)
    ]
    circuit = (await read(connection))[SCOPE]
    assert (circuit.state, circuit.outage_id, circuit.ended_at) == ("open", number, None)


async def test_one_worker_probes_at_a_time_and_none_before_it_is_due(connection: asyncpg.Connection) -> None:
    await beat(connection, ME)
    number = await opened(connection, interval=0.0)
    assert (await read(connection))[SCOPE].probe_due
    assert await claim_probe(connection, SCOPE, ME, 60.0) == number
    assert await claim_probe(connection, SCOPE, OTHER, 60.0) is None
    await put_off_probe(connection, SCOPE, ME, 60.0)
    assert await claim_probe(connection, SCOPE, OTHER, 60.0) is None


@pytest.mark.parametrize(("seconds", "owner_timeout"), [(0.0, 60.0), (60.0, 0.0)], ids=["too long", "dead"])
async def test_the_probe_of_a_dead_worker_or_of_one_that_takes_too_long_is_another_ones(
    connection: asyncpg.Connection, seconds: float, owner_timeout: float
) -> None:
    await beat(connection, ME, owner_timeout)
    number = await opened(connection)
    assert await claim_probe(connection, SCOPE, ME, seconds) == number
    assert await claim_probe(connection, SCOPE, OTHER, 60.0) == number


async def test_an_answer_ends_the_outage_that_it_refutes_and_no_later_one(connection: asyncpg.Connection) -> None:
    number = await opened(connection)
    assert await answered(connection, SCOPE, number, ME)
    assert not await answered(connection, SCOPE, number, OTHER)
    row = await connection.fetchrow("select ended_by, ended_at from ledger.outages where outage_id = $1", number)
    assert (row["ended_by"], row["ended_at"] is not None) == (str(ME), True)
    assert (await read(connection))[SCOPE].state == "recovering"
    again = await opened(connection)
    assert not await answered(connection, SCOPE, number, ME)
    assert (await read(connection))[SCOPE].outage_id == again
    await hold(connection, SCOPE, "why", "jane")
    assert not await answered(connection, SCOPE, again, ME), "nor what an operator holds"


async def test_the_time_between_probes_doubles_up_to_its_limit(connection: asyncpg.Connection) -> None:
    await opened(connection, interval=4.0)
    for expected in (8.0, 10.0, 10.0):
        await probe_now(connection, SCOPE)
        assert await claim_probe(connection, SCOPE, ME, 60.0)
        await probe_failed(connection, SCOPE, ME, 10.0)
        row = await connection.fetchrow(
            "select probe_interval_seconds as kept, probing_by, probe_at > clock_timestamp() + "
            "make_interval(secs => probe_interval_seconds - 1) as later from ledger.circuits"
        )
        assert (row["kept"], row["probing_by"], row["later"]) == (expected, None, True)


async def test_a_probe_that_waited_in_vain_for_its_answer_needs_no_pause_afterwards(
    connection: asyncpg.Connection,
) -> None:
    await opened(connection, interval=30.0)
    await probe_now(connection, SCOPE)
    assert await claim_probe(connection, SCOPE, ME, 60.0)
    await probe_failed(connection, SCOPE, ME, 60.0, 61.0)
    assert (await read(connection))[SCOPE].probe_due


async def test_an_accepted_probe_ends_the_outage_and_after_a_while_the_circuit_is_closed(
    connection: asyncpg.Connection,
) -> None:
    number = await opened(connection)
    await note_probe(connection, number, uuid7(), ME, accepted=True, found="202")
    assert await recover(connection, SCOPE, str(ME)) == number
    circuit = (await read(connection))[SCOPE]
    assert circuit.state == "recovering"
    assert circuit.ended_at is not None
    assert await close_recovered(connection, 60.0) == []
    assert await close_recovered(connection, 0.0) == [SCOPE]
    assert (await read(connection))[SCOPE].state == "closed"
    assert await connection.fetchval("select ended_by from ledger.outages") == str(ME)


async def test_what_fails_again_while_it_recovers_is_a_new_outage(connection: asyncpg.Connection) -> None:
    first = await opened(connection)
    await recover(connection, SCOPE, str(ME))
    second = await opened(connection)
    assert second != first
    assert (await read(connection))[SCOPE].outage_id == second


async def test_what_an_operator_holds_is_not_probed_nor_opened(connection: asyncpg.Connection) -> None:
    number = await hold(connection, SCOPE, "maintenance", "olga")
    assert number is not None
    assert await hold(connection, SCOPE, "again", "olga") is None
    assert await open_circuit(connection, SCOPE, 0.0, "sustained-failures", str(ME), {}) is None
    assert await claim_probe(connection, SCOPE, ME, 60.0) is None
    assert await probe_now(connection, SCOPE) is None
    row = await connection.fetchrow("select reason, opened_by, evidence->>'why' as why from ledger.outages")
    assert tuple(row) == ("held", "olga", "maintenance")
    assert await recover(connection, SCOPE, "olga") == number


async def test_what_nothing_keeps_back_can_t_be_resumed(connection: asyncpg.Connection) -> None:
    assert await recover(connection, SCOPE, "olga") is None


async def test_a_hold_ends_the_outage_that_it_replaces(connection: asyncpg.Connection) -> None:
    first = await opened(connection)
    second = await hold(connection, SCOPE, "maintenance", "olga")
    rows = await connection.fetch("select outage_id, ended_by from ledger.outages order by outage_id")
    assert [tuple(row) for row in rows] == [(first, "olga"), (second, None)]


async def test_a_probe_ends_no_hold_and_no_outage_that_it_does_not_probe(connection: asyncpg.Connection) -> None:
    await beat(connection, ME)
    number = await opened(connection)
    assert await recover(connection, SCOPE, str(OTHER), OTHER) is None
    assert await claim_probe(connection, SCOPE, ME, 60.0) == number
    await hold(connection, SCOPE, "maintenance", "olga")
    assert await recover(connection, SCOPE, str(ME), ME) is None
    assert (await read(connection))[SCOPE].state == "held"


async def test_a_probe_that_was_accepted_ends_its_outage(connection: asyncpg.Connection) -> None:
    await beat(connection, ME)
    number = await opened(connection)
    await claim_probe(connection, SCOPE, ME, 60.0)
    assert await recover(connection, SCOPE, str(ME), ME) == number


async def test_a_hold_ends_by_itself_at_its_until_and_not_before_and_operators_may_put_that_off(
    connection: asyncpg.Connection,
) -> None:
    now, token = await connection.fetchval("select now()"), "token:ims.example.com"
    later, over = now + timedelta(hours=1), now - timedelta(seconds=1)
    number = await hold(connection, SCOPE, "repair", "olga", later)
    assert await put_off_end(connection, "campaign:order-shipped", later) is None, "it isn't held"
    assert await hold(connection, "campaign:order-shipped", "repair", "olga") is not None
    assert await hold(connection, token, "repair", "olga", over) is not None
    assert await end_holds(connection) == [token]
    assert await put_off_end(connection, SCOPE, over) == number
    assert await end_holds(connection) == [SCOPE]
    assert await end_holds(connection) == [], "once"
    assert {scope: circuit.state for scope, circuit in (await read(connection)).items()} == {
        SCOPE: "recovering",
        "campaign:order-shipped": "held",
        token: "closed",
    }
    rows = await connection.fetch(
        "select scope, ended_by, recovered_at from ledger.outages where ended_at is not null order by scope"
    )
    assert [(row["scope"], row["ended_by"], row["recovered_at"] is None) for row in rows] == [
        (SCOPE, "its until", True),
        (token, "its until", False),
    ]
    assert await put_off_end(connection, SCOPE, later) is None, "it is over"
