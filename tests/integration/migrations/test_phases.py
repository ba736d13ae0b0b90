"""``audit.delays`` explains all of a trigger's time: its phases follow one another, and what is left is shown."""

import asyncio
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.migrations.shapes import EVENT, WAITS, Shape, later, shapes
from tests.support.database import query
from tests.support.ledger_rows import put_attempt, put_trigger

PHASES = ("producer", "broker", "earlier_rounds", "worker", "own_wait", "api", "handover", "ending")
PARTS = ("worker_slot", "worker_rate_limit", "worker_token", "worker_ledger", "worker_other")


async def put_and_read(url: str, cases: list[Shape]) -> list[dict[str, float | None]]:
    """The row that the view has of each trigger, its columns called after their phases."""
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
        return [{name.removesuffix("_seconds"): value for name, value in rows[each].items()} for each in ids]
    finally:
        await connection.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(shapes(), min_size=1, max_size=12))
def test_phases_are_what_the_timeline_shows_and_sum_to_the_total(database_url: str, cases: list[Shape]) -> None:
    """Every example adds triggers of its own to the same database."""
    for case, row in zip(cases, asyncio.run(put_and_read(database_url, cases)), strict=True):
        assert {name: row[name] for name in case.phases} == pytest.approx(case.phases, abs=1e-5)
        if case.trigger["completed_at"] is None:
            assert row["total"] is row["residual"] is None
        else:
            explained = sum(row[name] or 0 for name in PHASES)
            assert explained + (row["residual"] or 0) == pytest.approx(row["total"], abs=1e-5)
        if row["worker"] is not None:
            assert sum(row[name] or 0 for name in PARTS) == pytest.approx(row["worker"], abs=1e-5)
        assert row["clock_skew"] is bool(row["broker"] < 0 or (row["producer"] or 0) < 0)


def test_what_the_first_attempt_waited_for_is_part_of_the_workers_phase(database_url: str) -> None:
    request_id = put_trigger(database_url, EVENT, received_at=EVENT)
    waits = {f"{name}_wait_seconds": number / 8 for number, name in enumerate(WAITS)}
    put_attempt(database_url, request_id, 1, later(EVENT, 2_000_000), **waits)
    (row,) = query(database_url, "select * from audit.delays where request_id = $1", request_id)
    assert row["worker_seconds"] == 2
    assert [row[f"{name}_seconds"] for name in PARTS] == [1 / 8, 2 / 8, 3 / 8, 4 / 8, 2 - 10 / 8]
    assert row["own_wait_seconds"] == 0


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
    phases = [row[f"{name}_seconds"] for name in ("worker", "own_wait", "api", "handover", "ending")]
    assert phases == pytest.approx([0, 0.51, 21, -1.51, -1])
