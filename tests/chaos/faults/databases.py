"""Fault 5: PostgreSQL restarted, killed, frozen, its connections cut, its writes refused, no room for connections."""

import psutil
from ajo_worker.local.processes import LocalStackError

from tests.chaos.plan import fault
from tests.chaos.run import ROLE, Run
from tests.support.database import query
from tests.support.waiting import wait_until

FROZEN_SECONDS = 20.0
REFUSED_SECONDS = 5.0
OURS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()"


@fault("database-restart", 5, "PostgreSQL is restarted, three times", duplicates=False, seconds=15, smoke=True)
def restarted(run: Run) -> None:
    run.when_done(0.1)
    for _ in range(3):
        run.postgres.stop()
        run.hold(run.chance.uniform(0.2, 2))
        run.postgres.start()
        run.hold(1)


@fault("database-sigkill", 5, "PostgreSQL is killed and started again", duplicates=False, seconds=15)
def killed(run: Run) -> None:
    run.when_done(0.2)
    if run.postgres.child is not None:
        run.postgres.child.kill()
    wait_until(lambda: _started(run), what="PostgreSQL starts again")  # once the last old process is gone


@fault("database-backends-terminated", 5, "all connections are cut every 0.3 s, for 6 s", duplicates=False)
def backends_terminated(run: Run) -> None:
    run.when_done(0.1)
    for _ in range(20):
        terminate_backends(run)
        run.hold(0.3)


def terminate_backends(run: Run) -> None:
    """Cut all connections to the run's database."""
    query(run.postgres.url, OURS, run.database)


@fault("database-frozen", 5, f"PostgreSQL is frozen for {FROZEN_SECONDS:g} s", duplicates=False)
def frozen(run: Run) -> None:
    run.when_done(0.2)
    if run.postgres.child is None:
        raise TypeError
    # Each backend has a process group of its own.
    postmaster = psutil.Process(run.postgres.child.pid)
    tree = [postmaster, *postmaster.children()]
    for process in tree:
        process.suspend()
    run.hold(FROZEN_SECONDS)
    for process in reversed(tree):
        process.resume()


@fault(
    "database-writes-refused",
    5,
    f"all writes are refused for {REFUSED_SECONDS:g} s, as on a full disk",
    duplicates=False,
)
def writes_refused(run: Run) -> None:
    run.when_done(0.2)
    run.query(f"revoke insert, update on all tables in schema ledger from {ROLE}")
    run.hold(REFUSED_SECONDS)
    run.query(f"grant insert, update on all tables in schema ledger to {ROLE}")


@fault("database-no-connections", 5, "connections are cut, and no new ones allowed for 5 s", duplicates=False)
def no_connections(run: Run) -> None:
    run.when_done(0.2)
    run.query(f"alter role {ROLE} connection limit 0")
    terminate_backends(run)
    run.hold(REFUSED_SECONDS)
    run.query(f"alter role {ROLE} connection limit -1")


def _started(run: Run) -> bool:
    try:
        run.postgres.start()
    except LocalStackError:
        return False
    return True
