"""A phase is a row: a new one is seen wherever phases are, and nothing else has to be told of it."""

import asyncio
import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.ledger.database import snapshot
from ajo_worker.metrics.questions import PHASES
from ajo_worker.reports.csv import tables
from ajo_worker.reports.html import render
from ajo_worker.reports.reading import ReportRequest, read_report
from ajo_worker.reports.value import Report

from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger, put_worker
from tests.support.programs import Finished, run
from tests.support.releases import release


@pytest.fixture
def born() -> datetime:
    """Two minutes ago: some figures are of the last five minutes, and whole runs of tests take longer."""
    return ago(minutes=2)


@pytest.fixture
def url(database_url: str, born: datetime, tmp_path: Path) -> str:
    """A database that knows a phase more: a wait before attempts, and a reason for queues to stand still."""
    release(
        database_url,
        tmp_path,
        """
        alter table ledger.attempts add column approval_wait_seconds double precision;
        update ledger.phases set position = position + 100 where position > 13;
        update ledger.phases set position = position - 99 where position > 100;
        insert into ledger.phases (position, phase, system, level_seconds, attempt_column, means)
        values (14, 'four-eyes', 'producer', 2, 'approval_wait_seconds', 'Until somebody had approved of it.');
        """,
    )
    put_worker(database_url, started_at=after(born, -3600))
    return database_url


@pytest.fixture
def late(url: str, born: datetime) -> UUID:
    """A trigger that waited for nine seconds of the new kind."""
    dispatched, ended = after(born, 9.95), after(born, 11)
    row = {"state": "accepted", "completed_at": ended, "attempts_started": 1, "first_dispatched_at": dispatched}
    request_id = put_trigger(url, born, **row)
    put_attempt(url, request_id, 1, dispatched, approval_wait_seconds=9.0)
    return request_id


def cli(url: str, *arguments: str) -> Any:
    done: Finished = run(*arguments, "--json", env={"AJO_DATABASE_URL": url})
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def report(url: str) -> Report:
    async def read() -> Report:
        async with snapshot(url) as connection:
            return await read_report(connection, ReportRequest(ago(hours=1), ago(hours=-1), None))

    return asyncio.run(read())


def test_its_seconds_are_a_column_and_part_of_the_total_and_its_system_is_charged(url: str, late: UUID) -> None:
    (row,) = query(url, "select * from audit.delays where request_id = $1", late)
    assert row["four_eyes_seconds"] == 9
    assert row["other_seconds"] == pytest.approx(0.44)
    assert (row["system"], row["phase"], row["delay_seconds"]) == ("producer", "four-eyes", 9)
    (share,) = query(url, "select * from audit.shares where request_id = $1 and system = 'producer'", late)
    assert (share["seconds"], share["share"]) == (9, pytest.approx(9 / 11))


def test_it_is_in_every_output(url: str, late: UUID) -> None:
    found = cli(url, "status", str(late))
    assert {"phase": "four-eyes", "system": "producer", "after_end": False, "seconds": 9} in found["phases"]
    (sent,) = [each for each in found["events"] if "dispatched" in each["what"]]
    assert "four-eyes 9.000 s" in sent["detail"]
    assert cli(url, "delays")["all"]["phases"]["four-eyes"]["longest"] == 9
    text = run("delays", env={"AJO_DATABASE_URL": url}).out
    assert "four-eyes" in text

    for row in query(url, "select * from ledger.due_minutes(10) as minute"):
        query(url, "select ledger.roll_up($1)", row["minute"])
    made = report(url)
    (phase,) = [row for row in made.phases if row.phase == "four-eyes"]
    assert (phase.system, phase.late, phase.seconds) == ("producer", 1, 9)
    assert made.worst[0].phases["four-eyes"] == 9
    rows = io.StringIO()
    csv.writer(rows).writerows(tables(made)["phases"])
    assert "\r\nfour-eyes,producer,Until somebody had approved of it.,1,9.0," in rows.getvalue()
    assert "four-eyes" in render(made)
    assert "four-eyes" in {row["phase"] for row in query(url, PHASES)}


async def test_names_that_are_no_words_are_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for name in ("rate_limit", "Slot", "a b", "x'", ""):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute("update ledger.phases set phase = $1 where phase = 'slot'", name)
    finally:
        await connection.close()
