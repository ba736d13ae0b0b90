"""Changes for a reason: what operators, late answers and late messages do to closed days is sealed again, and told."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from ajo_worker.evidence import seals
from uuid_utils.compat import uuid7

from tests.integration.worker.evidence.conftest import Past
from tests.integration.worker.ledger.orders import DISCARD, REDRIVE, do
from tests.support.ledger_rows import put_attempt

HOLD = """
    insert into ledger.held_payloads (request_id, held_at, round, campaign, reason, payload)
    values ($1, now() - interval '2 days', 1, 'order-shipped', 'bad-request', '{}')
"""
GO_ON = """
    update ledger.triggers set state = 'sending', round = 2, fence = fence + 1, round_opened_at = now()
    where state = 'parked'
"""
END = "update ledger.triggers set state = 'accepted', reason = null, completed_at = now() where state = 'sending'"


async def dead_letter(past: Past, **columns: Any) -> UUID:
    """A rejected trigger of the old day whose payload is held."""
    request_id = past.put(**({"state": "rejected", "reason": "bad-request"} | columns))
    past.ask(HOLD, request_id)
    return request_id


@pytest.fixture(params=["v7", "foreign"])
def wanted_id(request: pytest.FixtureRequest) -> UUID | None:
    """An id of the old day, and one that belongs to no day."""
    return None if request.param == "v7" else uuid4()


async def test_a_redrive_of_a_closed_day_is_told_with_who_and_why_and_sealed_again(
    past: Past, wanted_id: UUID | None
) -> None:
    request_id = await dead_letter(past, request_id=wanted_id)
    past.put(13.1)
    await past.close()
    await do(past.connection, REDRIVE)
    found = await past.verify()
    assert found.intact
    assert [(one.cause, one.sealed_at) for one in found.days[0].again] == [("operation 1", None)]
    assert found.operations == {1: "redrive by ada: the campaign is live again"}
    assert {seal.cause for seal in (await past.close()).again} == {"operation 1"}
    past.ask(GO_ON)
    put_attempt(past.url, request_id, 1, past.ask("select now() as t")[0]["t"], round=2)
    past.ask(END)
    assert (await past.verify()).intact
    assert {seal.cause for seal in (await past.close()).again} == {"ended"}
    assert (await past.close()).again == []
    found = await past.verify()
    assert found.intact
    assert [one.cause for one in found.days[0].again] == ["operation 1", "ended"] * 2
    await past.silently(f"update ledger.triggers set producer = 'x' where request_id = '{request_id}'")
    assert not (await past.verify()).intact


async def test_a_redrive_does_not_cover_a_change_of_another_row_of_its_hour(past: Past) -> None:
    await dead_letter(past)
    other = past.put(13.1)
    await past.close()
    await do(past.connection, REDRIVE)
    await past.silently(f"update ledger.triggers set producer = 'x' where request_id = '{other}'")
    assert [fault.relation for fault in (await past.verified_day()).faults] == ["triggers"]
    done = await past.close()
    assert done.again == []
    assert [refused.chunk.hour for refused in done.refused] == [13]


async def test_a_redrive_does_not_cover_a_change_of_the_same_row_before_it(past: Past) -> None:
    request_id = await dead_letter(past)
    await past.close()
    await past.silently(f"update ledger.triggers set producer = 'x' where request_id = '{request_id}'")
    await do(past.connection, REDRIVE)
    assert not (await past.verify()).intact


async def test_older_seals_of_an_hour_that_was_sealed_again_are_still_verified(past: Past) -> None:
    """Sealing again can't cover up what was changed before it by whoever closes."""
    await dead_letter(past)
    other = past.put(13.1)
    await past.close()
    await do(past.connection, REDRIVE)
    await past.close()
    await past.silently(f"update ledger.attempts set http_status = 500 where request_id = '{other}'")
    assert [fault.relation for fault in (await past.verified_day()).faults] == ["attempts", "attempts"]


async def test_a_redrive_that_names_no_operation_is_not_explained(past: Past) -> None:
    request_id = await dead_letter(past)
    await past.close()
    past.ask("update ledger.triggers set state = 'parked', reason = 'redrive' where request_id = $1", request_id)
    assert "nothing on record explains it" in (await past.verified_day()).faults[0].why


async def test_discarding_changes_nothing_that_is_sealed(past: Past) -> None:
    await dead_letter(past)
    await past.close()
    await do(past.connection, DISCARD)
    assert (await past.verify()).intact
    assert (await past.close()).again == []


async def test_a_trigger_that_has_not_ended_is_sealed_when_it_has(past: Past) -> None:
    request_id = past.put(state="parked", completed_at=None)
    await past.close()
    assert (await past.verified_day()).later == 1  # its attempt
    past.ask(GO_ON)
    put_attempt(past.url, request_id, 1, past.ask("select now() as t")[0]["t"], round=2)
    assert (await past.verify()).intact
    past.ask(END)
    assert (await past.verify()).intact
    assert {seal.cause for seal in (await past.close()).again} == {"ended"}
    await past.silently(f"update ledger.triggers set producer = 'x' where request_id = '{request_id}'")
    assert not (await past.verify()).intact


async def test_a_trigger_that_has_not_ended_can_not_be_deleted_unnoticed(past: Past) -> None:
    request_id = past.put(state="parked", completed_at=None)
    await past.close()
    past.ask("delete from ledger.triggers where request_id = $1", request_id)
    assert not (await past.verify()).intact


async def test_what_comes_late_is_no_change_and_is_sealed_by_the_next_closing(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.put()
    with monkeypatch.context() as earlier:
        earlier.setattr(seals, "GRACE", timedelta(hours=3))
        await past.close()
    late = await past.put_late(13.5, timedelta(hours=2))
    await past.put_late(14, timedelta(minutes=59))
    found = await past.verified_day()
    assert (found.state, found.later) == ("intact", 4)
    again = (await past.close()).again
    assert {(seal.cause, seal.chunk.hour) for seal in again} == {("came late", 13)}  # an hour for stragglers
    found = await past.verified_day()
    assert (found.state, found.later) == ("intact", 2)
    await past.silently(f"update ledger.triggers set producer = 'x' where request_id = '{late}'")
    assert (await past.verified_day()).state == "changed"


async def test_a_late_answer_is_explained_if_its_attempt_is_on_record(past: Past) -> None:
    known, claimed = past.put(state="unconfirmed"), past.put(14, state="unconfirmed")
    past.ask("update ledger.attempts set outcome = 'interrupted'")
    await past.close()
    past.ask("update ledger.attempts set outcome = 'accepted' where request_id = $1", known)
    past.ask("update ledger.triggers set state = 'accepted'")
    found = await past.verified_day()
    assert sorted((one.relation, one.cause) for one in found.again) == [
        ("attempts", "late answer"),
        ("triggers", "late answer"),
    ]
    assert [(fault.relation, fault.hour) for fault in found.faults] == [("triggers", 14)]
    assert claimed != known


async def test_a_confirmation_by_feedback_is_explained_if_the_feedback_is_on_record(past: Past) -> None:
    request_id = past.put(state="unconfirmed")
    await past.close()
    past.ask("update ledger.triggers set state = 'accepted', reason = 'confirmed-by-feedback'")
    assert (await past.verified_day()).state == "changed"
    past.ask(
        "insert into ledger.feedback (feedback_id, request_id, received_at, happened_at, happened_at_is_arrival,"
        " source, status, match) values ($1, $2, now(), now(), true, 'webhook', 'sent', 'execution-id')",
        uuid4(),
        request_id,
    )
    found = await past.verified_day()
    assert (found.state, [one.cause for one in found.again]) == ("intact", ["feedback"])


async def test_updates_of_triggers_that_are_under_way_or_of_today_leave_no_revision(past: Past) -> None:
    past.put(state="sending", completed_at=None)
    past.put(14, state="parked", completed_at=None)
    past.ask("update ledger.triggers set fence = fence + 1")
    past.ask("update ledger.triggers set state = 'rejected'")
    today = past.put(request_id=uuid7(), state="rejected")
    past.ask("update ledger.triggers set state = 'parked' where request_id = $1", today)
    assert past.ask("select * from ledger.revisions") == []


async def test_a_worker_needs_no_right_on_revisions_to_leave_one(past: Past, connect: Any) -> None:
    request_id = past.put(state="rejected")
    role = f"worker_{uuid4().hex[:12]}"
    past.ask(f"create role {role}")
    try:
        past.ask(f"grant usage on schema ledger to {role}; ")
        past.ask(f"grant select, update on ledger.triggers to {role}")
        worker: asyncpg.Connection = await connect()
        await worker.execute(f"set role {role}")
        await worker.execute("update ledger.triggers set reason = 'x' where request_id = $1", request_id)
        await worker.execute("reset role")
        assert len(past.ask("select * from ledger.revisions")) == 1
    finally:
        past.ask(f"drop owned by {role}")
        past.ask(f"drop role {role}")
