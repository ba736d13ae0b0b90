"""Fault 9: clocks that are wrong: a producer's by an hour, workers' and the database's set in the middle of budgets."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial

from ajo_local.processes import environment

from tests.chaos.faults.workers import CRASHED
from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import PLANTED_DOMAIN
from tests.chaos.wall_clock import MISSING, WallClock
from tests.support.programs import PROGRAM
from tests.support.waiting import wait_until

LINES = 1_000
HOUR, DAY = 3_600, 86_400
BUDGET = 20


@fault(
    "clock-of-producer", 9, "two producers' clocks are an hour early and an hour late", duplicates=False, unless=MISSING
)
def producer_off(run: Run) -> None:
    for name, offset in (("early", HOUR), ("late", -HOUR)):
        publish(run, name, WallClock(run.folder, offset))
    shifted = run.query(
        "select count(*) as n from audit.delays where abs(extract(epoch from received_at - enqueued_at)) > 3000"
    )[0]["n"]
    if not shifted:
        raise AssertionError("the producers' clocks were not off")
    run.when_done(0.2)


def publish(run: Run, name: str, clock: WallClock, *options: str) -> None:
    """Publish triggers from a process with a clock of its own."""
    file, receipts = run.folder / f"{name}.jsonl", run.folder / f"{name}.receipts"
    lines = ({"to": f"{name}{n}@{PLANTED_DOMAIN}", "context": {"orderId": str(n)}} for n in range(LINES))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    subprocess.run(
        [str(PROGRAM), "trigger", "order-shipped", "--from", str(file), "--receipts", str(receipts), *options],
        env={**environment(), **run.env, **clock.env},
        stdout=subprocess.DEVNULL, check=True, timeout=120,
    )  # fmt: skip
    ids = {json.loads(line)["request_id"] for line in receipts.read_text(encoding="utf-8").splitlines()[1:]}
    run.stream.offered |= ids
    run.stream.confirmed |= ids


@fault("clock-of-worker", 9, "workers' wall clocks are stepped by an hour, forth and back, again and again",
       duplicates=False, unless=MISSING, seconds=15)  # fmt: skip
def worker_stepped(run: Run) -> None:
    clock = WallClock(run.folder)
    for worker in run.workers[:]:
        run.start_worker(**clock.env)
        run.retire_worker(worker)
    run.script('[[fault]]\nshare = 0.5\nattempts = 2\nkind = "status"\nstatus = 503')
    for offset in (HOUR, -HOUR, 0) * 3:
        clock.step(offset)
        wait_until(partial(_are_off, run, offset), what=f"both workers' clocks are {offset} s off")


def _are_off(run: Run, seconds: int) -> bool:
    """Whether all living workers' clocks are off by so much."""
    rows = run.query("select clock_skew_seconds as skew from ledger.workers where stopped_at is null")
    return {round(row["skew"]) for row in rows} == {seconds}


@fault(
    "clock-of-database-back",
    9,
    f"the database's clock is set back by 60 s, and by 10 s, and a worker killed each time; budgets of {BUDGET} s",
    states=("accepted", "expired", "unconfirmed"),
    outages=False,
    seconds=20,
    unless=MISSING,
    alone=True,
    soon=True,
    AJO_BUDGET_SECONDS=str(BUDGET),
    AJO_OUTAGE_FAILURES="1000000",  # else it would be an outage, and no budget would be spent
)
def database_set_back(run: Run) -> None:
    run.script('[[fault]]\nshare = 0.7\nuntil = 30\nkind = "status"\nstatus = 503')
    run.when_done(0.1)
    for seconds in (60, 10):
        run.set_database_clock(run.database_clock_error - seconds)
        run.kill_worker(run.workers[0])
        run.start_worker()
        run.hold(BUDGET / 2)
    wait_until(lambda: run.query("select from audit.alerts where alert = 'clock-step'"), what="the alert", timeout=120)
    run.rest_and_set_right()


@fault(
    "clock-of-database-leaps",
    9,
    "the database's clock leaps a day forward, and back, again and again",
    duplicates=False,
    outages=False,
    seconds=20,
    unless=MISSING,
    alone=True,
)
def database_leaps(run: Run) -> None:
    run.script('[[fault]]\nshare = 0.3\nattempts = 1\nkind = "status"\nstatus = 503')
    for seconds in (DAY, 0) * 3:
        run.set_database_clock(seconds)
        before = run.done()
        run.hold(3)
        run.until_more_than(before)
    run.rest_and_set_right()


@fault(
    "clock-of-database-start",
    9,
    "the database starts while its clock is a day early; then that is set right, and a worker is killed",
    states=CRASHED,
    outages=False,
    seconds=20,
    unless=MISSING,
    alone=True,
)
def database_started_early(run: Run) -> None:
    """Its start counts as a heartbeat of all, and lies a day ahead: the dead worker must not live for that long."""
    run.when_done(0.1)
    run.set_database_clock(DAY)
    run.postgres.stop()
    run.postgres.start()
    before = run.done()
    wait_until(lambda: run.done() > before, what="the workers go on", timeout=60)
    run.set_database_clock(0)
    run.kill_worker(run.workers[0])
    run.start_worker()
    run.rest_and_set_right()


@fault(
    "clock-midnight",
    9,
    "midnight comes (UTC), by the clocks of database and producer; the partitions of both days are missing",
    duplicates=False,
    outages=False,
    seconds=20,
    unless=MISSING,
    alone=True,
)
def midnight(run: Run) -> None:
    run.when_done(0.1)  # by then workers have made the partitions of the days to come, which are others
    now = datetime.now(UTC)
    before = (now + timedelta(days=40)).replace(hour=23, minute=59, second=48)  # of which nothing is made
    offset = round((before - now).total_seconds())
    run.set_database_clock(offset)
    publish(run, "midnight", WallClock(run.folder, offset), "--rate", "50")
    days = "select distinct date_trunc('day', enqueued_at) as day from ledger.triggers_default"
    if len(run.query(days)) < 2:
        raise AssertionError("there are not rows of both days in the default partition")
    wait_until(
        lambda: run.query("select from audit.alerts where alert = 'missing-partitions'"), what="the alert", timeout=120
    )
    run.rest_and_set_right()
