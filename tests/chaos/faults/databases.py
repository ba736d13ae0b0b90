"""Fault 5: PostgreSQL restarted, killed, frozen, its connections cut, its writes refused, no room for connections."""

from urllib.parse import urlsplit

from ajo_local.child import LocalStackError

from tests.chaos import freezing
from tests.chaos.plan import fault
from tests.chaos.run import ROLE, SENDING, Run
from tests.support.database import query
from tests.support.pgbouncer import PROGRAM, start_pooler
from tests.support.standby import promote, start_standby
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
    with freezing.frozen(run.postgres.child.pid):
        run.hold(FROZEN_SECONDS)


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


@fault(
    "database-pooler",
    5,
    "pgbouncer in session mode is in between, and is killed and started again, three times",
    duplicates=False,
    seconds=15,
    unless=None if PROGRAM else "pgbouncer is not installed",
)
def pooler_restarted(run: Run) -> None:
    pooler = start_pooler(run.processes, run.worker_database_url, "session", default_pool_size="60")
    _move_to(run, pooler.url)
    run.when_done(0.1)
    for _ in range(3):
        pooler.stop()
        run.hold(run.chance.uniform(0.2, 2))
        pooler.start()
        run.hold(1)


@fault(
    "database-out-of-reach",
    5,
    f"nobody reaches the database for {FROZEN_SECONDS:g} s, and one worker for 3 s more; every answer takes 14 s",
    duplicates=False,
    count=900,
    seconds=25,
    scenario="[latency]\nseconds = 14\n",
    unless=None if PROGRAM else "pgbouncer is not installed",
)
def out_of_reach(run: Run) -> None:
    ways = [start_pooler(run.processes, run.worker_database_url, "session", default_pool_size="60") for _ in range(2)]
    before = run.workers[:]
    for way in ways:
        run.start_worker(AJO_DATABASE_URL=way.url)
    for worker in before:
        run.retire_worker(worker)
    wait_until(lambda: len(run.query(SENDING)) > run.count // 5, what="a fifth of the triggers is in flight")
    for way in ways:
        way.stop()
    run.hold(FROZEN_SECONDS)
    for way in ways:
        way.start()
        run.hold(3)


@fault(
    "database-fail-over",
    5,
    "the primary is killed, and the standby, which has every commit, is promoted some seconds later",
    duplicates=False,
    seconds=15,
)
def failed_over(run: Run) -> None:
    primary = run.postgres
    standby = start_standby(primary)
    for statement in ("alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"):
        query(primary.url, statement)
    hosts = ",".join(urlsplit(server.url).netloc.rpartition("@")[2] for server in (primary, standby))
    parts = urlsplit(run.worker_database_url)
    _move_to(run, parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{hosts}").geturl())
    run.when_done(0.3)
    if primary.child is not None:
        primary.child.kill()
    run.hold(run.chance.uniform(0.5, 3))
    promote(standby)
    query(standby.url, "alter system reset synchronous_standby_names")
    query(standby.url, "select pg_reload_conf()")
    run.postgres = standby  # where the ledger is from now on
    run.quiet()
    # Only now may the old one come back, alone, for the runs after this one: two that take writes would be two ledgers.
    (primary.data / "postgresql.auto.conf").write_text("")  # it comes back alone, for the runs after this one
    run.postgres = primary
    wait_until(lambda: _started(run), what="the old primary starts again")
    run.postgres = standby


def _move_to(run: Run, url: str) -> None:
    """Workers of this address take the place of those that there are."""
    for worker in run.workers[:]:
        run.start_worker(AJO_DATABASE_URL=url)
        run.retire_worker(worker)


def _started(run: Run) -> bool:
    try:
        run.postgres.start()
    except LocalStackError:
        return False
    return True
