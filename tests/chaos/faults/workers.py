"""Faults 1 to 3: workers that are killed, told to stop, or frozen."""

import os
import signal
import time

from tests.chaos.plan import fault
from tests.chaos.run import SENDING, Run
from tests.support.waiting import wait_until

FROZEN_SECONDS = 25.0
SHORT_BUDGET = 8.0
CRASHED = ("accepted", "unconfirmed")
"""A dead worker's message may come back when the budget of its triggers is over: what was in flight stays unknown."""


@fault("worker-sigkill", 1, "one of two workers is killed, and another started", states=CRASHED, smoke=True)
def sigkill(run: Run) -> None:
    run.when_done(0.2)
    run.kill_worker(run.workers[0])
    run.start_worker()


@fault("worker-sigkill-ten-times", 1, "a worker is killed every few seconds, ten times", states=CRASHED, seconds=30)
def sigkill_ten_times(run: Run) -> None:
    run.when_done(0.05)
    for _ in range(10):
        run.kill_worker(run.chance.choice(run.workers))
        run.start_worker()
        run.hold(run.chance.uniform(0.5, 2))


@fault("worker-sigkill-all", 1, "all workers are killed at once, and started again", states=CRASHED)
def sigkill_all(run: Run) -> None:
    run.when_done(0.3)
    for worker in run.workers[:]:
        os.kill(worker.child.pid, signal.SIGSTOP)  # so that none works on while another is being killed
    for worker in run.workers[:]:
        run.kill_worker(worker)
    run.start_worker()
    run.start_worker()


@fault(
    "worker-sigkill-spent-budget",
    1,
    f"all workers are killed while every call fails; budgets of {SHORT_BUDGET:g} s go on across it",
    states=("accepted", "expired", "unconfirmed"),
    count=2_000,
    seconds=4,
    soon=True,
    AJO_BUDGET_SECONDS=str(SHORT_BUDGET),
    AJO_OUTAGE_FAILURES="1000000",  # else it would be an outage, and no budget would be spent
)
def sigkill_spent_budget(run: Run) -> None:
    run.script(f'[[fault]]\nuntil = {2 * SHORT_BUDGET}\nkind = "status"\nstatus = 503')
    wait_until(lambda: len(run.query(SENDING)) > run.count // 10, what="a tenth of the triggers is in flight")
    run.hold(SHORT_BUDGET / 2)
    for worker in run.workers[:]:
        run.kill_worker(worker)
    run.start_worker()
    run.start_worker()


@fault(
    "worker-sigterm-rolling",
    2,
    "workers are replaced one after another; one always works",
    duplicates=False,
    smoke=True,
)
def rolling_restart(run: Run) -> None:
    run.when_done(0.1)
    for worker in run.workers[:]:
        run.start_worker()
        before = run.done()
        code = run.retire_worker(worker)
        if code != 0:
            raise AssertionError(f"a worker ended with exit code {code} at SIGTERM")
        run.until_more_than(before)


@fault("worker-sigterm-twice", 2, "a worker is told to stop twice: it ends at once", states=CRASHED)
def sigterm_twice(run: Run) -> None:
    run.when_done(0.2)
    worker = run.workers[0]
    run.start_worker()
    os.kill(worker.child.pid, signal.SIGTERM)
    time.sleep(0.2)  # two signals at the same moment are one
    os.kill(worker.child.pid, signal.SIGTERM)
    run.retire_worker(worker)
    run.suspect_in_flight()


@fault("worker-sigquit", 2, "a worker is told to end at once (SIGQUIT)", states=CRASHED)
def sigquit(run: Run) -> None:
    run.when_done(0.2)
    worker = run.workers[0]
    run.start_worker()
    os.kill(worker.child.pid, signal.SIGQUIT)
    wait_until(lambda: not worker.child.running, what="its end")
    run.retire_worker(worker)
    run.suspect_in_flight()


@fault(
    "worker-frozen",
    3,
    f"a worker is frozen (SIGSTOP) for {FROZEN_SECONDS:g} s while another works",
    states=CRASHED,
    seconds=20,
    alone=True,
)
def frozen(run: Run) -> None:
    run.when_done(0.2)
    run.script(
        '[[fault]]\nshare = 0.5\nattempts = 3\nkind = "status"\nstatus = 503'
    )  # so that many are between attempts
    run.hold(2)
    worker = run.workers[0]
    os.kill(worker.child.pid, signal.SIGSTOP)
    run.suspect_in_flight()
    run.hold(FROZEN_SECONDS)
    os.kill(worker.child.pid, signal.SIGCONT)
