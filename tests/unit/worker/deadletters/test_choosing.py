"""Which dead letters a filter means, as SQL and as the ledger keeps it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from ajo_worker.deadletters.choosing import Filter, conditions, described

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ALWAYS = "ledger.is_dead(t.state) AND h.held_at <= $1"
ONE = UUID("01a2137e-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("chosen", "further", "arguments"),
    [
        (Filter(), "", []),
        (Filter(request_ids=(ONE,)), " AND h.request_id = ANY($2::uuid[])", [[ONE]]),
        (Filter(campaigns=("a", "b")), " AND h.campaign = ANY($2::text[])", [["a", "b"]]),
        (
            Filter(states=("expired",), reasons=("budget-spent",)),
            " AND t.state = ANY($2::text[]) AND t.reason = ANY($3::text[])",
            [["expired"], ["budget-spent"]],
        ),
        (
            Filter(since=timedelta(hours=2), until=timedelta(hours=1)),
            " AND t.completed_at >= $2 AND t.completed_at <= $3",
            [datetime(2026, 11, 25, 10, tzinfo=UTC), datetime(2026, 11, 25, 11, tzinfo=UTC)],
        ),
    ],
)
def test_each_part_that_is_given_is_a_condition_more_with_its_own_argument(
    chosen: Filter, further: str, arguments: list[Any]
) -> None:
    where = conditions(chosen, NOON)
    assert where.sql == ALWAYS + further
    assert where.arguments == (NOON, *arguments)
    assert where.place() == f"${len(arguments) + 2}"


def test_a_value_is_an_argument_and_never_part_of_the_sql() -> None:
    sly = "'); DELETE FROM ledger.triggers; --"
    where = conditions(Filter(campaigns=(sly,), reasons=(sly,), statuses=(400,)), NOON)
    assert "DELETE" not in where.sql
    assert where.arguments == (NOON, [sly], [sly], [400])


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (Filter(), {"all": True}),
        (Filter(request_ids=(ONE,)), {"request_ids": [str(ONE)]}),
        (
            Filter(states=("rejected",), statuses=(400, 422), since=timedelta(hours=2)),
            {"states": ["rejected"], "statuses": [400, 422], "since": "2026-11-25T10:00:00Z"},
        ),
    ],
)
def test_the_ledger_keeps_what_was_given_with_moments_for_durations(chosen: Filter, kept: dict[str, Any]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(described(chosen, NOON))) == kept
