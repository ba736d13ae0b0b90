"""What no living worker can send, for want of its definition, is told, goes on with the first that has it, or ends."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.ledger import unknown_definitions
from ajo_worker.ledger.admission import Admission, admit
from ajo_worker.outages.resumption import rescue, resume
from ajo_worker.views.overview import overview
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.rows import refused
from tests.support.database import query
from tests.support.ledger_rows import ago, put_attempt, put_worker

OLD, NEW = "0" * 16, "1" * 16
ME = uuid7()
DAY = 86_400.0


def parked(digest: str = NEW, reason: str = "definition-unknown", **changes: Any) -> Admission:
    """A new trigger that this worker parked."""
    usual: dict[str, Any] = {"state": "parked", "reason": reason, "completed_at": None, "resume_at": ago()}
    return refused(**{**usual, "call_digest": digest, **changes})


async def reasons(connection: asyncpg.Connection) -> dict[UUID, tuple[str, str]]:
    rows = await connection.fetch("select request_id, state, reason from ledger.triggers")
    return {row["request_id"]: (row["state"], row["reason"]) for row in rows}


async def lasting(connection: asyncpg.Connection) -> list[tuple[str, str, int, list[str]]]:
    await unknown_definitions.look(connection)
    found = await unknown_definitions.lasting(connection)
    return [(one.campaign, one.call_digest, one.triggers, one.others) for one in found]


async def backdate(connection: asyncpg.Connection, by: timedelta) -> None:
    await connection.execute("update ledger.held_payloads set held_at = held_at - $1::interval", by)
    await connection.execute("update ledger.unknown_definitions set began_at = began_at - $1::interval", by)
    await connection.execute(
        "update ledger.triggers set received_at = received_at - $1::interval, enqueued_at = enqueued_at - $1::interval",
        by,
    )


async def test_a_definition_is_unknown_until_a_living_worker_has_it_whatever_a_trigger_was_parked_for(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_worker(database_url, definitions=f'{{"order-shipped": ["{OLD}"]}}')
    outage, new, known, renamed = parked(reason="outage"), parked(), parked(OLD, "outage"), parked("", campaign="sent")
    await admit(connection, [outage, new, known, renamed])
    assert await lasting(connection) == [("order-shipped", NEW, 2, [OLD]), ("sent", "", 1, [])]
    unknown = ("parked", "definition-unknown")
    assert await reasons(connection) == {
        outage.request_id: unknown,
        new.request_id: unknown,
        known.request_id: ("parked", "outage"),
        renamed.request_id: unknown,
    }
    found = (await overview(connection, timedelta(hours=1))).unknown_definitions
    assert [(one.campaign, one.triggers) for one in found] == [("order-shipped", 2), ("sent", 1)]

    put_worker(database_url, definitions=f'{{"order-shipped": ["{NEW}", "{OLD}"], "sent": ["{OLD}"]}}')
    assert await lasting(connection) == []
    assert [row["ended_at"] is None for row in query(database_url, "select * from audit.unknown_definitions")] == [
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("definitions", "goes_on"),
    [
        ([("order-shipped", ""), ("order-shipped", NEW)], {"new", "any"}),
        ([("order-shipped", ""), ("order-shipped", OLD)], {"any"}),
        ([("order-shipped", ""), ("order-shipped", OLD), ("order-shipped", NEW)], {"new", "any"}),
        ([("order-sent", ""), ("order-sent", NEW)], set()),
        ([], set()),
    ],
)
async def test_a_parked_trigger_goes_on_with_a_worker_that_has_its_definition_alone(
    connection: asyncpg.Connection, definitions: list[tuple[str, str]], goes_on: set[str]
) -> None:
    rows = {"new": parked(), "any": parked("")}
    await admit(connection, list(rows.values()))
    resumed = {one.request_id: one.call_digest for one in await resume(connection, definitions, 10, ME)}
    assert resumed == {row.request_id: row.call_digest for name, row in rows.items() if name in goes_on}


async def test_what_a_dead_worker_had_resumed_is_taken_by_one_that_knows_it_or_by_any_if_none_does(
    connection: asyncpg.Connection, database_url: str
) -> None:
    dead = put_worker(database_url, heartbeat_at=ago(minutes=5), definitions=f'{{"order-shipped": ["{NEW}"]}}')
    mine = [("order-shipped", ""), ("order-shipped", OLD)]
    await admit(connection, [parked()])
    (taken,) = await resume(connection, [("order-shipped", NEW)], 10, dead)
    assert [one.request_id for one in await rescue(connection, mine, 10, ME)] == [taken.request_id]
    put_worker(database_url, definitions=f'{{"order-shipped": ["{NEW}"]}}')
    assert await rescue(connection, mine, 10, ME) == [], "somebody else can send it"


async def test_what_has_waited_for_too_long_is_a_dead_letter_and_its_wait_has_a_name(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_worker(database_url, started_at=ago(days=3), definitions="{}")
    now = {"occurred_at": None, "enqueued_at": ago(), "received_at": ago()}
    late, doubtful = parked(**now), parked(**now)
    await admit(connection, [late, doubtful])
    put_attempt(database_url, doubtful.request_id, 1, ago(), outcome="retryable", http_status=504, ambiguous=True)
    assert await unknown_definitions.reject(connection, DAY) == 0
    await unknown_definitions.look(connection)
    await backdate(connection, timedelta(hours=23))
    assert await unknown_definitions.reject(connection, DAY) == 0
    await backdate(connection, timedelta(hours=2))
    assert await unknown_definitions.reject(connection, DAY) == 2
    assert await reasons(connection) == {
        late.request_id: ("rejected", "definition-unknown"),
        doubtful.request_id: ("unconfirmed", "definition-unknown"),
    }
    (delay,) = query(database_url, "select * from audit.delays where request_id = $1", late.request_id)
    assert delay["undefined_seconds"] == pytest.approx(25 * 3600, abs=60)
    assert (delay["system"], delay["phase"]) == ("worker", "undefined")
    held = query(database_url, "select * from ledger.held_payloads")
    assert [(row["resume_at"], row["held_at"] > ago(minutes=1)) for row in held] == [(None, True)] * 2
    assert query(database_url, "select count(*) from ledger.stale_minutes")[0]["count"] >= 1


async def test_an_alert_names_the_campaign_once_and_at_once(connection: asyncpg.Connection, database_url: str) -> None:
    await admit(connection, [parked(), parked(OLD), parked("", campaign="ada@example.com")])
    await connection.execute(
        "insert into ledger.campaigns values ('order-shipped', 'd', 'c', 'standard', now(), now(), $1, '{}')", ME
    )
    await unknown_definitions.look(connection)
    found = query(database_url, "select * from audit.alerts where alert = 'definition-unknown'")
    assert sorted(row["scope"] for row in found) == ["(unknown)", "order-shipped"]
    assert {row["severity"] for row in found} == {"page"}
    await backdate(connection, timedelta(hours=2))
    assert not query(database_url, "select * from audit.alerts where alert = 'parked-age'"), "it has its own alert"


async def test_after_a_redrive_whichever_definition_there_is_will_do(connection: asyncpg.Connection) -> None:
    row = parked()
    await admit(connection, [row])
    await connection.execute("update ledger.held_payloads set call_digest = '' where request_id = $1", row.request_id)
    assert await resume(connection, [("order-shipped", OLD)], 10, ME) == []
    (one,) = await resume(connection, [("order-shipped", ""), ("order-shipped", OLD)], 10, ME)
    assert one.call_digest == ""
