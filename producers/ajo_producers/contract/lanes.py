"""Lanes, and the queue of each: plain values, so that producers in other languages can copy them."""

from typing import Literal, TypeAlias

Lane: TypeAlias = Literal["standard", "high-throughput"]
LANES: tuple[Lane, ...] = ("standard", "high-throughput")

TASK_NAME = "ajo.dispatch"
"""The Celery task that every message names. A fixed string: renaming a function must strand no queued message."""

DEFAULT_QUEUE_PREFIX = "ajo-dispatch"

QUORUM_ARGUMENTS = {"x-queue-type": "quorum"}
"""RabbitMQ's replicated queue. Declared alike by publisher and worker, since a differing declaration is refused."""


def queue_name(prefix: str, lane: Lane) -> str:
    """The queue that carries a lane's messages; messages go to it through the default exchange."""
    return f"{prefix}.{lane}"
