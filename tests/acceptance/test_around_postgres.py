"""A worker's way to its ledger: through a pooler, and to the primary of several hosts."""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from ajo_local.postgres import Postgres
from ajo_local.processes import Processes

from tests.support.conservation import accepted, finished
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.pgbouncer import start_pgbouncer
from tests.support.programs import PROGRAM
from tests.support.standby import promote, start_standby
from tests.support.waiting import DEADLINE_SECONDS, wait_until

CALM = "[latency]\nseconds = 0.02\n"
OURS = "select count(*) from pg_stat_activity where application_name = 'ajo-dispatch ' || $1::text"
WORKERS = "select worker_id from ledger.workers"
CAUGHT_UP = "select pg_wal_lsn_diff($1::text::pg_lsn, pg_last_wal_replay_lsn()) <= 0 as it"


def doctor(delivery: Delivery) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and each check by its name."""
    done = delivery.run_cli("doctor", "--json", env=delivery.env)
    return done.code, {check["check"]: check for check in json.loads(done.out)}


def test_triggers_go_through_a_pooler_in_session_mode_with_no_more_connections_than_are_counted(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, database_url: str, processes: Processes
) -> None:
    url = start_pgbouncer(processes, database_url, "session", default_pool_size="50")
    delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL=url)
    delivery.start_worker()
    confirmed = delivery.publish(300, batch_size=10)
    wait_until(lambda: finished(database_url) == 300, what="300 triggers with a state")
    assert dict(accepted(delivery.api.journal)) == dict.fromkeys(confirmed, 1)
    code, found = doctor(delivery)
    assert code == 0, found
    assert found["database"]["found"].endswith("through a pooler that keeps sessions apart")
    counted = found["database connections"]["found"]
    assert counted.startswith("a worker needs up to 15; ")
    assert counted.endswith("; the pooler in between gives as many at once")
    (worker,) = query(database_url, WORKERS)
    assert 0 < query(database_url, OURS, str(worker["worker_id"]))[0]["count"] <= 15


def test_behind_a_pooler_in_transaction_mode_nothing_starts_and_all_say_what_to_set(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, database_url: str, processes: Processes
) -> None:
    url = start_pgbouncer(processes, database_url, "transaction")
    delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL=url)
    worker = processes.start("worker", [PROGRAM, "worker"], env=delivery.env)
    assert worker.popen.wait(DEADLINE_SECONDS) == 1
    (line,) = [line for line in worker.output().splitlines() if "worker-not-started" in line]
    assert "pool_mode = session" in line
    assert "Traceback" not in worker.output()
    code, found = doctor(delivery)
    assert (code, found["database"]["status"]) == (1, "failed")
    assert "pool_mode = session" in found["database"]["found"]
    assert delivery.run_cli("status", env=delivery.env).code == 1


def test_a_worker_without_all_connections_that_it_needs_takes_no_messages_until_it_can_have_them(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, database_url: str, processes: Processes
) -> None:
    """A pool of 14 where 15 may be needed; later another one takes over its port, with room."""
    small = processes.__class__()
    with small:
        url = start_pgbouncer(small, database_url, "session", default_pool_size="14")
        delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL=url)
        worker = processes.start("worker", [PROGRAM, "worker"], env=delivery.env)
        line = worker.wait_for_output(".*too-few-database-connections", timeout=DEADLINE_SECONDS)[0]
        assert '"needed": 15' in line
        assert "default_pool_size" in line
        delivery.publish(20, batch_size=10)
        assert not query(database_url, "select from ledger.triggers")
    start_pgbouncer(processes, database_url, "session", port=urlsplit(url).port, default_pool_size="40")
    wait_until(lambda: finished(database_url) == 20, what="20 triggers with a state")


def test_a_worker_goes_on_with_the_promoted_standby_when_its_primary_takes_no_more_writes(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, own_postgres: Postgres, processes: Processes
) -> None:
    """The old primary lives on, read-only: its connections stand, and every write on them is refused."""
    query(own_postgres.url, "alter system set synchronous_commit = on")  # else what is seen may not have been sent yet
    query(own_postgres.url, "select pg_reload_conf()")
    standby = start_standby(own_postgres)
    hosts = ",".join(urlsplit(server.url).netloc.rpartition("@")[2] for server in (own_postgres, standby))
    url = f"{own_postgres.url.rpartition('@')[0]}@{hosts}/postgres"
    delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL=url)
    worker = delivery.start_worker()
    confirmed = delivery.publish(100, batch_size=10)
    wait_until(lambda: finished(own_postgres.url) == 100, what="100 triggers with a state")
    query(own_postgres.url, "alter system set default_transaction_read_only = on")
    query(own_postgres.url, "select pg_reload_conf()")
    confirmed |= delivery.publish(100, batch_size=10)
    worker.child.wait_for_output("ReadOnlySQLTransactionError: cannot execute", timeout=DEADLINE_SECONDS)
    worker.child.wait_for_output(r"it takes no writes \(a standby\?\); .* it takes no writes", timeout=DEADLINE_SECONDS)
    (end,) = query(own_postgres.url, "select pg_current_wal_lsn()::text as lsn")
    wait_until(lambda: query(standby.url, CAUGHT_UP, end["lsn"])[0]["it"], what="the standby has it all")
    promote(standby)
    wait_until(lambda: finished(standby.url) == 200, what="200 triggers with a state")
    assert dict(accepted(delivery.api.journal)) == dict.fromkeys(confirmed, 1)
    assert worker.child.running
