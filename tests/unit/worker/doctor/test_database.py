"""The database: what the facts mean."""

from datetime import date, timedelta
from typing import Any

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.database import (
    Blocker,
    LockTable,
    Rights,
    Room,
    judge_connections,
    judge_durability,
    judge_locks,
    judge_migrations,
    judge_partitions,
    judge_rights,
)

TODAY = date(2026, 11, 25)
DEFAULT = LockTable(each=64, sessions=100)
ALL = {
    "has_schema": True,
    "may_use_schema": True,
    "may_make_partitions": True,
    "read_only": False,
    "standby": False,
    "missing": {},
}


def days(*ahead: int) -> list[date]:
    return [TODAY + timedelta(days=day) for day in ahead]


@pytest.mark.parametrize(
    ("found", "status", "text"),
    [("0002", "ok", "at 0002"), ("0001", "failed", "at 0001; the newest here is 0002"), (None, "failed", "no ledger")],
)
def test_the_schema_must_be_the_newest(found: str | None, status: Status, text: str) -> None:
    check = judge_migrations(found, "0002")
    assert check.status == status
    assert text in check.found


@pytest.mark.parametrize(
    ("facts", "status", "text"),
    [
        ({}, "ok", "may read and write every table"),
        ({"missing": {"INSERT": ["triggers", "attempts"]}}, "failed", "INSERT on attempts, triggers"),
        ({"missing": {"INSERT": ["a"], "UPDATE": ["b"]}}, "failed", "INSERT on a; UPDATE on b"),
        ({"missing": {"INSERT": ["b", "a"], "UPDATE": ["a", "b"]}}, "failed", "INSERT, UPDATE on a, b"),
        ({"may_use_schema": False}, "failed", "USAGE on the schema"),
        ({"may_make_partitions": False}, "failed", "EXECUTE on make_partition"),
        ({"read_only": True}, "failed", "read-only"),
        ({"standby": True, "read_only": True}, "failed", "standby"),
        ({"has_schema": False, "may_use_schema": False}, "skipped", "there is no ledger"),
    ],
)
def test_a_role_must_be_able_to_do_all_that_a_worker_does(facts: dict[str, Any], status: Status, text: str) -> None:
    check = judge_rights(Rights(**{**ALL, **facts}))
    assert check.status == status
    assert text in check.found


@pytest.mark.parametrize(
    ("synchronous_commit", "fsync", "status"),
    [
        ("on", "on", "ok"),
        ("remote_apply", "on", "ok"),
        ("off", "on", "warning"),
        ("local", "on", "warning"),
        ("remote_write", "on", "warning"),
        ("on", "off", "warning"),
    ],
)
def test_commits_should_outlive_a_power_cut(synchronous_commit: str, fsync: str, status: Status) -> None:
    assert judge_durability(synchronous_commit, fsync, None).status == status


@pytest.mark.parametrize(("standbys", "status"), [(None, "ok"), ("", "warning"), ("ANY 1 (a, b)", "ok")])
def test_where_a_standby_may_be_promoted_commits_should_wait_for_it(standbys: str | None, status: Status) -> None:
    assert judge_durability("on", "on", standbys).status == status


FREE = Room(
    server_limit=97, server_used=12, role_limit=None, role_used=9, database_limit=None, database_used=9
)  # fmt: skip


@pytest.mark.parametrize(
    ("room", "pooled", "status", "text"),
    [
        (FREE, None, "ok", "a worker needs up to 15; 97 are allowed, 12 in use"),
        (FREE, 15, "ok", "the pooler in between gives as many at once"),
        (FREE, 14, "warning", "the pooler in between gives 14 at once"),
        (FREE._replace(server_used=82), None, "ok", "97 are allowed, 82 in use"),
        (FREE._replace(server_used=83), None, "warning", "no more than 14 are free"),
        (FREE._replace(server_used=99), None, "warning", "no more than 0 are free"),
        (FREE._replace(role_limit=20), None, "warning", "no more than 11 are free"),
        (FREE._replace(database_limit=23), None, "warning", "no more than 14 are free"),
    ],
)
def test_one_more_worker_should_get_its_connections(room: Room, pooled: int | None, status: Status, text: str) -> None:
    check = judge_connections(room, 15, pooled)
    assert check.status == status
    assert text in check.found


@pytest.mark.parametrize(
    ("blockers", "status", "text"),
    [
        ([], "ok", "no session has waited for another one's lock for 5 s"),
        (
            [Blocker(7, "ada", "psql", "idle in transaction", 2, 61.2)],
            "failed",
            "2 sessions for up to 61 s for process 7 (ada, psql, idle in transaction)",
        ),
        ([Blocker(7, "", "", "", 1, 6.0)], "failed", "for process 7 (, no application name, state not visible)"),
    ],
)
def test_a_lock_that_is_long_waited_for_fails(blockers: list[Blocker], status: Status, text: str) -> None:
    check = judge_locks(blockers)
    assert check.status == status
    assert text in check.found


@pytest.mark.parametrize(
    ("triggers", "attempts", "status", "text"),
    [
        (range(-1, 15), range(-1, 15), "ok", "for today and 14 days ahead"),
        (range(4), range(4), "ok", "for today and 3 days ahead"),
        (range(15), range(3), "warning", "for today and 2 days ahead"),
        ([0, 1, 3, 4, 5], range(15), "warning", "for today and 1 day ahead"),
        ([0], [0], "warning", "for today and 0 days ahead"),
        (range(-9, 0), range(15), "failed", "triggers have none for today: rows go to the default one"),
        ([], [], "failed", "triggers and attempts have none for today: rows go to the default one"),
    ],
)
def test_today_and_the_days_ahead_must_have_partitions(
    triggers: range | list[int], attempts: range | list[int], status: Status, text: str
) -> None:
    check = judge_partitions(TODAY, {"triggers": days(*triggers), "attempts": days(*attempts)}, DEFAULT)
    assert (check.status, check.found) == (status, text)


def test_without_a_ledger_partitions_are_skipped() -> None:
    assert judge_partitions(TODAY, {}, DEFAULT).status == "skipped"


@pytest.mark.parametrize(
    ("past", "room", "status", "do"),
    [
        (118, DEFAULT, "ok", ""),
        (119, DEFAULT, "warning", "set max_locks_per_transaction to 128 and restart PostgreSQL"),
        (400, DEFAULT, "warning", "set max_locks_per_transaction to 256 and restart PostgreSQL"),
        (400, LockTable(256, 100), "ok", ""),
        (400, LockTable(64, 400), "ok", ""),
    ],
)
def test_questions_about_all_days_must_find_room_for_their_locks(
    past: int, room: LockTable, status: Status, do: str
) -> None:
    """Out of it, PostgreSQL refuses whatever asks next, a worker's commit too."""
    has = days(*range(-past, 15))
    check = judge_partitions(TODAY, dict.fromkeys(("triggers", "attempts", "deliveries", "feedback"), has), room)
    assert check.status == status
    assert do in (check.advice or "")
