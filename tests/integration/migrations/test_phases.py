"""``audit.delays`` explains all of a trigger's time: its phases follow one another, and what is left is shown."""

import asyncio
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.views.phases import column, read_phases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.migrations.shapes import EVENT, Shape, later, shapes
from tests.support.database import query
from tests.support.ledger_rows import put_attempt, put_trigger, put_worker


@pytest.fixture
def worker(database_url: str) -> UUID:
    """One that has lived all the time: a queue that nobody could take from would be another phase."""
    return put_worker(database_url, started_at=later(EVENT, -(10**12)))


async def put_and_read(url: str, cases: list[Shape]) -> list[dict[str, float | None]]:
    """The row that the view has of each trigger, called after the phases; "phases" are all to the end."""
    connection = await asyncpg.connect(url)
    try:
        for case in cases:
            for table, row in [("triggers", case.trigger), *(("attempts", row) for row in case.attempts)]:
                places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
                await connection.execute(
                    f"insert into ledger.{table} ({', '.join(row)}) values ({places})", *row.values()
                )
        ids = [case.trigger["request_id"] for case in cases]
        found = await connection.fetch("select * from audit.delays where request_id = any($1::uuid[])", ids)
        rows = {row["request_id"]: row for row in found}
        phases = [column(each.phase) for each in await read_phases(connection) if not each.after_end]
        return [
            {name.removesuffix("_seconds"): value for name, value in rows[each].items()}
            | {"phases": {name.removesuffix("_seconds"): rows[each][name] for name in phases}}
            for each in ids
        ]
    finally:
        await connection.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(shapes(), min_size=1, max_size=12))
@pytest.mark.usefixtures("worker")
def test_phases_are_what_the_timeline_shows_and_sum_to_the_total(database_url: str, cases: list[Shape]) -> None:
    """Every example adds triggers of its own to the same database."""
    for case, row in zip(cases, asyncio.run(put_and_read(database_url, cases)), strict=True):
        assert {name: row[name] for name in case.phases} == pytest.approx(case.phases, abs=1e-5)
        assert {name for name, spent in row["phases"].items() if spent} <= set(case.phases)
        if case.trigger["completed_at"] is not None:
            assert sum(spent or 0 for spent in row["phases"].values()) == pytest.approx(row["total"], abs=1e-5)
        assert row["clock_skew"] is bool(row["broker"] < -1 or (row["producer"] or 0) < -1 or row["outbox"] < -1)


def test_an_answer_that_came_after_its_trigger_was_taken_over_leaves_nothing_unexplained(database_url: str) -> None:
    """Two workers' calls overlap: the handover is negative by as much as they do, and the sum is right."""
    completed = later(EVENT, 19_000_000)
    facts: dict[str, Any] = {"received_at": EVENT, "completed_at": completed, "state": "accepted", "fence": 2}
    request_id = put_trigger(database_url, EVENT, **facts)
    put_attempt(database_url, request_id, 1, EVENT, responded_at=later(EVENT, 20_000_000), to_body_seconds=20.0)
    put_attempt(database_url, request_id, 2, later(EVENT, 16_000_000), backoff_wait_seconds=0.5)
    (row,) = query(database_url, "select * from audit.delays where request_id = $1", request_id)
    assert row["total_seconds"] == 19
    assert row["residual_seconds"] == pytest.approx(0, abs=1e-6)
    names = ("back_off", "ledger", "headers", "body", "handover", "ending", "other")
    phases = [row[f"{name}_seconds"] for name in names]
    assert phases == pytest.approx([0.5, 0.02, 1.8, 19.2, -4.51, 2, -0.01])


def test_every_phase_is_documented_with_its_system_and_what_it_is(database_url: str) -> None:
    text = (Path(__file__).parents[3] / "docs/audit.md").read_text(encoding="utf-8")
    rows = query(database_url, "select * from audit.phases order by position")
    told = [f"| {row['phase']} | {row['system'] or '–'} | {row['means']} |" for row in rows]
    found = re.findall(r"^(\| [a-z-]+ \| [a-z–-]+ \| [^|]+ \|) [^|]*\|$", text, flags=re.MULTILINE)
    assert found[1:] == told, "after the table's head"


def test_what_is_rolled_up_beside_the_phases_is_none_of_them_and_comes_after_them(database_url: str) -> None:
    sums = query(database_url, "select position, phase from audit.sums order by position")
    assert [row["phase"] for row in sums] == ["total", "end-to-end", "budget"]
    assert query(database_url, "select 1 from ledger.phases where position >= $1", sums[0]["position"]) == []
