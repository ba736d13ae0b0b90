"""Celery as its documentation has it: late acknowledgement, retries with back-off, httpx, SQLAlchemy."""

import os
import ssl
import threading

import httpx
import work
from celery import Celery
from kombu import Queue
from sqlalchemy import Engine, create_engine, text

app = Celery("bench", broker=work.BROKER)
app.conf.update(
    task_queues=[Queue(work.QUEUE, routing_key=work.QUEUE, queue_arguments={"x-queue-type": "quorum"})],
    task_default_queue=work.QUEUE,
    task_default_exchange="",
    task_default_routing_key=work.QUEUE,
    task_ignore_result=True,
    task_acks_late=True,
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
)
INTENT = text(work.INTENT.format(":id", ":campaign"))
RESULT = text(work.RESULT.format(":status", ":execution", ":id"))
THREADS = work.CONCURRENCY if os.environ.get("BENCH_POOL") == "threads" else 1
_parts: dict[int, tuple[Engine, httpx.Client]] = {}
_lock = threading.Lock()


def parts() -> tuple[Engine, httpx.Client]:
    """This process's engine and client: made after the fork."""
    process = os.getpid()
    with _lock:
        if process not in _parts:
            url = work.DATABASE.replace("postgresql://", "postgresql+psycopg://")
            engine = create_engine(url, pool_size=min(THREADS, work.CONNECTIONS), max_overflow=0)
            client = httpx.Client(
                headers=work.HEADERS,
                timeout=20,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=1000),
                verify=ssl.create_default_context(cafile=work.AUTHORITY) if work.AUTHORITY else True,
            )
            _parts[process] = engine, client
        return _parts[process]


@app.task(
    name="deliver",
    autoretry_for=(httpx.HTTPError,),
    retry_backoff=True,
    retry_backoff_max=60,
    retry_jitter=True,
    max_retries=5,
    acks_late=True,
)
def deliver(body: work.Body) -> None:
    """Intent, call, result."""
    engine, client = parts()
    with engine.begin() as database:
        database.execute(INTENT, {"id": body["requestId"], "campaign": body["campaignId"]})
    answer = client.post(work.URL, json=body)
    answer.raise_for_status()
    found = {"id": body["requestId"], "status": answer.status_code, "execution": answer.json()["executionId"]}
    with engine.begin() as database:
        database.execute(RESULT, found)


def publish(several: list[work.Body]) -> None:
    """On one channel; how they get there isn't measured."""
    with app.connection_for_write() as connection:
        app.conf.task_queues[0](connection.channel()).declare()
        with app.amqp.Producer(connection) as producer:
            for body in several:
                deliver.apply_async((body,), producer=producer, confirm=False)
