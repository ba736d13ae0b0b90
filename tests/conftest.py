"""The real parts that tests run against. Each test owns its database, its queues, its processes and its folders."""

import gc
import os
import secrets
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis
from ajo_local.postgres import VOLATILE, Postgres, start_postgres
from ajo_local.processes import Processes
from ajo_local.valkey import start_valkey

from tests.support import brokers, delivery, programs, scratch
from tests.support.conservation import write_definition
from tests.support.database import COPIED, kept, query
from tests.support.examples import choose_examples
from tests.support.scheduling import Scheduling

# As in the Makefile: compiling is most of what a short process does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
choose_examples()
scratch.use_memory()  # the processes of pytest-xdist inherit it

TEMPLATE = "migrated"


def pytest_configure() -> None:
    """What a shell's background jobs (Ctrl-C) and nohup ignore, all programs that tests start would ignore as well."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # still not ended by it; programs begin without it


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What lives as long as the run, a million objects, is not looked through for garbage again and again."""
    gc.disable()
    found = yield
    gc.freeze()
    gc.enable()
    return found


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """Ours in place of pytest-xdist's own."""
    return Scheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def session_processes() -> Iterator[Processes]:
    """Servers that live as long as the test run; each process of pytest-xdist has its own."""
    with Processes() as processes:
        yield processes


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Processes of one test."""
    with programs.WarmProcesses() as processes:
        yield processes


@pytest.fixture(scope="session")
def session_postgres(session_processes: Processes) -> Iterator[Postgres]:
    """An embedded PostgreSQL. Never stop this one: take ``own_postgres`` for that."""
    server = start_postgres(session_processes, VOLATILE)
    with kept(server.url):
        yield server


@pytest.fixture(scope="session")
def postgres_url(session_postgres: Postgres) -> str:
    """The address of the embedded PostgreSQL's own database; take ``database_url`` for a ledger."""
    return session_postgres.url


@pytest.fixture(scope="session")
def migrated_template(session_postgres: Postgres) -> Callable[[], str]:
    """Gives the name of a migrated, empty database that others are copied from: one for each day, as its partitions."""

    @cache
    def of(day: date) -> str:
        name = f"{TEMPLATE}_{day:%Y%m%d}"
        query(session_postgres.url, f"create database {name}")
        migrate(session_postgres.url_of(name))
        return name

    return lambda: of(datetime.now(UTC).date())


@pytest.fixture
def database_url(session_postgres: Postgres, migrated_template: Callable[[], str]) -> Iterator[str]:
    """The address of a migrated, empty database."""
    name = f"test_{secrets.token_hex(6)}"
    query(session_postgres.url, f"create database {name} template {migrated_template()} {COPIED}")
    url = session_postgres.url_of(name)
    with kept(url):
        yield url
    query(session_postgres.url, f"drop database {name} with (force)")


@pytest.fixture
def own_postgres(processes: Processes) -> Postgres:
    """A migrated PostgreSQL of this test alone, which it may stop, kill and start again."""
    server = start_postgres(processes, VOLATILE)
    migrate(server.url)
    return server


def migrate(url: str) -> None:
    """Bring a database to the newest schema, as a user does."""
    done = programs.run("db", "upgrade", env={"AJO_DATABASE_URL": url})
    assert done.code == 0, f"ajo-dispatch db upgrade failed:\n{done.out}{done.err}"


@pytest.fixture(scope="session")
def session_valkey_url(session_processes: Processes) -> str:
    """The address of the embedded Valkey of this test run."""
    return start_valkey(session_processes, appendfsync=None).url


@pytest.fixture
def valkey_url(session_valkey_url: str) -> Iterator[str]:
    """The address of an empty embedded Valkey."""
    yield session_valkey_url
    with redis.Redis.from_url(session_valkey_url) as client:
        client.flushall()


@pytest.fixture(scope="session")
def session_rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """The address of RabbitMQ, or None; pytest-xdist's processes have the parent of their folder in common."""
    return brokers.rabbitmq(tmp_path_factory.getbasetemp().parent / "rabbitmq-was-started")


@pytest.fixture
def rabbitmq_url(session_rabbitmq_url: str | None) -> str:
    """The address of RabbitMQ; the test is skipped where there is none."""
    if session_rabbitmq_url is None:
        pytest.skip(
            "RabbitMQ is not running and not installed (apt-get install rabbitmq-server, or set AJO_TEST_RABBITMQ_URL)"
        )
    return session_rabbitmq_url


@pytest.fixture(params=["rabbitmq", "valkey"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The address of each broker in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def queue_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """A prefix that no other test has; its queues are deleted from RabbitMQ afterwards."""
    prefix = f"test-{secrets.token_hex(6)}"
    urls = {request.getfixturevalue(name) for name in ("broker_url", "rabbitmq_url") if name in request.fixturenames}
    yield prefix
    for url in urls:
        if url.startswith("amqp"):  # Valkey is emptied by its own fixture
            brokers.delete_queues(url, prefix)


@pytest.fixture
def run_cli(tmp_path: Path) -> Callable[..., programs.Finished]:
    """Runs ``ajo-dispatch`` to its end: ``run_cli("status", "--json", env={…})``; in the test's folder by default."""

    def run(*arguments: str | Path, env: Mapping[str, str] | None = None, **more: Any) -> programs.Finished:
        return programs.run(*arguments, env=env or {}, **{"cwd": tmp_path, **more})

    return run


@pytest.fixture
def simulator(processes: Processes, tmp_path: Path) -> Callable[..., programs.Simulator]:
    """Starts simulators: ``simulator(scenario, "--tls")``; the scenario is TOML text, a file or None."""

    def start(scenario: str | Path | None = None, *arguments: str) -> programs.Simulator:
        folder = tmp_path / f"simulator-{secrets.token_hex(3)}"
        return programs.start_simulator(processes, folder, scenario, *arguments)

    return start


@pytest.fixture
def worker(queue_prefix: str, database_url: str) -> Iterator[Callable[..., programs.Worker]]:
    """Starts workers and waits until each is ready: ``worker(env)``; the environment goes over the defaults.

    They end before the test's database and queues do, which is why those are taken here.
    """
    with programs.WarmProcesses() as processes:

        def start(env: Mapping[str, str], *arguments: str) -> programs.Worker:
            own = {"AJO_QUEUE_PREFIX": queue_prefix, "AJO_DATABASE_URL": database_url}
            return programs.start_worker(processes, {**own, **env}, *arguments)

        yield start


@pytest.fixture
def prepare_delivery(
    database_url: str, queue_prefix: str, tmp_path: Path, simulator: Callable[..., programs.Simulator],
    worker: Callable[..., programs.Worker], run_cli: Callable[..., programs.Finished],
) -> Callable[..., delivery.Delivery]:  # fmt: skip
    """Prepares a delivery over a broker: ``prepare_delivery(broker_url, scenario, AJO_…="…")``."""

    def prepared(broker_url: str, scenario: str, **env: str) -> delivery.Delivery:
        api, campaigns = simulator(scenario), tmp_path / "campaigns"
        write_definition(campaigns)
        usual = delivery.worker_environment(broker_url, queue_prefix, api, campaigns)
        own = {**usual, "AJO_DATABASE_URL": database_url, **env}
        return delivery.Delivery(tmp_path, api, own, worker, run_cli)

    return prepared


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test is a failure: what isn't tried there is tried nowhere."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None or exitstatus != pytest.ExitCode.OK:
        return
    if reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("CI=true: a skipped test is a failure; see the reasons above", red=True)
