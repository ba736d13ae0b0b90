"""``ajo-dispatch dead redrive`` and ``discard``: never by accident, told before and after, whole when cut off."""

import getpass
import os
import pty
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ajo_local.processes import Processes, environment
from ajo_worker.deadletters.redriving import BATCH
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.dead_letters import put_letter, put_letters
from tests.support.ledger_rows import ago, put_trigger
from tests.support.programs import PLAIN, PROGRAM, Finished
from tests.support.waiting import DEADLINE_SECONDS, wait_until

Cli = Callable[..., Finished]
WHY = ("--why", "the campaign is live again")

GATE = 4712
FUNCTION = f"""
    create function wait_at_the_gate() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock({GATE}); return coalesce(new, old); end $$
"""
TRIGGER = """
    create trigger gate before update or delete on ledger.held_payloads for each row when (old.request_id = '{}')
    execute function wait_at_the_gate()
"""
AT_THE_GATE = f"select pid from pg_locks where locktype = 'advisory' and objid = {GATE} and not granted"
CONNECTED = "select from pg_stat_activity where pid = $1"
EVERYTHING = """
    select (select array_agg(t::text order by request_id) from ledger.triggers t) as triggers,
           (select array_agg(h::text order by request_id) from ledger.held_payloads h) as held,
           (select count(*)::int from ledger.operations) as operations,
           (select count(*)::int from ledger.operation_triggers) as noted
"""


@pytest.fixture
def dead(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str, **more: Any) -> Finished:
        return run_cli("dead", *arguments, env={"AJO_DATABASE_URL": database_url, **more})

    return run


@pytest.fixture
async def gate(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Has the gate shut, until it unlocks it."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("select pg_advisory_lock($1)", GATE)
    yield connection
    connection.terminate()


def states(url: str) -> Counter[str]:
    rows = query(url, "select state, count(*)::int as n from ledger.triggers group by 1")
    return Counter({row["state"]: row["n"] for row in rows})


def held(url: str) -> int:
    return int(query(url, "select count(*)::int as n from ledger.held_payloads")[0]["n"])


def answer_on_a_terminal(url: str, answer: str, *arguments: str) -> Finished:
    """Run a command whose standard input is a terminal, on which somebody answers."""
    terminal, end = pty.openpty()
    try:
        os.write(terminal, f"{answer}\n".encode())
        done = subprocess.run(
            [PROGRAM, "dead", *arguments],
            env={**environment(), **PLAIN, "AJO_DATABASE_URL": url},
            stdin=end,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(end)
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("redrive", *WHY, "--yes"), "say which dead letters (ids, --campaign, …), or --all"),
        (("discard", *WHY, "--yes"), "say which dead letters (ids, --campaign, …), or --all"),
        (("discard", "--all", "--state", "expired", *WHY, "--yes"), "either all dead letters, or those that a filter"),
        (("redrive", "--all", "--yes"), "say why"),
        (("redrive", "--all", "--yes", "--why", " "), "must be a text of 1 to 512 characters"),
        (("redrive", "--all", *WHY, "--yes", "--operator", ""), "must be a text of 1 to 512 characters"),
        (("redrive", "--all", *WHY), "there is no terminal to ask on: give --yes, or --dry-run first"),
        (("discard", "--all", *WHY), "there is no terminal to ask on: give --yes, or --dry-run first"),
        (("redrive", "--all", *WHY, "--yes", "--rate", "0"), "--rate"),
        (("redrive", "--all", *WHY, "--yes", "--state", "accepted"), "--state"),
    ],
)
def test_wrong_usage_changes_nothing(dead: Cli, database_url: str, arguments: tuple[str, ...], told: str) -> None:
    put_letter(database_url)
    before = query(database_url, EVERYTHING)
    done = dead(*arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert query(database_url, EVERYTHING) == before


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(dead: Cli, database_url: str) -> None:
    for _ in range(3):
        put_letter(database_url)
    put_letter(database_url, campaign="flash-sale", state="unconfirmed", reason="conflict", status=409)
    put_letter(database_url, state="expired", reason="budget-spent", expires_at=ago(hours=1))
    before = query(database_url, EVERYTHING)
    done = dead("redrive", "--all", "--dry-run", "--rate", "2")
    assert (done.code, done.err) == (0, "")
    assert query(database_url, EVERYTHING) == before
    lines = done.out.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["order-shipped", "rejected", "bad-request", "3", "0"],
        ["flash-sale", "unconfirmed", "conflict", "0", "1"],
        ["order-shipped", "expired", "budget-spent", "0", "1"],
    ]
    assert lines[5] == "3 dead letters to redrive; at 2 a second, the last one goes on within 2 s"
    assert lines[6].startswith("1 dead letter left out: unconfirmed, ")
    assert lines[7].startswith("1 dead letter left out: past the end ")
    assert lines[8:] == ["Nothing was changed (dry run)"]
    discarded = dead("discard", "--all", "--dry-run")
    assert "5 dead letters to discard\nNothing was changed (dry run)\n" in discarded.out
    assert query(database_url, EVERYTHING) == before


def test_what_was_asked_for_is_done_and_told_with_who_and_why(dead: Cli, database_url: str) -> None:
    put_letter(database_url)
    kept = put_letter(database_url, campaign="flash-sale", state="unconfirmed", reason="conflict")
    done = dead("redrive", "--all", "--yes", *WHY)
    number, user = query(database_url, "select operation_id, operator from ledger.operations")[0].values()
    assert (done.code, done.err, user) == (0, "", getpass.getuser())
    assert done.out.splitlines()[0] == (
        f"1 dead letter redriven in operation {number}; at 50 a second, the last one goes on within 1 s"
    )
    assert done.out.splitlines()[1].startswith("1 dead letter left out: unconfirmed, ")
    assert states(database_url) == {"parked": 1, "unconfirmed": 1}
    again = dead("redrive", "--all", "--yes", *WHY)
    assert again.code == 1
    assert again.err == "error: nothing to redrive: all that fit are left out\n"
    discarded = dead("discard", str(kept), "--yes", "--why", "sold out", "--operator", "grace")
    assert (discarded.code, discarded.out) == (0, f"1 dead letter discarded in operation {number + 1}\n")
    found = query(database_url, "select operator, action, reason from ledger.operations order by operation_id desc")
    assert found[0] == {"operator": "grace", "action": "discard", "reason": "sold out"}
    assert states(database_url) == {"parked": 1, "unconfirmed": 1}
    assert dead("discard", "--all", "--yes", *WHY).err == "error: no dead letter fits\n"


def test_ids_of_no_dead_letters_are_named_and_the_others_done(dead: Cli, database_url: str) -> None:
    good, sent = put_letter(database_url), put_trigger(database_url, ago(), state="accepted")
    done = dead("redrive", str(good), str(sent), "--yes", *WHY)
    assert done.code == 1
    assert done.out.startswith("1 dead letter redriven in operation ")
    assert done.err == f"error: {sent} is no dead letter: it is accepted\n"
    assert states(database_url) == {"parked": 1, "accepted": 1}


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 0), ("n", 1, 1), ("", 1, 1)])
def test_a_person_is_shown_the_plan_and_asked(database_url: str, answer: str, code: int, left: int) -> None:
    put_letter(database_url)
    done = answer_on_a_terminal(database_url, answer, "discard", "--all", *WHY)
    assert done.code == code
    assert "1 dead letter to discard" in done.out
    assert "Discard 1 dead letter?" in done.err
    assert held(database_url) == left


@pytest.mark.parametrize("action", ["redrive", "discard"])
@pytest.mark.parametrize(
    ("ended_by", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)], ids=["kill -9", "Ctrl-C"]
)
async def test_cut_off_in_the_middle_it_leaves_whole_batches_and_the_next_one_does_the_rest(
    action: str, ended_by: signal.Signals, code: int, gate: asyncpg.Connection, database_url: str,
    processes: Processes, dead: Cli,
) -> None:  # fmt: skip
    ids = sorted(uuid7() for _ in range(2 * BATCH))
    put_letters(database_url, ids)
    query(database_url, FUNCTION)
    query(database_url, TRIGGER.format(ids[BATCH + 50]))
    command: list[str | Path] = [PROGRAM, "dead", action, "--all", "--yes", *WHY]
    running = processes.start(action, command, env={"AJO_DATABASE_URL": database_url})
    server = wait_until(lambda: query(database_url, AT_THE_GATE), what="its second batch is under way")[0]["pid"]
    running.popen.send_signal(ended_by)
    assert running.popen.wait(DEADLINE_SECONDS) == code
    await gate.execute("select pg_advisory_unlock($1)", GATE)
    wait_until(lambda: not query(database_url, CONNECTED, server), what="the end of its connection")

    noted = "select request_id from ledger.operation_triggers order by request_id"
    assert [row["request_id"] for row in query(database_url, noted)] == ids[:BATCH]
    assert [row["triggers"] for row in query(database_url, "select triggers from ledger.operations")] == [BATCH]
    if action == "redrive":
        assert states(database_url) == {"parked": BATCH, "rejected": BATCH}
    else:
        assert held(database_url) == BATCH
    if ended_by is signal.SIGINT:
        assert f"{BATCH} dead letters {'redriven' if action == 'redrive' else 'discarded'} so far" in running.output()

    again = dead(action, "--all", "--yes", *WHY)
    assert again.code == 0
    assert [row["request_id"] for row in query(database_url, noted)] == ids
    assert {row["fence"] for row in query(database_url, "select fence from ledger.triggers")} <= {1, 2}
    assert states(database_url) == ({"parked": 2 * BATCH} if action == "redrive" else {"rejected": 2 * BATCH})
