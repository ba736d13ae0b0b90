"""Fault 8: bad messages among good ones, in the same queues."""

import base64
import bz2
import json
import pickle
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import redis
from ajo_producers.contract import task_message
from ajo_producers.contract.lanes import queue_name
from kombu import Connection
from uuid_utils.compat import uuid7

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.support.waiting import wait_until

EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


class Bomb:
    """Whoever unpickles this writes a file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self._path, "w"))


@dataclass(frozen=True)
class Bad:
    """A message that can't be read, or whose triggers can't; ``rejected`` are the ids that the ledger then has."""

    body: bytes
    content_type: str = task_message.CONTENT_TYPE
    headers: dict[str, Any] | None = None
    rejected: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    quarantined: int = 1
    extra: dict[str, Any] = field(default_factory=dict)


@fault("messages-bad", 8, "random bytes, pickle, unknown versions and campaigns, wrong types, 16.5 MB, deep nesting",
       duplicates=False, states=("accepted", "rejected"), smoke=True, AJO_DEFINITION_WAIT="1")  # fmt: skip
def bad_messages(run: Run) -> None:
    run.when_done(0.1)
    bomb = run.folder / "bomb"
    messages = list(_bad(run, str(bomb)))
    for message in messages:
        _put(run, message)
    for message in messages:
        ids = {*message.rejected, *message.good}
        run.stream.offered |= ids
        run.stream.confirmed |= ids
    expected = sum(message.quarantined for message in messages)
    wait_until(lambda: _quarantined(run) >= expected, what=f"{expected} messages and triggers in quarantine")
    rejected = {key for message in messages for key in message.rejected}
    wait_until(lambda: rejected <= _rejected(run), what="unknown campaigns and bad payloads are rejected")
    found = _quarantined(run)
    if found != expected:
        raise AssertionError(f"{found} rows in quarantine, expected {expected}")
    if bomb.exists():
        raise AssertionError("a pickle was loaded")


def _quarantined(run: Run) -> int:
    return int(run.query("select count(*) as n from ledger.quarantine")[0]["n"])


def _rejected(run: Run) -> set[str]:
    return {
        str(row["request_id"]) for row in run.query("select request_id from ledger.triggers where state = 'rejected'")
    }


def _bad(run: Run, bomb: str) -> Iterator[Bad]:
    yield Bad(run.chance.randbytes(500))
    yield Bad(b"")
    yield Bad(pickle.dumps(Bomb(bomb)), "application/x-python-serialize")
    yield Bad(b"--- {a: 1}", "application/x-yaml")
    yield Bad(b'{"a": 1}', headers={})
    yield Bad(b"[[], {}, {}]", headers={**_headers(), "task": "another.task"})
    yield Bad(b'[[1], {}, {"callbacks": null}]')
    yield Bad(_batch(_trigger(), version=2))
    yield Bad(_batch(_trigger(), host="https://attacker.example.com"))
    yield Bad(b"[" * 100_000)
    yield Bad(
        _batch(*[_trigger(context={"orderId": "x" * 100_000}) for _ in range(165)])
    )  # 16.5 MB: RabbitMQ takes 16 MiB
    for name in ("bzip2", "zlib", "xz", "zstd", "gzip", "brotli", "snappy", 7, ["zlib"]):  # 30 MB once unpacked
        yield Bad(bz2.compress(bytes(30_000_000)) if name == "bzip2" else zlib.compress(bytes(30_000_000)),
                  headers={**_headers(), "compression": name})  # fmt: skip
    for strange in ("\ud800", "a\x00b", "\\u0000"):
        yield Bad(b"{", headers={**_headers(), "x-note": strange})
        yield Bad(b"{", headers={**_headers(), "id": strange, "origin": strange, "argsrepr": strange})
    yield Bad(_batch(_trigger(), enqueued_at="0001-01-01T00:00:00Z"))
    yield Bad(_batch(_trigger(), enqueued_at="9999-12-31T23:59:59Z"))
    unknown = _trigger(campaign="no-such-campaign")
    yield Bad(_batch(unknown), rejected=(unknown["request_id"],), quarantined=0)
    missing = _trigger(context={})
    yield Bad(_batch(missing), rejected=(missing["request_id"],), quarantined=0)
    # One bad trigger inside a good batch, of every kind.
    neighbours = [_trigger() for _ in range(6)]
    bad = [
        _trigger(recipients="nobody"),
        _trigger(endpoint="https://attacker.example.com"),
        _trigger(request_id="not-an-id"),
        _trigger(expires_at="yesterday"),
        _trigger(occurred_at="0001-01-01T00:00:00Z"),
        _trigger(expires_at="9999-12-31T23:59:59-14:00"),
    ]
    mixed = [one for pair in zip(neighbours, bad, strict=True) for one in pair]
    yield Bad(_batch(*mixed), good=tuple(one["request_id"] for one in neighbours), quarantined=len(bad))


def _trigger(**changes: Any) -> dict[str, Any]:
    context = changes.pop("context", {"orderId": "A-bad"})
    person = {"user_id": "bad@chaos.example.com", "channel_data": {"emailAddress": "bad@chaos.example.com"}}
    return {
        "request_id": str(uuid7()),
        "campaign": "order-shipped",
        "recipients": [{**person, "context": context}],
        **changes,
    }


def _batch(*triggers: dict[str, Any], version: int = 1, **more: Any) -> bytes:
    batch = {
        "version": version,
        "batch_id": str(uuid7()),
        "producer": "chaos",
        "enqueued_at": datetime.now(UTC).isoformat(),
        "triggers": triggers,
        **more,
    }
    return json.dumps([[batch], {}, EMBED]).encode()


def _headers() -> dict[str, Any]:
    return task_message.headers(uuid4(), origin="chaos", summary="bad")


def _put(run: Run, message: Bad) -> None:
    """Put a message into the standard lane's queue, past the publisher and its checks."""
    queue = queue_name(run.queue_prefix, "standard")
    headers = _headers() if message.headers is None else message.headers
    if run.broker.name == "rabbitmq":
        with Connection(run.broker.url) as connection, connection.channel() as channel:
            properties = task_message.properties(uuid4())
            prepared = channel.prepare_message(
                message.body, content_type=message.content_type, content_encoding="utf-8",
                headers=headers, properties=properties,
            )  # fmt: skip
            channel.basic_publish(prepared, exchange="", routing_key=queue)
        return
    envelope = {
        "body": base64.b64encode(message.body).decode(),
        "content-type": message.content_type,
        "content-encoding": "utf-8",
        "headers": headers,
        "properties": {
            **task_message.properties(uuid4()),
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_tag": str(uuid4()),
        },
    }
    with redis.Redis.from_url(run.broker.url) as client:
        client.lpush(queue, json.dumps(envelope))


@fault("messages-not-kombu", 8, "random bytes and foreign JSON in the queue itself, not in kombu's envelope",
       duplicates=False, brokers=("valkey",))  # fmt: skip
def not_kombu(run: Run) -> None:
    run.when_done(0.1)
    queue = queue_name(run.queue_prefix, "standard")
    items = [run.chance.randbytes(300), b"", b"{}", b"[1]", b'{"body": 1, "properties": {}}', b"null", b"[" * 100_000]
    with redis.Redis.from_url(run.broker.url) as client:
        for item in items:
            client.lpush(queue, item)
    wait_until(lambda: _quarantined(run) == len(items), what=f"{len(items)} items in quarantine")
