"""A message on each broker is the documented one, and what the document shows is one that can be read."""

import base64
import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from ajo_producers import Publisher
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from ajo_producers.contract.schema import message_schema
from jsonschema import Draft202012Validator, FormatChecker
from kombu import Connection

from tests.integration.producers.publishing.queues import as_bytes, make, make_many, take

DOCUMENT = (Path(__file__).parents[4] / "docs" / "message-format.md").read_text(encoding="utf-8")
BODY, ENVELOPE = [json.loads(block.split("```")[0]) for block in DOCUMENT.split("```json\n")[1:]]
SCHEMA = Draft202012Validator(message_schema(), format_checker=FormatChecker())

# In these places messages differ from one another; everything else is the document's, to the letter.
CHANGING = {"id", "root_id", "correlation_id", "argsrepr", "origin", "delivery_tag", "routing_key", "body"}


def shape(value: Any) -> Any:
    """A JSON value with the changing places blanked."""
    if isinstance(value, dict):
        return {key: "…" if key in CHANGING else shape(item) for key, item in value.items()}
    return value


def test_a_message_has_exactly_the_documented_properties_headers_and_body(broker_url: str, queue_prefix: str) -> None:
    trigger = make(key="A-1")
    with Publisher(broker_url, queue_prefix=queue_prefix, producer="shop") as publisher:
        receipt = publisher.publish(trigger)
    [message] = take(broker_url, receipt.queue)

    headers = {name: value for name, value in message.headers.items() if name != "x-delivery-count"}  # RabbitMQ's own
    assert shape(headers) == shape(ENVELOPE["headers"])
    assert headers["id"] == headers["root_id"] == message.properties["correlation_id"] == str(trigger.request_id)
    assert headers["argsrepr"] == f"order-shipped {trigger.request_id}"
    assert re.fullmatch(r"\d+@.+", headers["origin"])
    assert (message.content_type, message.content_encoding) == ("application/json", "utf-8")
    assert message.properties["delivery_mode"] == 2
    assert {"reply_to", "expiration"}.isdisjoint(message.properties)

    body = json.loads(message.body)
    SCHEMA.validate(body)
    assert shape(body[1:]) == shape(BODY[1:])
    [batch] = body[0]
    assert set(batch) == set(BODY[0][0])
    assert (batch["producer"], batch["batch_id"]) == ("shop", str(receipt.batch_id))
    assert batch["triggers"] == [json.loads(trigger.encoded)]
    assert decode_body(as_bytes(message.body)).enqueued_at == receipt.enqueued_at
    assert "example.com" not in json.dumps([headers, message.properties])


def test_a_message_with_several_triggers_has_the_batchs_id(broker_url: str, queue_prefix: str) -> None:
    with Publisher(broker_url, queue_prefix=queue_prefix) as publisher:
        [[receipt, *_]] = publisher.publish_stream(make_many(3))
    [message] = take(broker_url, receipt.queue)
    SCHEMA.validate(json.loads(message.body))
    assert UUID(message.headers["id"]) == UUID(message.properties["correlation_id"]) == receipt.batch_id
    assert message.headers["argsrepr"] == "order-shipped ×3"


def test_the_envelope_on_valkey_is_the_documented_one(valkey_url: str, queue_prefix: str) -> None:
    triggers = [make(1), make(2)]
    with Publisher(valkey_url, queue_prefix=queue_prefix) as publisher:
        publisher.publish_many(triggers, batch_size=1)
    with redis.Redis.from_url(valkey_url) as client:
        assert client.keys() == [f"{queue_prefix}.standard".encode()]
        rows: Any = client.lrange(f"{queue_prefix}.standard", 0, -1)
    envelopes = [json.loads(row) for row in reversed(rows)]
    for trigger, envelope in zip(triggers, envelopes, strict=True):
        assert shape(envelope) == shape(ENVELOPE)
        assert decode_trigger(decode_body(base64.b64decode(envelope["body"])).triggers[0]) == trigger.trigger
        assert envelope["properties"]["delivery_info"]["routing_key"] == f"{queue_prefix}.standard"
    assert len({envelope["properties"]["delivery_tag"] for envelope in envelopes}) == 2


def test_the_documented_envelope_carries_the_documented_body_and_can_be_read(
    valkey_url: str, queue_prefix: str
) -> None:
    """A producer without kombu: one LPUSH of the document's text."""
    assert json.loads(base64.b64decode(ENVELOPE["body"])) == BODY
    with redis.Redis.from_url(valkey_url) as client:
        client.lpush(f"{queue_prefix}.standard", json.dumps(ENVELOPE))
    [message] = take(valkey_url, f"{queue_prefix}.standard")
    assert message.headers == ENVELOPE["headers"]
    assert [decode_trigger(raw).campaign for raw in decode_body(as_bytes(message.body)).triggers] == ["order-shipped"]


def test_every_documented_header_and_property_is_in_the_envelope_shown() -> None:
    tables = DOCUMENT.split("## Properties and headers")[1].split("## ")[0]
    names = {
        name for row in re.findall(r"^\| (`.+?`) \|", tables, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    ours = {"content_type", "content_encoding", "delivery_mode", "correlation_id"}
    assert names == set(ENVELOPE["headers"]) | ours


def test_the_documented_queue_is_the_one_that_is_declared(rabbitmq_url: str, queue_prefix: str) -> None:
    """RabbitMQ refuses a declaration that differs from what is there: here any but the document's."""
    documented = dict(re.findall(r"`(x-[\w-]+): (\w+)`", DOCUMENT))
    assert documented == {name: str(value) for name, value in QUORUM_ARGUMENTS.items()}
    with Publisher(rabbitmq_url, queue_prefix=queue_prefix) as publisher:
        queue = publisher.publish(make()).queue
    as_documented = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
    with Connection(rabbitmq_url) as connection:
        for arguments in ({}, {"x-queue-type": "classic"}, {"x-queue-type": "quorum"}):
            with pytest.raises(connection.channel_errors, match="PRECONDITION_FAILED"):
                connection.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        with closing(connection.channel()) as channel:
            found = channel.queue_declare(queue, durable=True, auto_delete=False, arguments=as_documented)
            assert (found.queue, found.message_count) == (queue, 1)
