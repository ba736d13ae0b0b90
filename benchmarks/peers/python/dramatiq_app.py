"""Dramatiq with its RabbitMQ broker, requests and psycopg's pool."""

import threading

import dramatiq
import requests
import work
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from psycopg_pool import ConnectionPool

broker = RabbitmqBroker(url=work.BROKER.removesuffix("//"), confirm_delivery=True)
dramatiq.set_broker(broker)
INTENT = work.INTENT.format("%s", "%s")
RESULT = work.RESULT.format("%s", "%s", "%s")
_lock = threading.Lock()
_pools: list[ConnectionPool] = []
_local = threading.local()


def pool() -> ConnectionPool:
    """This process's connections."""
    with _lock:
        if not _pools:
            _pools.append(
                ConnectionPool(work.DATABASE, min_size=work.CONNECTIONS, max_size=work.CONNECTIONS, open=True)
            )
        return _pools[0]


def session() -> requests.Session:
    """This thread's."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.headers.update(work.HEADERS)
        _local.session.trust_env = False
        if work.AUTHORITY:
            _local.session.verify = work.AUTHORITY
    return _local.session


@dramatiq.actor(actor_name="deliver", queue_name=work.QUEUE, max_retries=5, min_backoff=500)
def deliver(body: work.Body) -> None:
    """Intent, call, result."""
    with pool().connection() as database:
        database.execute(INTENT, (body["requestId"], body["campaignId"]))
    answer = session().post(work.URL, json=body, timeout=20)
    answer.raise_for_status()
    with pool().connection() as database:
        database.execute(RESULT, (answer.status_code, answer.json()["executionId"], body["requestId"]))


def publish(several: list[work.Body]) -> None:
    """Without confirms: how they get there isn't measured."""
    broker.confirm_delivery = False
    broker.declare_queue(work.QUEUE, ensure=True)
    for body in several:
        deliver.send(body)
