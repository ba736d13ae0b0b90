"""Lanes, and the queue of each: plain values, so that producers in other languages can copy them."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

Lane: TypeAlias = Literal["standard", "high-throughput"]
LANES: tuple[Lane, ...] = ("standard", "high-throughput")
Priority: TypeAlias = Literal["normal", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("normal", "urgent")

TASK_NAME = "ajo.dispatch"
"""The Celery task that every message names. A fixed string: renaming a function must strand no queued message."""

DEFAULT_QUEUE_PREFIX = "ajo-dispatch"

QUORUM_ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
"""RabbitMQ's replicated queue. Declared alike by publisher and worker, since a differing declaration is refused.

Without a limit of its own, a queue of RabbitMQ 4 drops a message that was handed back 20 times (release notes of
4.0.1), as a worker does with what is not in flight when it stops. Earlier releases know no -1 for "none".
"""


_URGENT = ".urgent"


def queue_name(prefix: str, lane: Lane, priority: Priority = "normal") -> str:
    """The queue that carries a lane's messages; messages go to it through the default exchange.

    Urgent campaigns have a queue of their own in each lane, so that a backlog of others never stands before them.
    """
    return f"{prefix}.{lane}{_URGENT}" if priority == "urgent" else f"{prefix}.{lane}"


def queue_names(prefix: str, lane: Lane) -> tuple[str, ...]:
    """All queues of a lane."""
    return tuple(queue_name(prefix, lane, priority) for priority in PRIORITIES)


def queues_of(prefix: str, lanes: Iterable[Lane] = LANES) -> dict[str, Lane]:
    """All queues of these lanes, each with its lane."""
    return {queue: lane for lane in lanes for queue in queue_names(prefix, lane)}


def lane_of(queue: str) -> str:
    """The lane of a queue's messages."""
    return queue.removesuffix(_URGENT).rpartition(".")[2]
