"""The brokers of the tests: reaching RabbitMQ, starting it where it is installed, and clearing queues away."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from ajo_producers.contract.lanes import queues_of
from kombu import Connection
from kombu.exceptions import OperationalError

from tests.support.waiting import DEADLINE_SECONDS

RABBITMQ_URL = os.environ.get("AJO_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")


def answers(url: str) -> bool:
    """Whether a broker takes connections at ``url``."""
    with Connection(url, connect_timeout=3) as connection:
        try:
            connection.connect()
        except (OperationalError, OSError, *connection.connection_errors):
            return False
    return True


def rabbitmq(lock: Path) -> str | None:
    """The address of RabbitMQ, started first if it is installed but stopped; None if there is none.

    ``lock`` is a path that all processes of the test run share: only one of them starts the server.
    """
    if answers(RABBITMQ_URL):
        return RABBITMQ_URL
    server = shutil.which("rabbitmq-server") or shutil.which("rabbitmq-server", path="/usr/sbin:/usr/local/sbin")
    if server is None or "AJO_TEST_RABBITMQ_URL" in os.environ:
        return None
    try:
        lock.touch(exist_ok=False)
        subprocess.run([server, "-detached"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except FileExistsError:
        pass  # another process of this run is starting it
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not answers(RABBITMQ_URL):
        if time.monotonic() > deadline:
            return None
        time.sleep(0.2)
    return RABBITMQ_URL


def delete_queues(url: str, prefix: str) -> None:
    """Delete the queues of every lane, with what is in them."""
    with Connection(url) as connection:
        for name in queues_of(prefix):
            with connection.channel() as channel:  # RabbitMQ closes the channel if it doesn't know the queue
                try:
                    channel.queue_delete(name)
                except connection.channel_errors:
                    continue
