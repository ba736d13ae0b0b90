"""PostgreSQL, RabbitMQ and Valkey for one call of the bench: its own, and gone afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from ajo_local.child import Child
from ajo_local.postgres import DURABLE, Postgres, start_postgres
from ajo_local.processes import Processes
from ajo_local.valkey import Valkey, start_valkey
from kombu import Connection

from tests.chaos.stack import RabbitMQ, start_rabbitmq

POSTGRES = DURABLE | {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "max_connections": "300",
}
"""Commits are on disk; no checkpoint falls into a run, each begins after one."""
SECONDS_UNTIL_EMPTY = 10


@dataclass(frozen=True)
class Servers:
    """What runs share; without an installed RabbitMQ there is none."""

    processes: Processes
    postgres: Postgres
    valkey: Valkey
    rabbitmq: RabbitMQ | None

    def broker_url(self, broker: str) -> str:
        """The address of ``rabbitmq`` or ``valkey``; nothing for those who need neither."""
        if broker == "rabbitmq" and self.rabbitmq is not None:
            return self.rabbitmq.url
        return self.valkey.url if broker == "valkey" else ""

    def roots(self, broker: str) -> dict[str, list[int]]:
        """The process ids of PostgreSQL and of the broker that takes part, if any does."""
        brokers = {"valkey": self.valkey.child, "rabbitmq": self.rabbitmq.child if self.rabbitmq else None}
        return {"postgres": pid(self.postgres.child), "broker": pid(brokers.get(broker))}

    def versions(self) -> dict[str, str]:
        """Which releases they are."""
        with psycopg.connect(self.postgres.url) as connection:
            row = connection.execute("show server_version").fetchone()
        with redis.Redis.from_url(self.valkey.url) as client:
            valkey = dict(client.info("server"))
        found = {"PostgreSQL": str(row[0]) if row else "?", "Valkey": str(valkey.get("valkey_version", "?"))}
        return found if self.rabbitmq is None else found | {"RabbitMQ": self.rabbitmq.version}

    def empty_valkey(self) -> None:
        """What one run leaves must not slow the next."""
        with redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    def left_in_valkey(self, keys: Sequence[str]) -> int:
        """How many entries lists, hashes and sorted sets have."""
        left = 0
        with redis.Redis.from_url(self.valkey.url, decode_responses=True) as client:
            sizes = {"list": client.llen, "hash": client.hlen, "zset": client.zcard}
            for key in keys:
                size = sizes.get(str(client.type(key)))
                left += 0 if size is None else int(size(key))
        return left

    def left_in_rabbitmq(self, queues: Sequence[str]) -> int:
        """How many messages queues hold."""
        left = 0
        with Connection(self.broker_url("rabbitmq")) as connection:
            for queue in queues:
                with connection.channel() as channel:
                    left += channel.queue_declare(queue, passive=True).message_count
        return left

    def delete_from_rabbitmq(self, queues: Sequence[str]) -> None:
        """Delete queues, with what is in them."""
        with Connection(self.broker_url("rabbitmq")) as connection:
            for queue in queues:
                with connection.channel() as channel:
                    channel.queue_delete(queue)  # one that isn't there is no error


def pid(child: Child | None) -> list[int]:
    """The process id, if there is one."""
    return [] if child is None else [child.pid]


def serve(processes: Processes, *, rabbitmq: bool = True, programs: Path | None = None) -> Servers:
    """Start them."""
    node = start_rabbitmq(processes, programs) if rabbitmq else None
    if rabbitmq and node is None:
        print("left out: contenders on RabbitMQ, which is not installed")
    valkey = start_valkey(processes, appendfsync="everysec")  # its own default
    return Servers(processes, start_postgres(processes, POSTGRES), valkey, node)
