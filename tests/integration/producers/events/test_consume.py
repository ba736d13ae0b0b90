"""``ajo-dispatch events consume`` over RabbitMQ: acknowledged once confirmed; what can't be taken holds up nothing."""

import json
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ajo_local.child import Child
from ajo_local.processes import Processes
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from amqp import serialization
from amqp.exceptions import NotFound
from kombu import Connection, Exchange, Producer

from tests.support.intakes import order_event, write_mappings
from tests.support.programs import PLAIN, PROGRAM
from tests.support.waiting import DEADLINE_SECONDS, wait_until

STRUCTURED = "application/cloudevents+json"


class Bus:
    """An exchange of events, and the queues behind it."""

    def __init__(self, url: str, prefix: str) -> None:
        self.connection = Connection(url)
        self.name = f"events-{secrets.token_hex(6)}"
        self.channel = self.connection.channel()
        self.prefix = prefix
        Exchange(self.name, "topic", channel=self.channel).declare()
        self.channel.queue_declare(f"{prefix}.standard", durable=True, auto_delete=False, arguments=QUORUM_ARGUMENTS)
        self.producer = Producer(self.channel, exchange=Exchange(self.name, "topic"))

    def send(self, body: Any, content_type: str = STRUCTURED, **headers: Any) -> None:
        """Publish a message."""
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        kind = {"content_type": content_type, "content_encoding": headers.pop("encoding", "utf-8")}
        self.producer.publish(text, routing_key="order.shipped", serializer=None, headers=headers, **kind)

    def take(self, queue: str) -> list[Any]:
        """What lies on a queue."""
        found = []
        while message := self.channel.basic_get(f"{self.prefix}.{queue}", no_ack=True):
            found.append(message)
        return found

    def triggers(self) -> set[str]:
        """The order ids of the triggers that lie on the workers' queue."""
        bodies = [decode_body(message.body.encode()) for message in self.take("standard")]
        triggers = [decode_trigger(raw) for body in bodies for raw in body.triggers]
        return {trigger.recipients[0].context["orderId"] for trigger in triggers}

    def length(self, queue: str) -> int:
        """How many messages lie on a queue, ready to be taken."""
        return int(self.channel.queue_declare(f"{self.prefix}.{queue}", passive=True).message_count)


@pytest.fixture
def bus(rabbitmq_url: str, queue_prefix: str) -> Iterator[Bus]:
    bus = Bus(rabbitmq_url, queue_prefix)
    yield bus
    bus.channel.exchange_delete(bus.name)
    for queue in ("events", "events.dead-letters"):
        bus.channel.queue_delete(f"{queue_prefix}.{queue}")
    bus.connection.release()


def start(processes: Processes, bus: Bus, tmp_path: Path, url: str, **env: str) -> Child:
    own = {**PLAIN, **write_mappings(tmp_path), "AJO_BROKER_URL": url, "AJO_QUEUE_PREFIX": bus.prefix, **env}
    child = processes.start("consumer", [PROGRAM, "events", "consume", bus.name], env=own)
    child.wait_for_output(r"consuming \S+", timeout=DEADLINE_SECONDS)
    return child


def test_every_mode_is_taken_and_poison_goes_to_the_dead_letters_with_its_reason(
    processes: Processes, bus: Bus, rabbitmq_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = start(processes, bus, tmp_path, rabbitmq_url)
    attributes = {f"ce-{name}": value for name, value in order_event(2).items() if name != "data"}
    bus.send("nonsense")
    bus.send(b"\x1f\x8b", encoding="gzip")
    with monkeypatch.context() as patched:  # a date in the year 5 billion, which py-amqp can't read
        table = b"\x01dT" + struct.pack(">Q", 2**57)
        header = struct.pack(">I", len(table)) + table
        patched.setattr(serialization.GenericContent, "_serialize_properties", lambda _: b"\x20\x00" + header)
        bus.send(order_event(9))
    bus.send(order_event(1))
    bus.send(order_event(2)["data"], "application/json", **attributes)
    bus.send([order_event(3), {"id": "x"}, order_event(4)], "application/cloudevents-batch+json")
    bus.send(order_event(5, type="com.example.other"))
    bus.send(order_event(1))
    found: set[str] = set()
    wait_until(lambda: (found.update(bus.triggers()), len(found) == 4)[1], what="four triggers")
    assert found == {"A-1", "A-2", "A-3", "A-4"}
    wait_until(lambda: bus.length("events.dead-letters") == 5, what="five dead letters")
    reasons = [message.headers["x-ajo-reason"] for message in bus.take("events.dead-letters")]
    begins = ["it is no JSON", "its content encoding", "its headers can't be read", "source is missing", "type com.ex"]
    assert all(reason.startswith(begin) for reason, begin in zip(reasons, begins, strict=True)), reasons
    assert consumer.stop() == 0
    assert bus.length("events") == 0
    assert "person1@example.com" not in consumer.output()


def test_nothing_is_acknowledged_that_the_triggers_broker_has_not_confirmed(
    processes: Processes, bus: Bus, rabbitmq_url: str, tmp_path: Path
) -> None:
    nowhere = "amqp://guest:guest@127.0.0.1:1//"
    consumer = start(processes, bus, tmp_path, nowhere, AJO_EVENTS_BROKER_URL=rabbitmq_url)
    bus.send(order_event(1))
    consumer.wait_for_output("events-not-confirmed", timeout=DEADLINE_SECONDS)
    assert consumer.stop() == 0
    wait_until(lambda: bus.length("events") == 1, what="it is back on its queue")
    again = start(processes, bus, tmp_path, rabbitmq_url)
    found: set[str] = set()
    wait_until(lambda: (found.update(bus.triggers()), found)[1], what="the trigger")
    assert again.stop() == 0
    assert bus.length("events") == 0


def test_a_queue_that_is_deleted_is_told_and_declared_anew(
    processes: Processes, bus: Bus, rabbitmq_url: str, tmp_path: Path
) -> None:
    consumer = start(processes, bus, tmp_path, rabbitmq_url)
    bus.channel.queue_delete(f"{bus.prefix}.events")
    consumer.wait_for_output("it was deleted", timeout=DEADLINE_SECONDS)

    def is_there() -> bool:
        try:
            return bus.channel.queue_declare(f"{bus.prefix}.events", passive=True).consumer_count == 1
        except NotFound:
            bus.channel = bus.connection.channel()
            return False

    wait_until(is_there, what="it is consumed again")
    bus.send(order_event(1))
    found: set[str] = set()
    wait_until(lambda: (found.update(bus.triggers()), found)[1], what="the trigger")
    assert consumer.stop() == 0
