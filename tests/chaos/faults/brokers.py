"""Fault 4: connections cut, the broker killed, its alarm raised, a queue deleted under everybody."""

import redis
from ajo_producers.contract.lanes import LANES, queue_names

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stack import RabbitMQ
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
    if not isinstance(run.broker, RabbitMQ):
        raise TypeError
    run.when_done(0.2)
    for name in (name for lane in LANES for name in queue_names(run.queue_prefix, lane)):
        wait_until(lambda queue=name: _delete_if_empty(run, queue), what=f"{name} is empty for a moment, and deleted")


def _delete_if_empty(run: Run, queue: str) -> bool:
    if not isinstance(run.broker, RabbitMQ):
        raise TypeError
    try:
        run.broker.control("delete_queue", "--if-empty", queue)
    except RuntimeError:
        return False
    return True
