"""Fault 5, once more: single sessions of workers frozen one after another, and rows that somebody keeps locked."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.support.waiting import wait_until

ROLES = {
    "admissions": "INSERT INTO ledger.triggers (",
    "records": "SET state = 'accepted', completed_at",
    "heartbeat": "INSERT INTO ledger.workers (",
    "leases": "INSERT INTO ledger.rate_limits AS l (scope, next_at)",
    "patrol": "FROM ledger.held_payloads",
}
"""What each session of a worker was asked last, again and again."""
SESSIONS = """
    select pid, application_name, clock_timestamp() as now from pg_stat_activity
    where datname = current_database() and application_name like 'ajo-dispatch %' and strpos(query, $1) > 0
      and state = any($2) and backend_start > $3
"""
IDLE, ANY = ["idle"], ["idle", "active", "idle in transaction"]
EVER = datetime.fromisoformat("2000-01-01T00:00:00Z")
STOPPED = "T"
MOST_LOCKED = 20


@fault(
    "database-backends-frozen",
    5,
    f"of the workers' sessions one after another is frozen until another does its work: {', '.join(ROLES)}",
    duplicates=False,
    count=2_500,
    seconds=65,
    smoke=True,
)
def backends_frozen(run: Run) -> None:
    run.when_done(0.05)
    for role, asked in ROLES.items():
        with frozen_session(run, asked) as session:
            name, since = session["application_name"], session["now"]
            wait_until(
                lambda asked=asked, name=name, since=since: name in _names(run, asked, since),  # type: ignore[misc] # bound now
                what=f"another session does the work of the frozen one ({role})",
            )
            if _state(session["pid"]) != STOPPED:
                raise AssertionError(f"the session of {role} was not frozen all the time")
        if not run.stream.flowing:
            return  # in the short form: the others have no more work, and nobody would miss them


@contextmanager
def frozen_session(run: Run, asked: str) -> Iterator[dict[str, Any]]:
    """A session of a worker that was asked this, frozen while it waits for its worker: it has locked nothing."""
    found: list[dict[str, Any]] = []

    def catch() -> bool:
        for session in run.query(SESSIONS, asked, IDLE, EVER):
            os.kill(session["pid"], signal.SIGSTOP)
            if session["pid"] in {one["pid"] for one in run.query(SESSIONS, asked, IDLE, EVER)}:
                found.append(session)
                return True
            os.kill(session["pid"], signal.SIGCONT)
        return False

    wait_until(catch, what=f"a session that was asked {asked!r} waits")
    try:
        yield found[0]
    finally:
        os.kill(found[0]["pid"], signal.SIGCONT)


def _names(run: Run, asked: str, since: datetime) -> set[str]:
    return {session["application_name"] for session in run.query(SESSIONS, asked, ANY, since)}


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


@fault(
    "database-rows-locked",
    5,
    "somebody keeps rows of triggers that are being sent locked, until all others are done",
    duplicates=False,
    count=1_000,
    seconds=25,
)
def rows_locked(run: Run) -> None:
    run.when_done(0.2)
    with psycopg.connect(run.database_url) as holder:
        locked = wait_until(lambda: _lock_some(holder), what="rows are locked")
        run.stream.join()
        others = len(run.stream.confirmed) - len(locked)
        wait_until(lambda: run.done() >= others, what="all others are done")
        if run.done() > others:
            raise AssertionError("the rows were not locked all the time")


def _lock_some(holder: "psycopg.Connection[Any]") -> list[Any]:
    sending = "select request_id from ledger.triggers where state = 'sending' limit %s for update skip locked"
    return holder.execute(sending, [MOST_LOCKED]).fetchall()
