"""The other contenders: what people would build this with, each as its own documentation has it.

Their concurrency and pools are the best of a sweep on a machine of two cores. Each records a row a trigger, where ours
are two (the trigger and its attempt), and none knows budgets, limits or outages.
"""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.bench.building import PEERS, Built
from benchmarks.bench.contender import Broker, Contender, Place, Program, Records
from benchmarks.bench.ours import ask
from benchmarks.bench.servers import Servers

TABLE = """create table deliveries (
    request_id uuid primary key, campaign text not null, state text not null,
    received_at timestamptz not null default clock_timestamp(), dispatched_at timestamptz, responded_at timestamptz,
    http_status smallint, execution_id text)"""
CONNECTIONS = 16
GRAPHILE_LEFT = "select count(*) from graphile_worker._private_jobs"
PGBOSS_LEFT = "select count(*) from pgboss.job where state < 'completed'"


def records(left: str) -> Records:
    """One table."""

    def create(servers: Servers, name: str) -> None:
        ask(servers.postgres.url, f"create database {name}")
        ask(servers.postgres.url_of(name), TABLE)

    return Records(
        create,
        "select count(*), extract(epoch from max(responded_at))::float8 from deliveries where state = 'accepted'",
        "select request_id::text from deliveries where state = 'accepted'",
        left,
    )


def peer(
    name: str,
    broker: Broker,
    programs: tuple[Program, Program],
    concurrency: int,
    *,
    queues: tuple[str, ...] = (),
    left: str = "select 0",
    **more: str,
) -> Contender:
    """A peer; ``programs`` publish and work, ``more`` is for their environment."""

    def env(place: Place) -> Mapping[str, str]:
        authority = {"BENCH_AUTHORITY": str(place.endpoint.tls.authority)} if place.endpoint.tls else {}
        return {
            "BENCH_ENDPOINT": f"{place.endpoint.url}/ajo/im/executions/unitary",
            "BENCH_BROKER": place.servers.broker_url(broker),
            "BENCH_DATABASE": place.database,
            "BENCH_QUEUE": place.queue,
            "BENCH_CONCURRENCY": str(concurrency),
            "BENCH_CONNECTIONS": str(CONNECTIONS),
            "NODE_ENV": "production",
            **authority,
            **more,
        }

    publish, work = programs
    return Contender(
        name=name,
        broker=broker,
        publish=publish,
        work=[work],
        environment=env,
        records=records(left),
        queues=queues,
        warm_up=300 if broker == "rabbitmq" else 1000,
        cwd=PEERS / "python",
    )


def in_python(programs: Path, *, slow: bool) -> list[Contender]:
    """Those of Python, all on RabbitMQ's quorum queues."""

    def run(app: str, *worker: str) -> tuple[Program, Program]:
        return [programs / "python", "publish.py", app], [programs / worker[0], *worker[1:]]

    celery: tuple[str, ...] = (
        "celery",
        "-A",
        "celery_app",
        "worker",
        "-l",
        "warning",
        "--without-gossip",
        "--without-mingle",
        "-P",
    )
    threads, actors, tasks = (50, 64, 1000) if slow else (8, 32, 500)
    taskiq: tuple[str, ...] = ("taskiq", "worker", "taskiq_app:broker", "--workers", "1", "--log-level", "WARNING")
    taskiq = (*taskiq, "--max-async-tasks", str(tasks), "--max-prefetch", str(tasks))
    dramatiq = ("dramatiq", "dramatiq_app", "--processes", "1", "--threads", str(actors))
    ahead, own = str(max(100, 2 * actors)), "{queue}"
    of_threads, of_processes = (*celery, "threads", "-c", str(threads)), (*celery, "prefork", "-c", "10")
    return [
        peer("Celery, prefork", "rabbitmq", run("celery_app", *of_processes), 10, queues=(own,)),
        peer(
            "Celery, threads", "rabbitmq", run("celery_app", *of_threads), threads, queues=(own,), BENCH_POOL="threads"
        ),
        peer("taskiq", "rabbitmq", run("taskiq_app", *taskiq), tasks, queues=(own, f"{own}.dead")),
        peer(
            "Dramatiq",
            "rabbitmq",
            run("dramatiq_app", *dramatiq),
            actors,
            queues=(own, f"{own}.DQ", f"{own}.XQ"),
            dramatiq_queue_prefetch=ahead,
        ),
    ]


def in_node(place: Path, *, slow: bool) -> list[Contender]:
    """Those of Node.js."""

    def run(script: str) -> tuple[Program, Program]:
        return ["node", place / script, "publish"], ["node", place / script]

    concurrency = 500 if slow else 50
    waiting = tuple(f"bull:{{queue}}:{state}" for state in ("wait", "active", "failed", "delayed"))
    return [
        peer("BullMQ", "valkey", run("bullmq.js"), concurrency, queues=waiting),
        peer("graphile-worker", "postgres", run("graphile.js"), concurrency, left=GRAPHILE_LEFT),
        peer("pg-boss", "postgres", run("pgboss.js"), 1000, left=PGBOSS_LEFT),
    ]


def all_peers(built: Built, *, slow: bool) -> list[Contender]:
    """Those that can be had; ``slow``: the endpoint takes its time, so more is under way at once."""
    python = [] if built.python is None else in_python(built.python, slow=slow)
    return python + ([] if built.node is None else in_node(built.node, slow=slow))
