"""taskiq with aio-pika, aiohttp and asyncpg."""

import asyncio
import ssl
import uuid
from typing import cast

import aiohttp
import asyncpg
import work
from taskiq import SmartRetryMiddleware, TaskiqEvents, TaskiqState
from taskiq_aio_pika import AioPikaBroker
from taskiq_aio_pika.exchange import Exchange
from taskiq_aio_pika.queue import Queue, QueueType

PUBLISHED_AT_ONCE = 500
broker = AioPikaBroker(
    work.BROKER,
    qos=work.CONCURRENCY,
    exchange=Exchange(name=f"{work.QUEUE}.x"),
    task_queues=[Queue(name=work.QUEUE, type=QueueType.QUORUM, routing_key=work.QUEUE)],
    dead_letter_queue=Queue(name=f"{work.QUEUE}.dead"),
).with_middlewares(SmartRetryMiddleware(default_retry_count=5, use_jitter=True, use_delay_exponent=True))
INTENT = work.INTENT.format("$1", "$2")
RESULT = work.RESULT.format("$1", "$2", "$3")


class Parts:
    """What tasks use."""

    pool: asyncpg.Pool
    http: aiohttp.ClientSession


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def start(_: TaskiqState) -> None:
    """Open connections."""
    Parts.pool = await asyncpg.create_pool(work.DATABASE, min_size=work.CONNECTIONS, max_size=work.CONNECTIONS)
    tls = ssl.create_default_context(cafile=work.AUTHORITY) if work.AUTHORITY else True
    Parts.http = aiohttp.ClientSession(
        headers=work.HEADERS,
        connector=aiohttp.TCPConnector(limit=0, ssl=tls),
        timeout=aiohttp.ClientTimeout(total=20),
    )


@broker.task(task_name="deliver", retry_on_error=True)
async def deliver(body: dict) -> None:  # type: ignore[type-arg] # taskiq checks messages against the annotation
    """Intent, call, result."""
    request_id = uuid.UUID(cast("str", body["requestId"]))
    await Parts.pool.execute(INTENT, request_id, body["campaignId"])
    async with Parts.http.post(work.URL, json=body) as answer:
        answer.raise_for_status()
        said = await answer.json()
    await Parts.pool.execute(RESULT, answer.status, said["executionId"], request_id)


def publish(several: list[work.Body]) -> None:
    """Many at once."""

    async def all_of_them() -> None:
        await broker.startup()
        for first in range(0, len(several), PUBLISHED_AT_ONCE):
            await asyncio.gather(*(deliver.kiq(body) for body in several[first : first + PUBLISHED_AT_ONCE]))
        await broker.shutdown()

    asyncio.run(all_of_them())
