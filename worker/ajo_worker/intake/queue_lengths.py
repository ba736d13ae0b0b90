"""How many messages wait in the broker, lane by lane."""

from typing import Any

from ajo_producers.contract.lanes import queue_names

from ajo_worker.intake.application import make_app
from ajo_worker.settings import Settings

TIMEOUT = 5.0
"""Seconds until a broker that doesn't answer is given up."""


def queue_lengths(settings: Settings) -> dict[str, int]:
    """Messages that wait, by lane; those that workers have in hand are not among them. A lane without a queue has 0.

    Raises:
        OSError: the broker can't be reached, or refuses.
    """
    connection = make_app(settings).connection_for_read(connect_timeout=TIMEOUT)
    try:
        connection.ensure_connection(max_retries=1, timeout=TIMEOUT)
        return {
            lane: sum(_length(connection, name) for name in queue_names(settings.queue_prefix, lane))
            for lane in settings.lanes
        }
    except connection.connection_errors as fault:
        raise OSError(type(fault).__name__) from None
    finally:
        connection.release()


def _length(connection: Any, queue: str) -> int:
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:  # RabbitMQ closes the channel of whoever asks for a missing queue
            return 0
