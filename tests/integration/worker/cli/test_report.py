"""``ajo-dispatch report``: what it reads of a ledger whose minutes were rolled up."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.support.database import query
from tests.support.ledger_rows import (
    accepted_after_retries,
    after,
    ago,
    put_attempt,
    put_delivery,
    put_trigger,
    put_worker,
)
from tests.support.programs import Finished

Cli = Callable[..., Finished]
FULL = Path("/dev/full")


@pytest.fixture
def report(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str | Path) -> Finished:
        return run_cli("report", *arguments, env={"AJO_DATABASE_URL": database_url})

    return run


def read(done: Finished) -> Any:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def roll_up(url: str) -> None:
    """Do what a worker does every while."""
    query(url, "select ledger.roll_up(minute) from (select distinct date_trunc('minute', received_at) as minute"
               " from ledger.triggers) as m")  # fmt: skip


def put_slow(url: str, enqueued_at: datetime, seconds: float, **columns: Any) -> UUID:
    """A trigger that Adobe's API accepted after so many seconds."""
    first = after(enqueued_at, 0.51)
    end = after(first, seconds)
    row = {"state": "accepted", "completed_at": end, "first_dispatched_at": first, "attempts_started": 1} | columns
    request_id = put_trigger(url, enqueued_at, **row)
    put_attempt(url, request_id, 1, first, responded_at=end, to_headers_seconds=seconds, to_body_seconds=seconds)
    return request_id


def test_it_says_how_many_were_late_since_when_and_whose_fault_it_was(report: Cli, database_url: str) -> None:
    worker, early, late = put_worker(database_url, started_at=ago(hours=9)), ago(minutes=30), ago(minutes=10)
    for number in range(8):
        put_slow(database_url, early, 0.5, owner=worker)
        if number < 3:
            put_slow(database_url, late, 20 + number, owner=worker)
    roll_up(database_url)
    found = read(report("--since", "2h", "--json"))
    assert (found["counts"]["triggers"], found["counts"]["accepted"], found["counts"]["late"]) == (11, 11, 3)
    assert [(span["triggers"], span["late"]) for span in found["late_spans"]] == [(3, 3)]
    assert datetime.fromisoformat(found["late_spans"][0]["since"]) == after(late, 0.5).replace(second=0, microsecond=0)
    charged = {row["system"]: row for row in found["systems"]}
    assert charged["adobe-api"]["triggers"] == 3
    assert charged["adobe-api"]["seconds"] == pytest.approx(63, abs=0.1)
    answer = report("--since", "2h").out
    assert answer.startswith("Yes: 3 of 11 triggers (27.3%) were late, ")
    assert answer.endswith("all of their delay is charged to Adobe's API.\n")


def test_what_no_feedback_told_is_not_known_and_not_none(report: Cli, database_url: str, tmp_path: Path) -> None:
    request_id = put_slow(database_url, ago(minutes=30), 0.5)
    put_slow(database_url, ago(minutes=30), 0.5, state="rejected")
    roll_up(database_url)
    page = tmp_path / "report.html"
    counts = read(report("--html", page, "--json"))["counts"]
    assert (counts["departed"], counts["delivered"], counts["failed"]) == (None, None, None)
    assert "<dt>Delivered</dt><dd>not known</dd>" in page.read_text(encoding="utf-8")
    put_delivery(database_url, request_id, departed_at=ago(minutes=29))
    roll_up(database_url)
    counts = read(report("--json"))["counts"]
    assert (counts["departed"], counts["delivered"], counts["failed"]) == (1, 0, 0)


def test_percentiles_are_of_all_campaigns_together_and_of_each(report: Cli, database_url: str) -> None:
    put_worker(database_url, started_at=ago(hours=9))
    for _ in range(3):
        put_slow(database_url, ago(minutes=30), 0.5)
    put_slow(database_url, ago(minutes=20), 8, campaign="flash-sale")
    roll_up(database_url)
    found = read(report("--json"))
    campaigns = {row["campaign"]: row for row in found["campaigns"]}
    assert campaigns["order-shipped"]["end_to_end"]["p99"] == pytest.approx(1.01, rel=0.06)
    assert campaigns["flash-sale"]["end_to_end"]["longest"] == pytest.approx(8.51)
    headers = next(row for row in found["phases"] if row["phase"] == "headers")
    assert headers["spread"]["triggers"] == 4
    assert headers["spread"]["longest"] == pytest.approx(8)
    assert headers["system"] == "adobe-api"
    assert [moment["counts"]["triggers"] for moment in found["times"]] in ([3, 1], [4])
    one = read(report("--campaign", "flash-sale", "--json"))
    assert (one["counts"]["triggers"], len(one["worst"])) == (1, 1)


def test_the_slowest_come_first_with_their_timeline_and_name_nobody(report: Cli, database_url: str) -> None:
    put_slow(database_url, ago(minutes=20), 3)
    slow = accepted_after_retries(database_url)
    operation = "insert into ledger.operations (done_at, triggers, operator, action, reason, chosen) values (now(), 1, "
    query(database_url, operation + "'jane', 'redrive', 'asked by jane@example.com', '{}')")
    query(
        database_url,
        "insert into ledger.operation_triggers select operation_id, $1, 1, 'accepted' from ledger.operations",
        slow,
    )
    roll_up(database_url)
    done = report("--json")
    found = read(done)
    assert found["worst"][0]["request_id"] == str(slow)
    events = [event["event"] for event in found["worst"][0]["timeline"]]
    assert events[:3] == ["occurred", "enqueued", "received"]
    assert {"redrive", "accepted"} <= set(events)
    assert "jane" not in done.out


def test_possible_duplicates_are_counted_by_cause(report: Cli, database_url: str) -> None:
    accepted_after_retries(database_url)
    roll_up(database_url)
    found = read(report("--json"))
    assert found["duplicates"] == [{"causes": ["ambiguous-answer"], "triggers": 1, "accepted_twice": 0}]
    assert found["counts"]["possible_duplicates"] == 1


@pytest.mark.parametrize("command", [("report", "--json"), ("top", "--once")])
def test_an_auditor_who_may_read_nothing_but_audit_can_make_it(
    run_cli: Cli, database_url: str, command: tuple[str, ...]
) -> None:
    accepted_after_retries(database_url)
    roll_up(database_url)
    joint = "&" if "?" in database_url else "?"
    env = {"AJO_DATABASE_URL": f"{database_url}{joint}role=ajo_auditor"}
    done = run_cli(*command, env=env)
    assert (done.code, done.err) == (0, "")
    assert "permission denied" in run_cli("dead", "list", env=env).err, "the role is an auditor's"


def test_a_while_can_end_earlier_than_now(report: Cli, database_url: str) -> None:
    put_slow(database_url, ago(minutes=10), 1)
    put_slow(database_url, ago(minutes=90), 1)
    roll_up(database_url)
    until = (ago(minutes=30)).isoformat()
    found = read(report("--since", "2h", "--until", until, "--json"))
    assert found["counts"]["triggers"] == 1
    assert report("--until", "yesterday").code == 2


def test_outages_are_those_that_reach_into_the_while(report: Cli, database_url: str) -> None:
    for scope, opened, ended in (("destination:standard@a.example.com", 300, 200), ("campaign:flash-sale", 100, None)):
        query(database_url, "insert into ledger.outages (opened_at, ended_at, scope, reason, opened_by, evidence)"
                            " values ($1, $2, $3, 'sustained-failures', 'jane', '{}')",
              ago(minutes=opened), None if ended is None else ago(minutes=ended), scope)  # fmt: skip
    assert [row["scope"] for row in read(report("--since", "2h", "--json"))["outages"]] == ["campaign:flash-sale"]
    assert len(read(report("--since", "4h", "--json"))["outages"]) == 2
    assert read(report("--since", "2h", "--campaign", "order-shipped", "--json"))["outages"] == []


def test_tables_and_page_are_written(report: Cli, database_url: str, tmp_path: Path) -> None:
    accepted_after_retries(database_url)
    roll_up(database_url)
    done = report("--html", tmp_path / "report.html", "--csv", tmp_path / "tables")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1:] == [f"written: {tmp_path / 'report.html'}", f"written: {tmp_path / 'tables'}"]
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    with (tmp_path / "tables/campaigns.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["campaign"], row["triggers"]) for row in rows] == [("order-shipped", "1")]


def test_a_page_without_its_extra_says_what_to_install(run_cli: Cli, database_url: str, tmp_path: Path) -> None:
    (tmp_path / "jinja2.py").write_text("raise ModuleNotFoundError('none', name='jinja2')\n")
    env = {"AJO_DATABASE_URL": database_url, "PYTHONPATH": str(tmp_path)}
    done = run_cli("report", "--html", tmp_path / "report.html", env=env)
    assert done.code == 2
    assert done.err == "error: this command needs the package jinja2: install ajo-dispatch[report]\n"
    assert run_cli("report", "--json", env=env).code == 0


def test_an_empty_ledger_has_a_report_too(report: Cli, tmp_path: Path) -> None:
    done = report("--html", tmp_path / "report.html")
    assert (done.code, done.out.splitlines()[0]) == (0, "No trigger was received.")
    assert read(report("--json"))["computed_until"] is None


def test_a_page_that_cannot_be_written_is_a_failure(report: Cli, tmp_path: Path) -> None:
    done = report("--html", tmp_path / "no" / "report.html")
    assert (done.code, done.err) == (1, f"error: {tmp_path}/no/report.html: No such file or directory\n")


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_a_page_that_a_full_disk_ends_is_named(report: Cli) -> None:
    done = report("--html", FULL)
    assert (done.code, done.err) == (1, f"error: {FULL}: No space left on device\n")


@pytest.mark.parametrize("option", ["--html", "--csv"])
def test_a_dash_is_no_file(report: Cli, option: str) -> None:
    done = report(option, "-")
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for {option}" in done.err


def test_steps_cover_the_while_with_what_was_received_in_them(report: Cli, database_url: str) -> None:
    received = [ago(minutes=number) for number in (5, 65, 66, 700)]
    for moment in received:
        put_slow(database_url, moment, 0.2)
    roll_up(database_url)
    found = read(report("--since", "24h", "--json"))
    assert found["step_seconds"] == 600
    begins = [datetime.fromisoformat(moment["at"]) for moment in found["times"]]
    assert all(begin.minute % 10 == 0 and begin.second == 0 for begin in begins)
    for moment in received:
        assert any(begin <= after(moment, 0.5) < begin + timedelta(minutes=10) for begin in begins)


def test_a_day_is_that_of_the_time_zone_and_both_are_named(run_cli: Cli, database_url: str, tmp_path: Path) -> None:
    zone = ZoneInfo("Pacific/Auckland")
    noon = datetime.combine(datetime.now(zone).date() - timedelta(days=1), time(12), zone)
    put_worker(database_url, started_at=noon - timedelta(days=3))
    for hours, number in ((-13, 1), (-11.5, 2), (0, 4), (11.5, 8), (12.5, 16)):
        for _ in range(number):
            put_slow(database_url, (noon + timedelta(hours=hours)).astimezone(UTC), 20)
    roll_up(database_url)
    env = {"AJO_DATABASE_URL": database_url, "AJO_TIME_ZONE": "Pacific/Auckland"}
    found = read(run_cli("report", "--day", "yesterday", "--json", env=env))
    assert (found["counts"]["triggers"], found["counts"]["late"]) == (14, 14)
    assert (found["time_zone"], found["day"]) == ("Pacific/Auckland", f"{noon.date()}")
    page = tmp_path / "report.html"
    said = run_cli("report", "--day", f"{noon.date()}", "--html", page, env=env).out
    assert said.startswith(f"{noon.date()} (Pacific/Auckland). Yes: 14 of 14 triggers (100%) were late, in 3 spells ")
    assert "All times are Pacific/Auckland." in page.read_text(encoding="utf-8")
    delays = run_cli("delays", "--day", "yesterday", env=env).out
    assert delays.startswith(f"14 triggers received on {noon.date()} (Pacific/Auckland) came to the end")


@pytest.mark.parametrize(
    ("arguments", "zone", "told"),
    [
        (["report", "--day", "tomorrow"], "UTC", "must be today, yesterday, or a day such as 2026-11-25"),
        (["report", "--day", "9999-12-31"], "UTC", "must be today, yesterday, or a day such as 2026-11-25"),
        (["delays", "--day", "0001-01-01"], "Asia/Tokyo", "must be today, yesterday, or a day such as 2026-11-25"),
        (["report", "--until", "0001-01-01"], "Asia/Tokyo", "must be a time such as 2026-11-25T14:00"),
        (["report", "--until", "9999-12-31T23:59"], "America/Lima", "must be a time such as 2026-11-25T14:00"),
        (["report", "--day", "today", "--since", "1h"], "UTC", "only without --since and --until"),
        (["delays", "--day", "today", "--since", "1h"], "UTC", "only without --since"),
        (["report", "--day", "today"], "Berlin", "AJO_TIME_ZONE: must be the IANA name of a time zone"),
    ],
)
def test_what_is_no_day_or_no_zone_is_wrong_usage(arguments: list[str], zone: str, told: str, run_cli: Cli) -> None:
    done = run_cli(*arguments, env={"AJO_TIME_ZONE": zone})
    assert (done.code, done.out) == (2, "")
    assert told in done.err
