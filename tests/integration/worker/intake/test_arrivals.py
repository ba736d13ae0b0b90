"""A message in a queue of Redis or Valkey that was empty is told at once, without looking for it."""

import errno
import os
import resource
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from ajo_worker.intake.arrivals import Arrivals

from tests.support.waiting import wait_until


@pytest.fixture
def client(valkey_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey_url) as client:
        yield client


class Awaited:
    """What is awaited in the queues, and how often something came."""

    def __init__(self, url: str) -> None:
        self.names: list[str] = []
        self.came = threading.Semaphore(0)
        self._pool = redis.ConnectionPool.from_url(url, protocol=2)
        self.arrivals = Arrivals(self._connect, self.came.release)

    def _connect(self) -> Any:
        connection = self._pool.make_connection()
        connection.connect()
        connection.send_command("CLIENT", "ID")
        self.names.append(str(connection.read_response()))
        return connection

    def told(self, *queues: str) -> None:
        """Wait until the next message will be told."""

        def is_told() -> bool:
            self.arrivals.await_in(queues)
            return self.arrivals.told == queues

        wait_until(is_told, what="the next message will be told")

    def comes(self) -> bool:
        return self.came.acquire(timeout=30)


@pytest.fixture
def awaited(valkey_url: str) -> Iterator[Callable[..., Awaited]]:
    made: list[Awaited] = []

    def make(user: str = "") -> Awaited:
        address = urlsplit(valkey_url)
        server = address.netloc.rpartition("@")[2]
        made.append(Awaited(address._replace(netloc=f"{user}@{server}").geturl() if user else valkey_url))
        return made[-1]

    yield make
    for each in made:
        each.arrivals.close()


def test_what_comes_into_any_of_the_queues_is_told_again_and_again(
    awaited: Callable[..., Awaited], client: redis.Redis, queue_prefix: str
) -> None:
    one, other = f"{queue_prefix}.one", f"{queue_prefix}.other"
    waiting = awaited()
    for queue in (one, other, one):
        waiting.told(one, other)
        client.lpush(queue, "message")
        assert waiting.comes()
        client.rpop(queue)


def test_what_is_there_already_is_told_at_once(
    awaited: Callable[..., Awaited], client: redis.Redis, queue_prefix: str
) -> None:
    client.lpush(f"{queue_prefix}.one", "message")
    waiting = awaited()
    waiting.arrivals.await_in([f"{queue_prefix}.one"])
    assert waiting.comes()
    assert waiting.arrivals.told == (), "so the queue is looked at as often as without it"


def test_a_broken_connection_is_made_anew(
    awaited: Callable[..., Awaited], client: redis.Redis, queue_prefix: str
) -> None:
    waiting = awaited()
    waiting.told(queue_prefix)
    for name in waiting.names[:]:
        client.client_kill_filter(_id=name)
    wait_until(lambda: waiting.arrivals.told == (), what="it knows that nothing will be told")
    waiting.told(queue_prefix)
    client.lpush(queue_prefix, "message")
    assert waiting.comes()


def test_a_user_without_the_right_is_told_nothing_and_nothing_else_happens(
    awaited: Callable[..., Awaited], client: redis.Redis, queue_prefix: str
) -> None:
    name = f"user-{queue_prefix}"
    client.execute_command("ACL", "SETUSER", name, "on", ">secret", "~*", "&*", "+@all", "-client|tracking")
    try:
        waiting = awaited(f"{name}:secret")
        waiting.arrivals.await_in([queue_prefix])
        wait_until(lambda: waiting.arrivals._refused, what="the refusal")
        waiting.arrivals.await_in([queue_prefix])
        assert waiting.arrivals.told == ()
        assert len(waiting.names) == 2, "it is not asked again"
    finally:
        client.acl_deluser(name)


@pytest.mark.parametrize("lacks", ["socket.socketpair", "threading.Thread.start"])
def test_where_no_file_or_thread_can_be_had_it_is_tried_again_later(
    lacks: str,
    awaited: Callable[..., Awaited],
    client: redis.Redis,
    queue_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing_left(*_: object) -> None:
        raise RuntimeError("can't start new thread") if "Thread" in lacks else OSError(errno.EMFILE, "Too many files")

    waiting = awaited()
    with monkeypatch.context() as patched:
        patched.setattr(f"ajo_worker.intake.arrivals.{lacks}", nothing_left)
        waiting.arrivals.await_in([queue_prefix])
        assert waiting.arrivals.told == ()
    waiting.told(queue_prefix)
    client.lpush(queue_prefix, "message")
    assert waiting.comes()


def test_a_process_with_more_files_than_select_knows_is_told(
    awaited: Callable[..., Awaited], client: redis.Redis, queue_prefix: str
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip("so many files aren't allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1024)]
    try:
        waiting = awaited()
        waiting.told(queue_prefix)
        client.lpush(queue_prefix, "message")
        assert waiting.comes()
        waiting.arrivals.close()
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
