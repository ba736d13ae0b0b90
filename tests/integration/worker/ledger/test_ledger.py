"""A worker's whole ledger: it waits for its database, shares its commits, and says honestly what it left unwritten."""

import asyncio
import json

import pytest
from ajo_worker.ledger.attempts import Intent
from ajo_worker.ledger.ownership import Takeover
from ajo_worker.ledger.quarantine import quarantined
from ajo_worker.ledger.write_faults import WriterStopped
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Stoppable
from tests.integration.worker.ledger.rows import NOON, accepted, admission, after
from tests.integration.worker.ledger.workers import ledger_of, until, worker_row
from tests.support.database import query

UNREADABLE = {"reason": "not JSON", "queue": "ajo.standard", "received_at": NOON}


async def test_a_ledger_whose_database_is_away_at_the_start_waits_and_then_goes_on(stoppable: Stoppable) -> None:
    stoppable.stop()
    ledger = ledger_of(stoppable.url)
    offered = admission(owner=ledger.worker_id)
    with capture_logs() as logs:
        ledger.start()
        waiting = asyncio.create_task(ledger.admissions.submit(offered))
        await until(lambda: {"ledger-write-waits", "heartbeat-failed"} <= {log["event"] for log in logs}, "both wait")
    assert not waiting.done()
    assert not ledger.liveness.first_beat.is_set()
    await asyncio.to_thread(stoppable.start)
    assert await waiting is None
    await ledger.liveness.first_beat.wait()
    assert await ledger.records.submit(accepted(offered)) is True
    assert await ledger.stop(10) is True
    assert query(stoppable.url, "select state from ledger.triggers") == [{"state": "accepted"}]
    assert worker_row(stoppable.url, ledger.worker_id)["stopped_at"]


async def test_every_kind_of_row_finds_its_table(database_url: str) -> None:
    ledger, dead_owner = ledger_of(database_url), ledger_of(database_url)
    ledger.start()
    mine, other = admission(owner=ledger.worker_id), admission(owner=dead_owner.worker_id)
    assert await ledger.admissions.submit(mine) is None
    assert await ledger.admissions.submit(other) is None
    assert await ledger.intents.submit(Intent(mine.request_id, 1, 2, after(1), None)) is True
    seen = await ledger.looks.submit(other.request_id)
    assert seen is not None
    assert not seen.owner_alive
    takeover = Takeover(other.request_id, seen.fence, ledger.worker_id, seen.attempts_started, interrupted=True)
    assert await ledger.takeovers.submit(takeover) is True
    assert await ledger.looks.submit(uuid7()) is None
    assert await ledger.records.submit(accepted(mine)) is True
    row = quarantined(b"\xff{", headers={"id": "1", "x": "\x00"}, worker=ledger.worker_id, **UNREADABLE)
    assert await ledger.quarantine.submit(row) is None
    assert await ledger.stop(10) is True
    (kept,) = query(database_url, "select * from ledger.quarantine")
    assert (kept["body"], kept["body_bytes"], kept["reason"]) == (b"\xff{", 2, "not JSON")


async def test_whatever_text_the_headers_of_a_message_hold_it_finds_its_way_into_quarantine(database_url: str) -> None:
    ledger = ledger_of(database_url)
    ledger.start()
    headers = {"half a pair": "\ud800", "zero": "a\x00b", "its escape": "\\u0000", "\\u0000": "x", "\udcff": 7}
    await ledger.quarantine.submit(quarantined(b"{", headers=headers, worker=ledger.worker_id, **UNREADABLE))
    assert await ledger.stop(10) is True
    (kept,) = query(database_url, "select headers from ledger.quarantine")
    assert json.loads(kept["headers"]) == {
        "half a pair": "\ufffd", "zero": "a\ufffdb", "its escape": "\\u0000", "\\u0000": "x", "\ufffd": 7
    }  # fmt: skip


async def test_a_trigger_costs_two_commits_that_hundreds_share(database_url: str) -> None:
    ledger = ledger_of(database_url)
    ledger.start()
    await ledger.liveness.first_beat.wait()
    triggers = [admission(owner=ledger.worker_id) for _ in range(400)]
    counted = "select count(distinct xmin::text)::int as commits from ledger.{}"
    assert set(await asyncio.gather(*(ledger.admissions.submit(trigger) for trigger in triggers))) == {None}
    assert query(database_url, counted.format("triggers")) == [{"commits": 1}]
    assert set(await asyncio.gather(*(ledger.records.submit(accepted(trigger)) for trigger in triggers))) == {True}
    both = "select count(distinct xmin::text)::int as commits from (select xmin from ledger.triggers {})"
    assert query(database_url, both.format("union all select xmin from ledger.attempts")) == [{"commits": 1}]
    assert await ledger.stop(10) is True


async def test_a_ledger_that_hands_back_begins_nothing_but_still_records_what_was_sent(database_url: str) -> None:
    ledger = ledger_of(database_url)
    ledger.start()
    sent = admission(owner=ledger.worker_id)
    await ledger.admissions.submit(sent)
    ledger.hand_back()
    with pytest.raises(WriterStopped):
        await ledger.admissions.submit(admission())
    with pytest.raises(WriterStopped):
        await ledger.intents.submit(Intent(sent.request_id, 1, 2, after(1), None))
    assert await ledger.records.submit(accepted(sent)) is True
    assert await ledger.stop(10) is True


async def test_connections_that_do_not_come_in_time_get_more_of_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose way to PostgreSQL is slow would never begin, and blame PostgreSQL's number of connections."""
    ledger, given = ledger_of(database_url), list[float]()

    async def at_once(wanted: int, seconds: float) -> int:
        given.append(seconds)
        return wanted if len(given) == 4 else 0

    monkeypatch.setattr(ledger._connector, "at_once", at_once)
    monkeypatch.setattr("ajo_worker.ledger.ledger.ROOM_SECONDS", 0.001)
    await ledger.connections_suffice()
    assert given == [0.001, 0.002, 0.004, 0.008]


async def test_a_ledger_that_could_not_write_everything_says_so(stoppable: Stoppable) -> None:
    ledger = ledger_of(stoppable.url)
    ledger.start()
    sent = admission(owner=ledger.worker_id)
    await ledger.admissions.submit(sent)
    stoppable.stop()
    unwritten = asyncio.create_task(ledger.records.submit(accepted(sent)))
    await asyncio.sleep(0)
    assert await ledger.stop(0.1) is False
    with pytest.raises(WriterStopped):
        await unwritten
