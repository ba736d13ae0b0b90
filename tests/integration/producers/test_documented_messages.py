"""What docs/message-format.md promises to producers in other languages, tried on a worker: written without the SDK."""

import base64
import copy
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import amqp
import pytest
import redis
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS

from tests.support.conservation import accepted
from tests.support.database import query
from tests.support.definitions import write_definitions
from tests.support.programs import Simulator, Worker
from tests.support.waiting import wait_until

DOCUMENT = (Path(__file__).parents[3] / "docs" / "message-format.md").read_text(encoding="utf-8")
BODY, ENVELOPE = [json.loads(block.split("```")[0]) for block in DOCUMENT.split("```json\n")[1:]]
BODY[0][0]["triggers"][0] |= {"expires_at": None, "call_digest": None}
BODY[0][0]["triggers"][0]["recipients"][0] |= {"profile": {}, "context": {"orderId": "A-1"}}

Send = Callable[..., None]


@pytest.fixture
def send(broker_url: str, queue_prefix: str) -> Send:
    """Puts a message on the standard lane's queue, by the broker's own client alone."""
    queue = f"{queue_prefix}.standard"

    def to_rabbitmq(body: bytes, headers: dict[str, Any], content_type: str) -> None:
        host = broker_url.rpartition("@")[2].rstrip("/")
        with amqp.Connection(host) as connection:
            channel = connection.channel()
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUORUM_ARGUMENTS)
            kinds = {"content_type": content_type, "content_encoding": "utf-8", "delivery_mode": 2}
            message = amqp.Message(body, application_headers=headers, correlation_id=headers.get("id", ""), **kinds)
            channel.basic_publish_confirm(message, routing_key=queue, mandatory=True)

    def to_valkey(body: bytes, headers: dict[str, Any], content_type: str) -> None:
        envelope = copy.deepcopy(ENVELOPE)
        envelope |= {"body": base64.b64encode(body).decode(), "headers": headers, "content-type": content_type}
        envelope["properties"]["delivery_info"]["routing_key"] = queue
        envelope["properties"]["delivery_tag"] = str(uuid.uuid4())
        with redis.Redis.from_url(broker_url) as client:
            client.lpush(queue, json.dumps(envelope))

    def send(
        body: bytes | list[Any], headers: dict[str, Any] = ENVELOPE["headers"], content_type: str = "application/json"
    ) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        (to_rabbitmq if broker_url.startswith("amqp") else to_valkey)(raw, headers, content_type)

    return send


def body_of(*triggers: dict[str, Any], **envelope: Any) -> list[Any]:
    """The documented body with other triggers."""
    [batch] = BODY[0]
    return [[{**batch, **envelope, "triggers": list(triggers) or batch["triggers"]}], *BODY[1:]]


def trigger(**changes: Any) -> dict[str, Any]:
    """The documented trigger as a new one, with changes."""
    return {**BODY[0][0]["triggers"][0], "request_id": str(uuid.uuid4()), **changes}


def test_a_worker_does_with_each_message_what_the_document_says(
    send: Send,
    broker_url: str,
    database_url: str,
    tmp_path: Path,
    simulator: Callable[..., Simulator],
    worker: Callable[..., Worker],
) -> None:
    headers = ENVELOPE["headers"]
    good, late, unknown = trigger(), trigger(expires_at="2026-01-01T00:00:00Z"), trigger(campaign="nothing")
    incomplete = trigger(recipients=[{"user_id": "u-1", "context": {}}])
    send(BODY)
    send(BODY)  # a copy
    beyond = trigger(occurred_at="9999-12-31T23:59:59-05:00")
    send(body_of(good, trigger(url="https://example.com"), beyond, late, unknown, incomplete))
    send(BODY, {name: value for name, value in headers.items() if name != "task"})
    send(BODY, {**headers, "task": "other.task"})
    send(BODY, content_type="text/plain")
    send(json.dumps(body_of(trigger()), ensure_ascii=False).encode("utf-16"))
    send(body_of(trigger(), version=2))

    api = simulator()
    worker(
        {
            "AJO_BROKER_URL": broker_url,
            "AJO_BASE_URL": api.url,
            "AJO_TOKEN_URL": api.token_url,
            "AJO_CLIENT_ID": "test-client",
            "AJO_CLIENT_SECRET": "test-secret",
            "AJO_CAMPAIGNS": str(write_definitions(tmp_path / "campaigns")),
        }
    )
    wait_until(lambda: len(reasons(database_url)) + len(states(database_url)) >= 12, what="12 messages and triggers")
    wait_until(lambda: "sending" not in states(database_url).values(), what="a state that lasts for each trigger")
    assert states(database_url) == {
        BODY[0][0]["triggers"][0]["request_id"]: "accepted",
        good["request_id"]: "accepted",
        late["request_id"]: "expired",
        unknown["request_id"]: "parked",
        incomplete["request_id"]: "rejected",
    }
    assert accepted(api.journal) == {BODY[0][0]["triggers"][0]["request_id"]: 1, good["request_id"]: 1}
    found = reasons(database_url)
    assert len(found) == 7
    for part in ("`task` is missing", "names another task", "refused", "not UTF-8", "$.version", "url", "years 2000"):
        assert any(part in reason for reason in found), (part, found)


def states(url: str) -> dict[str, str]:
    return {str(row["request_id"]): row["state"] for row in query(url, "select request_id, state from ledger.triggers")}


def reasons(url: str) -> list[str]:
    return [row["reason"] for row in query(url, "select reason from ledger.quarantine")]
