"""Closing: what is old enough is sealed, once, and all of it is found intact afterwards."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from ajo_worker.evidence import closing, seals
from ajo_worker.evidence.chunks import DAILY, HOURLY, chunks_of
from ajo_worker.ledger.database import DatabaseError

from tests.integration.worker.evidence.conftest import CLOSE_DAYS, KEY, Past, two_days

EVIDENCE = (Path(__file__).parents[4] / "docs/evidence.md").read_text(encoding="utf-8")
COUNT = "select relation, sum(rows)::int as n from ledger.digests group by 1"


@two_days
async def test_days_that_are_old_enough_are_sealed_and_younger_ones_are_not(past: Past) -> None:
    past.put()
    done = await past.close()
    assert done.days == [past.day, past.day + timedelta(days=1)]
    (row,) = past.ask("select max(day) as last, count(*)::int as n from ledger.digests")
    per_day = sum(map(len, chunks_of(past.day)))
    assert (row["last"], row["n"]) == (past.day + timedelta(days=1), 2 * per_day)
    assert {row["relation"]: row["n"] for row in past.ask(COUNT)} == dict.fromkeys((*HOURLY, *DAILY), 0) | {
        "triggers": 1,
        "attempts": 1,
    }


async def test_days_are_sealed_also_where_the_database_s_texts_have_escapes(
    past: Past, connect: Callable[..., Any]
) -> None:
    past.put()
    past.ask(f"alter database {past.url.rpartition('/')[2]} set standard_conforming_strings = off")
    past.connection = await connect(application_name="of an old database")
    assert past.day in (await past.close()).days


@two_days
async def test_what_nobody_changed_is_intact_and_a_second_closing_adds_nothing(past: Past) -> None:
    for hour in (0, 0.01, 13, 13.99, 23.999):
        past.put(hour)
    past.put(request_id=uuid4())
    past.ask(
        "insert into ledger.feedback (feedback_id, received_at, happened_at, happened_at_is_arrival, source, status)"
        " select request_id, received_at, received_at, false, 'webhook', 'sent' from ledger.triggers limit 1"
    )
    await past.close()
    before = past.ask("select * from ledger.digests order by 1")
    assert await past.close() == closing.Closed(days=[], rows=0, again=[], refused=[])
    assert past.ask("select * from ledger.digests order by 1") == before
    found = await past.verify()
    assert found.intact
    assert [day.state for day in found.days] == ["intact", "intact"]
    assert {row["relation"]: row["n"] for row in past.ask(COUNT)} == dict.fromkeys((*HOURLY, *DAILY), 0) | {
        "triggers": 5,
        "attempts": 5,
        "feedback": 1,
        "triggers_default": 1,
        "attempts_default": 1,
    }


@two_days
async def test_a_closing_that_was_cut_off_is_finished_by_the_next(past: Past) -> None:
    past.put()

    def cut_off(done: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with seals.only_closer(past.connection):
            await closing.close(past.connection, await closing.due(past.connection, CLOSE_DAYS), KEY, cut_off)
    assert not (await past.verify()).intact
    await past.close()
    assert (await past.verify()).intact


@two_days
async def test_an_empty_ledger_is_closed_from_its_oldest_partition_on(past: Past) -> None:
    assert (await past.close()).rows == 0
    assert (await past.verify()).intact


async def test_only_one_closes_at_a_time(past: Past, connect: Callable[..., Any]) -> None:
    async with seals.only_closer(await connect()):
        with pytest.raises(DatabaseError, match="another 'ajo-dispatch audit close'"):
            await past.close()
    await past.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"TimeZone": "Asia/Kathmandu", "DateStyle": "German", "extra_float_digits": "-3", "bytea_output": "escape"},
        {"IntervalStyle": "sql_standard", "lc_numeric": "C", "enable_indexscan": "off", "enable_bitmapscan": "off"},
    ],
)
async def test_the_database_s_defaults_and_the_plan_have_no_say(
    past: Past, connect: Callable[..., Any], settings: dict[str, str]
) -> None:
    """The role that verifies may have other defaults than the one that closed; audit.digest overrules them."""
    for hour in (0.1, 13, 13.5, 13.50001):
        past.put(hour, recipient_hashes=[b"\x00\xff"])
    await past.close()
    for name, value in settings.items():
        past.ask(f"alter database {past.url.rpartition('/')[2]} set {name} = '{value}'")
    past.connection = await connect(application_name="with the defaults")
    assert (await past.verify()).intact


async def test_what_a_row_was_is_noted_the_same_whatever_the_defaults_of_whoever_changed_it(
    past: Past, connect: Callable[..., Any]
) -> None:
    request_id = past.put(recipient_hashes=[b"\x00\xff"])
    odd = await connect(TimeZone="Asia/Kathmandu", DateStyle="German", extra_float_digits="-3", bytea_output="escape")
    fingerprint = "select ledger.fingerprint(to_jsonb(t)) as f from ledger.triggers t where request_id = $1"
    before = await past.connection.fetchval(fingerprint, request_id)
    await odd.execute("update ledger.triggers set reason = 'x' where request_id = $1", request_id)
    assert past.ask("select fingerprint from ledger.revisions") == [{"fingerprint": before}]


async def test_a_closing_waits_for_whoever_is_changing_old_rows_and_keeps_nobody_waiting(
    past: Past, connect: Callable[..., Any]
) -> None:
    request_id = past.put(state="rejected")
    changer, other = await connect(), await connect()
    change = changer.transaction()
    await change.start()
    await changer.execute("update ledger.triggers set reason = 'x' where request_id = $1", request_id)
    task = asyncio.create_task(past.close())
    second = past.put(14, state="rejected")
    await other.execute("update ledger.triggers set reason = 'y' where request_id = $1", second)
    await asyncio.sleep(0)
    assert not task.done()
    await change.commit()
    await task
    assert past.ask("select min(revisions)::int as n from ledger.digests") == [{"n": 2}]


async def test_seals_and_revisions_can_be_neither_changed_nor_deleted(past: Past) -> None:
    past.put()
    await past.close()
    for statement in (
        "update ledger.digests set rows = 7",
        "delete from ledger.digests",
        "truncate ledger.digests",
        "delete from ledger.revisions",
        "delete from ledger.removals",
    ):
        with pytest.raises(asyncpg.RaiseError, match="is evidence"):
            past.ask(statement)


async def test_the_documented_rights_are_enough_to_close_and_to_verify(past: Past, connect: Callable[..., Any]) -> None:
    past.put()
    role = f"closer_{uuid4().hex[:12]}"
    past.ask(f"create role {role}")
    try:
        for grant in re.findall(r"GRANT [^;]+ TO closer(?=;)", EVIDENCE):
            past.ask(grant.replace("TO closer", f"TO {role}"))
        await past.connection.execute(f"set role {role}")
        await past.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await past.connection.fetch("select payload from ledger.held_payloads")
        await past.connection.execute("set role ajo_auditor")
        assert (await past.verify()).intact
        await past.connection.execute("reset role")
    finally:
        past.ask(f"drop owned by {role}")
        past.ask(f"drop role {role}")
