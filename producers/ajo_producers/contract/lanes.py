"""Lanes, and the queue of each: plain values, so that producers in other languages can copy them."""

from typing import Literal, TypeAlias

Lane: TypeAlias = Literal["standard", "high-throughput"]
LANES: tuple[Lane, ...] = ("standard", "high-throughput")

TASK_NAME = "ajo.dispatch"
"""The Celery task that every message names. A fixed string: renaming a function must strand no queued message."""

DEFAULT_QUEUE_PREFIX = "ajo-dispatch"

QUORUM_ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
"""RabbitMQ's replicated queue. Declared alike by publisher and worker, since a differing declaration is refused.

Without a limit of its own, a queue of RabbitMQ 4 drops a message that was handed back 20 times (release notes of
4.0.1), as a worker does with what is not in flight when it stops. Earlier releases know no -1 for "none".
"""


def queue_name(prefix: str, lane: Lane) -> str:
    """The queue that carries a lane's messages; messages go to it through the default exchange."""
    return f"{prefix}.{lane}"
