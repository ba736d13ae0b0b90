"""``ajo-dispatch events serve`` over real HTTP and brokers: confirmed before answered, and nobody keeps it busy."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
from ajo_local.processes import Processes
from ajo_producers.contract.batch import decode_body, decode_trigger
from kombu import Connection

from tests.support.intakes import TOKEN, RunningIntake, order_event, start_intake, write_mappings
from tests.support.waiting import DEADLINE_SECONDS, wait_until

NOWHERE = "amqp://guest:guest@127.0.0.1:1//"


def queued(url: str, queue: str) -> list[Any]:
    """The triggers that lie on a queue."""
    found = []
    with Connection(url) as connection, connection.channel() as channel:
        while message := channel.basic_get(queue, no_ack=True):
            found += map(decode_trigger, decode_body(message.body.encode()).triggers)
    return found


def send(intake: RunningIntake, stack: ExitStack, head: str, body: bytes = b"") -> socket.socket:
    """Begin a request by hand; it may stay half."""
    url = httpx2.URL(intake.url)
    connection = stack.enter_context(socket.create_connection((url.host, url.port), timeout=DEADLINE_SECONDS))
    connection.sendall(head.encode() + body)
    return connection


def head_of(length: int) -> str:
    return (
        f"POST /events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {TOKEN}\r\n"
        f"content-type: application/cloudevents+json\r\ncontent-length: {length}\r\n\r\n"
    )


def test_events_are_on_the_queue_when_they_are_answered_whoever_else_keeps_it_busy(
    processes: Processes, rabbitmq_url: str, queue_prefix: str, tmp_path: Path
) -> None:
    env = {
        **write_mappings(tmp_path),
        "AJO_BROKER_URL": rabbitmq_url,
        "AJO_QUEUE_PREFIX": queue_prefix,
        "AJO_EVENTS_CONNECTIONS": "40",
        "AJO_EVENTS_BODY_SECONDS": "10",
    }
    intake, queue = start_intake(processes, env), f"{queue_prefix}.standard"
    answer = intake.post(order_event(1))
    assert answer.status_code == 202
    [trigger] = queued(rabbitmq_url, queue)
    assert str(trigger.request_id) == answer.json()["events"][0]["triggers"][0]["request_id"]

    with ExitStack() as stack:
        for half in ["", "POST /events HTTP/1.1\r\nhost: a\r\nautho"] * 40:
            send(intake, stack, half)
        assert intake.post([order_event(2), {}, order_event(3)]).status_code == 400
        assert len(queued(rabbitmq_url, queue)) == 2, "the neighbours of a bad event"
        slow = send(intake, stack, head_of(900), b"{")
        huge = send(intake, stack, head_of(1_000_000_000), b" " * 1000)
        assert huge.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
    assert intake.post(order_event(4)).status_code == 202
    assert intake.child.stop() == 0
    assert "person1@example.com" not in intake.child.output()


def test_who_asks_and_reads_no_answer_keeps_its_place_for_no_longer_than_a_head_may_take(
    processes: Processes, tmp_path: Path
) -> None:
    """A request in hand gives way to nobody: what is answered to it must be read."""
    env = {"AJO_BROKER_URL": NOWHERE, "AJO_EVENTS_CONNECTIONS": "8", "AJO_EVENTS_HEAD_SECONDS": "2"}
    intake = start_intake(processes, {**write_mappings(tmp_path), **env})
    asked = "GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n" * 3000
    with ExitStack() as stack:
        for _ in range(8):
            send(intake, stack, asked)
        wait_until(lambda: intake.child.output().count('"why": "too-slow"'), what="who reads nothing is sent away")
        health = intake.url.replace("/events", "/healthz")
        assert httpx2.get(health, timeout=DEADLINE_SECONDS).status_code == 503


def test_without_the_broker_events_are_answered_503_and_may_come_again(processes: Processes, tmp_path: Path) -> None:
    intake = start_intake(
        processes, {**write_mappings(tmp_path), "AJO_BROKER_URL": NOWHERE, "AJO_PUBLISH_TIMEOUT": "2"}
    )
    answer = intake.post(order_event(1))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["events"][0]["triggers"][0]["confirmed"] is False
    assert httpx2.get(intake.url.replace("/events", "/healthz"), timeout=DEADLINE_SECONDS).status_code == 503
    told = [json.loads(line) for line in intake.child.output().splitlines() if line.startswith("{")]
    assert [line["event"] for line in told] == ["events-not-confirmed"]
