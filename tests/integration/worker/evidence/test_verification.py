"""Verification: whatever was changed, added or taken away behind the ledger's back is found, and where."""

from datetime import timedelta
from uuid import uuid4

import pytest
from ajo_worker.evidence import seals

from tests.integration.worker.evidence.conftest import KEY, Past, two_days
from tests.support.database import query


@pytest.mark.parametrize(
    ("statement", "relation", "now"),
    [
        ("update ledger.triggers set state = 'rejected' where request_id = '{}'", "triggers", 2),
        ("update ledger.triggers set campaign = 'another' where request_id = '{}'", "triggers", 2),
        ("update ledger.triggers set received_at = received_at + '1us' where request_id = '{}'", "triggers", 2),
        ("update ledger.triggers set received_at = now() where request_id = '{}'", "triggers", 1),
        ("update ledger.triggers set state = 'sending' where request_id = '{}'", "triggers", 2),
        ("delete from ledger.triggers where request_id = '{}'", "triggers", 1),
        ("update ledger.attempts set to_headers_seconds = 0.1 where request_id = '{}'", "attempts", 2),
        ("delete from ledger.attempts where request_id = '{}'", "attempts", 1),
    ],
)  # fmt: skip
async def test_a_row_that_was_changed_or_deleted_is_found_with_its_hour(
    past: Past, statement: str, relation: str, now: int
) -> None:
    request_id = past.put(13.2)
    past.put(13.3)
    past.put(14)
    await past.close()
    await past.silently(statement.format(request_id))
    found = await past.verified_day()
    assert found.state == "changed"
    assert [(fault.relation, fault.hour, fault.sealed, fault.found) for fault in found.faults] == [
        (relation, 13, 2, now)
    ]


async def test_a_row_that_was_added_with_an_old_date_is_found(past: Past) -> None:
    past.put()
    await past.close()
    past.put()
    assert [(f.relation, f.sealed, f.found) for f in (await past.verified_day()).faults] == [
        ("triggers", 1, 2),
        ("attempts", 1, 2),
    ]


@two_days
async def test_a_foreign_id_is_sealed_with_the_day_of_its_receipt(past: Past) -> None:
    request_id = past.put(request_id=uuid4())
    await past.close()
    assert (await past.verify()).intact
    await past.silently(f"update ledger.triggers set producer = 'x' where request_id = '{request_id}'")
    found = await past.verified_day()
    assert [(fault.relation, fault.hour) for fault in found.faults] == [("triggers_default", None)]


@pytest.mark.parametrize(
    ("put", "change", "relation"),
    [
        (
            "insert into ledger.outages (opened_at, scope, reason, opened_by, evidence)"
            " values ($1, 'campaign:x', 'held', 'ada', '{}')",
            "update ledger.outages set reason = 'cosmos-key'",
            "outages",
        ),
        (
            "insert into ledger.operations (done_at, triggers, operator, action, reason, chosen)"
            " values ($1, 0, 'ada', 'hold', 'why', '{}')",
            "update ledger.operations set operator = 'bob'",
            "operations",
        ),
    ],
)  # fmt: skip
async def test_outages_and_operations_are_sealed_too(past: Past, put: str, change: str, relation: str) -> None:
    request_id = past.put()
    past.ask(
        put, past.ask("select received_at from ledger.triggers where request_id = $1", request_id)[0]["received_at"]
    )
    await past.close()
    past.ask("update ledger.outages set ended_at = now(), ended_by = 'ada'")
    assert (await past.verify()).intact
    past.ask(change)
    assert [fault.relation for fault in (await past.verified_day()).faults] == [relation]


async def test_feedback_is_sealed_but_not_which_trigger_it_was_found_to_be_about(past: Past) -> None:
    request_id = past.put()
    past.ask(
        "insert into ledger.feedback (feedback_id, received_at, happened_at, happened_at_is_arrival, source, status)"
        " select request_id, received_at, received_at, false, 'webhook', 'sent' from ledger.triggers"
    )
    await past.close()
    found = (
        "update ledger.feedback set request_id = $1, matched_at = now(), match_due_at = now(), match = 'execution-id'"
    )
    past.ask(found, request_id)
    assert (await past.verify()).intact
    past.ask("update ledger.feedback set happened_at = happened_at + interval '1 hour'")
    assert [fault.relation for fault in (await past.verified_day()).faults] == ["feedback"]


@two_days
async def test_a_day_whose_rows_are_gone_is_missing_unless_retention_dropped_it(past: Past) -> None:
    past.put()
    await past.close()
    past.ask(f"drop table ledger.triggers_{past.day:%Y%m%d}, ledger.attempts_{past.day:%Y%m%d}")
    assert (await past.verified_day()).state == "missing"
    past.ask(
        "insert into ledger.removals (removed_at, day, relation) select now(), $1, r"
        " from unnest('{triggers,attempts,feedback}'::text[]) r",
        past.day,
    )
    found = await past.verify()
    assert found.intact
    assert [day.state for day in found.days] == ["removed", "intact"]
    assert found.days[0].rows == 2


@two_days
async def test_a_day_can_be_verified_by_itself(past: Past) -> None:
    request_id = past.put()
    await past.close()
    await past.silently(f"delete from ledger.triggers where request_id = '{request_id}'")
    assert (await past.verify(day=past.day + timedelta(days=1))).intact
    assert not (await past.verify(day=past.day)).intact


@pytest.mark.parametrize(
    ("statement", "intact_days"),
    [
        ("update ledger.digests set rows = rows + 1 where digest_id = 30", True),
        ("update ledger.digests set cause = 'operation 1' where digest_id = 30", True),
        ("delete from ledger.digests where digest_id = 30", False),
        ("update ledger.digests set digest = sha256('x') where digest_id = 30", False),
    ],
)
async def test_a_seal_that_was_changed_or_deleted_breaks_the_chain(
    past: Past, statement: str, intact_days: bool
) -> None:
    past.put()
    await past.close()
    await past.silently(statement)
    found = await past.verify()
    assert found.chain_broken is not None
    assert found.chain_broken.digest_id in {30, 31}
    assert not found.intact
    assert all(day.state == "intact" for day in found.days) == intact_days


async def test_a_chain_that_was_made_anew_is_found_by_its_key_or_by_a_head_that_was_kept(past: Past) -> None:
    request_id = past.put()
    await past.close(key=b"")
    head = bytes.fromhex((await past.verify(key=b"")).head or "")
    await past.silently(f"update ledger.triggers set state = 'rejected' where request_id = '{request_id}'")
    await past.silently("delete from ledger.digests")
    await past.close(key=b"")
    assert (await past.verify(key=b"")).intact
    found = await past.verify(key=b"", head=head)
    assert (found.head_found, found.intact) == (False, False)
    assert (await past.verify(key=KEY)).without_key == found.seals


@two_days
async def test_a_head_that_was_kept_is_found_after_later_closings(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.put()
    with monkeypatch.context() as earlier:
        earlier.setattr(seals, "GRACE", timedelta(hours=3))
        await past.close()
    head = bytes.fromhex((await past.verify()).head or "")
    await past.put_late(14, timedelta(hours=2))
    await past.close()
    found = await past.verify(head=head)
    assert found.head_found
    assert found.head != head.hex()
    assert found.intact


async def test_without_the_key_or_with_another_one_a_keyed_chain_cannot_be_verified(past: Past) -> None:
    past.put()
    await past.close()
    unkeyed, other = await past.verify(key=b""), await past.verify(key=b"another")
    assert (unkeyed.intact, other.intact) == (False, False)
    assert unkeyed.chain_broken is None
    assert unkeyed.no_key is not None
    assert other.chain_broken is not None
    assert "made with key" in other.chain_broken.why


async def test_a_change_that_nothing_on_record_explains_is_told_though_the_database_noted_it(past: Past) -> None:
    request_id = past.put()
    await past.close()
    past.ask("update ledger.triggers set state = 'rejected' where request_id = $1", request_id)
    found = await past.verified_day()
    assert [(fault.relation, fault.hour) for fault in found.faults] == [("triggers", 13)]
    assert "nothing on record explains it" in found.faults[0].why
    (noted,) = query(past.url, "select * from audit.revisions")
    assert (noted["request_id"], noted["was"], noted["became"], noted["cause"]) == (
        request_id,
        "accepted",
        "rejected",
        None,
    )
    refused = (await past.close()).refused
    assert [one.chunk.hour for one in refused] == [13]
    assert not (await past.verify()).intact
