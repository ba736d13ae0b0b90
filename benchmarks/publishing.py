"""``python -m benchmarks.publishing``: what publishing with confirms costs an application, on both brokers.

One process each, the same body of a trigger, rounds of all ways in turn. aio-pika and redis.asyncio take part if they
are installed: there each call is a message of its own, as an application would publish with them.
"""

import argparse
import asyncio
import os
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from statistics import median
from typing import Any

from ajo_local.processes import Processes
from ajo_local.valkey import start_valkey
from ajo_producers import AsyncPublisher, CheckedTrigger, Publisher
from ajo_producers.contract import task_message
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from ajo_producers.publishing.campaign import Campaign

from tests.support import brokers
from tests.support.definitions import ORDER_SHIPPED

RABBITMQ = os.environ.get("AJO_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
Way = Callable[[str, str, list[CheckedTrigger]], float]
"""Publishes triggers to a broker under a queue prefix; returns the milliseconds that the median call took."""


def in_threads(count: int) -> Way:
    """``Publisher.publish`` from so many threads."""

    def publish(url: str, prefix: str, triggers: list[CheckedTrigger]) -> float:
        source, lock, times = iter(triggers), threading.Lock(), list[float]()

        def work(publisher: Publisher) -> None:
            while True:
                with lock:
                    trigger = next(source, None)
                if trigger is None:
                    return
                before = time.perf_counter()
                publisher.publish(trigger)
                times.append(time.perf_counter() - before)

        with Publisher(url, queue_prefix=prefix, timeout=60) as publisher, ThreadPoolExecutor(count) as pool:
            for _ in range(count):
                pool.submit(work, publisher)
        return median(times) * 1000

    return publish


def in_tasks(count: int, client: Callable[..., Any]) -> Way:
    """A coroutine that publishes, from so many tasks; ``client`` is a context manager that gives it."""

    async def publish(url: str, prefix: str, triggers: list[CheckedTrigger]) -> float:
        source, times = iter(triggers), list[float]()

        async def work(call: Callable[[CheckedTrigger], Awaitable[object]]) -> None:
            for trigger in source:
                before = time.perf_counter()
                await call(trigger)
                times.append(time.perf_counter() - before)

        async with client(url, prefix) as call:
            await asyncio.gather(*(work(call) for _ in range(count)))
        return median(times) * 1000

    return lambda *given: asyncio.run(publish(*given))


class Ours:
    """``AsyncPublisher``."""

    def __init__(self, url: str, prefix: str) -> None:
        self._publisher = AsyncPublisher(url, queue_prefix=prefix, timeout=60)

    async def __aenter__(self) -> Callable[[CheckedTrigger], Awaitable[object]]:
        return self._publisher.publish

    async def __aexit__(self, *_: object) -> None:
        await self._publisher.close()


class AioPika:
    """A channel with confirms on a quorum queue."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url, self._queue = url, f"{prefix}.standard"

    async def __aenter__(self) -> Callable[[CheckedTrigger], Awaitable[object]]:
        import aio_pika  # noqa: PLC0415 - it need not be there

        self._connection = await aio_pika.connect(self._url)
        channel = await self._connection.channel(publisher_confirms=True)
        await channel.declare_queue(self._queue, durable=True, arguments=QUORUM_ARGUMENTS)

        async def call(trigger: CheckedTrigger) -> None:
            about = task_message.headers(trigger.request_id, origin="1@host", summary="order-shipped")
            message = aio_pika.Message(
                trigger.encoded, headers=about, content_type="application/json", delivery_mode=task_message.PERSISTENT
            )
            await channel.default_exchange.publish(message, routing_key=self._queue)

        return call

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


class AioRedis:
    """A pool of 50 connections."""

    def __init__(self, url: str, prefix: str) -> None:
        import redis.asyncio  # noqa: PLC0415 - as above

        pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=50, timeout=60)
        self._client, self._queue = redis.asyncio.Redis.from_pool(pool), f"{prefix}.standard"

    async def __aenter__(self) -> Callable[[CheckedTrigger], Awaitable[object]]:
        return lambda trigger: self._client.lpush(self._queue, trigger.encoded)

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()


def many(url: str, prefix: str, triggers: list[CheckedTrigger]) -> float:
    """``Publisher.publish_many``."""
    with Publisher(url, queue_prefix=prefix, timeout=60) as publisher:
        publisher.publish_many(triggers)
    return float("nan")


WAYS: dict[str, tuple[Way, int]] = {
    "publish, 1 thread": (in_threads(1), 400),
    "publish, 8 threads": (in_threads(8), 4_000),
    "publish, 64 threads": (in_threads(64), 8_000),
    "await publish, 1 task": (in_tasks(1, Ours), 400),
    "await publish, 100 tasks": (in_tasks(100, Ours), 10_000),
    "await publish, 2,000 tasks": (in_tasks(2_000, Ours), 20_000),
    "publish_many": (many, 40_000),
}
PEERS: dict[str, dict[str, tuple[Way, int]]] = {
    "amqp": {f"aio-pika, {count:,} tasks": (in_tasks(count, AioPika), 1_000) for count in (1, 100, 2_000)},
    "redis": {f"redis.asyncio, {count:,} tasks": (in_tasks(count, AioRedis), 2_000) for count in (1, 100, 2_000)},
}


def source() -> Iterator[CheckedTrigger]:
    """Triggers of 250 bytes without end."""
    number = 0
    while True:
        number += 1
        yield Campaign(ORDER_SHIPPED).trigger(to=f"p{number}@example.com", context={"orderId": f"A-{number}"})


def measure(url: str, rounds: int) -> None:
    """Print a row for each way."""
    ways = WAYS | PEERS[url.partition(":")[0]]
    triggers = list(islice(source(), max(count for _, count in ways.values())))
    with Publisher(url, queue_prefix=(first := f"bench-{secrets.token_hex(4)}")) as publisher:
        publisher.publish(triggers[0])  # loads the client
    if url.startswith("amqp"):
        brokers.delete_queues(url, first)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (way, count) in ways.items():
            prefix = f"bench-{secrets.token_hex(4)}"
            before, spent = time.perf_counter(), time.process_time()
            with suppress(ImportError):
                milliseconds = way(url, prefix, triggers[:count])
                seconds, cpu = time.perf_counter() - before, time.process_time() - spent
                found[name].append((count / seconds, cpu / count * 1000, milliseconds))
            if url.startswith("amqp"):
                brokers.delete_queues(url, prefix)
    print("| way | triggers/s, median (range) | ms of CPU a trigger | ms a call, median |\n|---|---|---|---|")
    for name, figures in found.items():
        if figures:
            rates, cpus, calls = zip(*figures, strict=True)
            call = f"{median(calls):.1f}" if calls[0] == calls[0] else "–"
            spread = f"{median(rates):,.0f} ({min(rates):,.0f}–{max(rates):,.0f})"
            print(f"| {name} | {spread} | {median(cpus):.3f} | {call} |")


def main() -> None:
    """Measure RabbitMQ, then Valkey."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\nRabbitMQ, quorum queue\n")
    measure(RABBITMQ, rounds)
    with Processes() as processes:
        print("\nValkey, in memory\n")
        measure(start_valkey(processes, appendfsync=None).url, rounds)


if __name__ == "__main__":
    main()
