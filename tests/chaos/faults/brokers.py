"""Fault 4: connections cut, the broker killed, its alarm raised, a queue deleted under everybody."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from ajo_producers.contract.lanes import queues_of

from tests.chaos.freezing import frozen
from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stack import RabbitMQ
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

ALARM_SECONDS = 6.0


@fault(
    "broker-connections-closed", 4, "all connections to the broker are closed, five times", duplicates=False, smoke=True
)
def connections_closed(run: Run) -> None:
    run.when_done(0.1)
    for _ in range(5):
        close_connections(run)
        run.hold(run.chance.uniform(0.3, 1.5))


def close_connections(run: Run) -> None:
    """Close all connections to the broker, from its side."""
    if isinstance(run.broker, RabbitMQ):
        run.broker.control("close_all_connections", "chaos")
        return
    with redis.Redis.from_url(run.broker.url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


@fault("broker-sigkill", 4, "the broker is killed and started again", duplicates=False, seconds=15)
def broker_killed(run: Run) -> None:
    run.when_done(0.2)
    run.broker.kill()
    run.hold(1)
    run.broker.start()


@fault("broker-alarm", 4, "the broker's memory alarm blocks publishers", duplicates=False, brokers=("rabbitmq",))
def memory_alarm(run: Run) -> None:
    if not isinstance(run.broker, RabbitMQ):
        raise TypeError
    run.when_done(0.2)
    run.broker.control("set_vm_memory_high_watermark", "0.000001")
    try:
        run.hold(ALARM_SECONDS)
    finally:
        run.broker.control("set_vm_memory_high_watermark", "0.4")


@fault(
    "broker-queue-deleted",
    4,
    "empty queues are deleted under workers and publisher",
    duplicates=False,
    brokers=("rabbitmq",),
)
def queue_deleted(run: Run) -> None:
    node = run.broker
    if not isinstance(node, RabbitMQ):
        raise TypeError
    run.when_done(0.2)
    names = list(queues_of(run.queue_prefix))
    with run.stream.paused():  # RabbitMQ 4 doesn't delete a quorum queue on condition that it is empty
        wait_until(lambda: not _messages(node, names), what="the queues are empty")
        for name in names:
            node.control("delete_queue", name)


def _messages(node: RabbitMQ, queues: list[str]) -> int:
    rows = (line.split() for line in node.control("-q", "list_queues", "name", "messages").splitlines())
    return sum(int(row[1]) for row in rows if row and row[0] in queues)


@fault("broker-frozen", 4, "the broker stands still, for 7, 13 and 20 s", duplicates=False, count=3_000, seconds=45)
def broker_frozen(run: Run) -> None:
    run.when_done(0.1)
    for seconds in (7, 13, 20):
        with frozen(run.broker.pid):
            run.hold(seconds)
        run.hold(2)
    run.quiet()
    if isinstance(run.broker, RabbitMQ):
        return
    with redis.Redis.from_url(run.broker.url) as client:
        wait_until(lambda: not client.hlen(f"{run.queue_prefix}.unacked"), what="nothing is noted as taken", timeout=30)


@fault(
    "broker-deaf",
    4,
    "nothing comes through the workers' connections any more, and nobody is told; new ones are as ever",
    duplicates=False,
    count=1_500,
    seconds=30,
)
def broker_deaf(run: Run) -> None:
    with Proxy(run.broker.url) as way:
        _move_to(run, way.url)
        run.when_done(0.2)
        before = way.connections
        way.deafen()
        wait_until(lambda: run.done() >= len(run.stream.confirmed) and not run.stream.flowing, what="all are done")
        if way.connections == before:
            raise AssertionError("nobody connected again")
        _move_to(run, run.broker.url)


def _move_to(run: Run, url: str) -> None:
    """Workers of this address take the place of those that there are."""
    for worker in run.workers[:]:
        run.start_worker(AJO_BROKER_URL=url)
        run.retire_worker(worker)


REFUSAL_SECONDS = 6.0
"""How long a broker refuses everybody."""


@fault("broker-rights", 4, "the broker refuses everybody's rights for 6 s", duplicates=False)
def rights_refused(run: Run) -> None:
    _refuse(
        run,
        rabbitmq=(("set_permissions", "guest", "^$", "^$", "^$"), ("set_permissions", "guest", ".*", ".*", ".*")),
        valkey=(("ACL", "SETUSER", "default", "-@write"), ("ACL", "SETUSER", "default", "+@all")),
    )


@fault("broker-password", 4, "the broker has another password for 6 s", duplicates=False)
def password_changed(run: Run) -> None:
    _refuse(
        run,
        rabbitmq=(("change_password", "guest", "another"), ("change_password", "guest", "guest")),
        valkey=(("CONFIG", "SET", "requirepass", "another"), ("CONFIG", "SET", "requirepass", "")),
    )


@fault("broker-vhost-stopped", 4, "the virtual host is stopped for 3 s", duplicates=False, brokers=("rabbitmq",))
def vhost_stopped(run: Run) -> None:
    if not isinstance(run.broker, RabbitMQ):
        raise TypeError
    run.when_done(0.2)
    run.broker.control("eval", 'rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"/">>).')
    run.hold(3)
    run.broker.control("restart_vhost")


TIMED_OUT = '"broker-fault".*delivery acknowledgement|delivery acknowledgement.*"broker-fault"'


@fault(
    "broker-consumer-timeout",
    4,
    "RabbitMQ closes channels whose messages are not acknowledged within 3 s: it does so once to each worker",
    duplicates=False,
    brokers=("rabbitmq",),
    count=400,
    AJO_RATE_LIMIT_STANDARD="10",
)
def consumer_timeout(run: Run) -> None:
    with _short_consumer_timeout(run):
        run.when_done(0.9)
    closed = [len(re.findall(TIMED_OUT, worker.child.output())) for worker in run.workers]
    if max(closed) != 1:
        raise AssertionError(f"workers' channels were closed {closed} times")


@fault(
    "broker-consumer-timeout-known",
    4,
    "as before, workers know it, and PostgreSQL is away for three times as long: no channel is closed",
    duplicates=False,
    brokers=("rabbitmq",),
    count=400,
    AJO_RATE_LIMIT_STANDARD="10",
    AJO_CONSUMER_TIMEOUT="3",
)
def consumer_timeout_known(run: Run) -> None:
    with _short_consumer_timeout(run):
        run.when_done(0.2)
        run.postgres.stop()
        run.hold(9)
        run.postgres.start()
        run.when_done(0.9)
    if any(re.search(TIMED_OUT, worker.child.output()) for worker in run.workers):
        raise AssertionError("a worker's channel was closed")


@contextmanager
def _short_consumer_timeout(run: Run) -> Iterator[None]:
    if not isinstance(run.broker, RabbitMQ):
        raise TypeError
    try:
        _settle(run.broker, consumer_timeout=3_000, channel_tick_interval=1_000)
        close_connections(run)  # channels read their tick when they are opened
        yield
    finally:
        _settle(run.broker, consumer_timeout=1_800_000, channel_tick_interval=60_000)


def _settle(node: RabbitMQ, **milliseconds: int) -> None:
    """In one command: each takes seconds on a busy machine, in which the triggers go on."""
    each = [f"application:set_env(rabbit, {name}, {value})" for name, value in milliseconds.items()]
    node.control("eval", ", ".join(each) + ".")


@fault("broker-read-only", 4, "Valkey is a replica for 6 s, as at a fail-over", duplicates=False, brokers=("valkey",))
def read_only(run: Run) -> None:
    _refuse(run, valkey=(("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")))


@fault("broker-no-replicas", 4, "Valkey misses its replicas for 6 s", duplicates=False, brokers=("valkey",))
def no_replicas(run: Run) -> None:
    option = "min-replicas-to-write"
    _refuse(run, valkey=(("CONFIG", "SET", option, "1"), ("CONFIG", "SET", option, "0")))


Commands = tuple[tuple[str, ...], tuple[str, ...]]


def _refuse(run: Run, *, valkey: Commands, rabbitmq: Commands | None = None) -> None:
    """Have the broker refuse, close all connections, and have it take everybody again."""
    run.when_done(0.2)
    if isinstance(run.broker, RabbitMQ):
        begin, end = rabbitmq or ((), ())
        run.broker.control(*begin)
        close_connections(run)
        run.hold(REFUSAL_SECONDS)
        run.broker.control(*end)
        return
    with redis.Redis.from_url(run.broker.url) as client:  # logged in before it begins, and skipped when others are cut
        begin, end = valkey
        client.execute_command("PING")
        client.execute_command(*begin)
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        run.hold(REFUSAL_SECONDS)
        client.execute_command(*end)
