"""Who lives: one condition, by the time-out in the worker's own row."""

from typing import Any

import pytest

from tests.support.database import query
from tests.support.ledger_rows import ago, put_worker

ASKED = """
    select ledger.lives(w) as lives, ledger.worker_status(w) as status,
           upper_inf(during) or upper(during) = 'infinity' as on,
           upper(during) as until, ledger.last_sign(w) as sign, pg_postmaster_start_time() as start
    from ledger.workers w cross join lateral (select ledger.lived(w) as during) as l where worker_id = $1
"""
HOUR = 3600.0


def asked(url: str, **columns: Any) -> dict[str, Any]:
    """What is said of a worker with this row."""
    found = query(url, ASKED, put_worker(url, started_at=ago(hours=9), **columns))[0]
    assert found["lives"] is (found["status"] == "alive") is found["on"]
    return found


@pytest.mark.parametrize(
    ("age", "owner_timeout", "stopped", "status"),
    [
        (20.0, 60.0, False, "alive"),
        (20.0, 0.0, False, "dead"),
        (0.0, 0.0, False, "dead"),
        (20.0, 60.0, True, "stopped"),
        (0.0, 60.0, True, "stopped"),
    ],
)
def test_a_worker_lives_for_its_own_time_out_after_a_heartbeat_unless_it_stopped(
    database_url: str, age: float, owner_timeout: float, stopped: bool, status: str
) -> None:
    at = ago(seconds=age)
    columns = {"heartbeat_at": at, "stopped_at": at if stopped else None}
    found = asked(database_url, owner_timeout_seconds=owner_timeout, **columns)
    assert found["status"] == status
    if status != "alive":
        assert found["until"] == at, "it lived until the last that is known of it"


def test_the_databases_start_is_a_heartbeat_of_all_that_had_not_stopped(database_url: str) -> None:
    start = query(database_url, "select pg_postmaster_start_time() as start")[0]["start"]
    long_ago = ago(hours=8)
    up = (ago() - start).total_seconds()
    silent = asked(database_url, heartbeat_at=long_ago, owner_timeout_seconds=up + HOUR)
    assert (silent["status"], silent["sign"]) == ("alive", start)
    stopped = asked(database_url, heartbeat_at=long_ago, stopped_at=long_ago, owner_timeout_seconds=up + HOUR)
    assert (stopped["status"], stopped["sign"]) == ("stopped", long_ago)


def test_of_no_row_nothing_lives(database_url: str) -> None:
    (found,) = query(
        database_url,
        "select ledger.lives(w) as lives, ledger.worker_status(w) as status "
        "from (values (1)) as one left join ledger.workers w on false",
    )
    assert (found["lives"], found["status"]) == (False, "unknown")


def test_the_condition_is_part_of_the_plan_of_whoever_asks(database_url: str) -> None:
    """Not a call for each row: so it costs what the text would cost."""
    for asked_for in ("ledger.lives(w)", "lower(ledger.lived(w)) is null", "ledger.worker_status(w) = 'dead'"):
        plan = query(database_url, f"explain (verbose) select from ledger.workers w where {asked_for}")
        assert "pg_postmaster_start_time" in str(plan)
        assert "ledger.l" not in str(plan)
        assert "worker_status" not in str(plan)
