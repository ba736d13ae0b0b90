"""The envelope of a message in a list of Redis or Valkey. Nothing is opened before its length is known. Pure."""

import base64
from typing import Any

import msgspec
from ajo_producers.contract.batch import MAX_MESSAGE_BYTES
from ajo_producers.contract.unreadable import UNREADABLE
from msgspec import Raw, Struct, field

MOST_BASE64_BYTES = -(-MAX_MESSAGE_BYTES // 3) * 4
MOST_ENVELOPE_BYTES = 2 * MAX_MESSAGE_BYTES
"""An item that is longer holds a body that is longer than any message, in base64: it is not even parsed."""
MOST_HEADER_BYTES = 131_072
"""As RabbitMQ's frames, in one of which all headers have to be."""


class NoEnvelope(Exception):  # noqa: N818 - what it is
    """An item that is none of kombu's; the text says why."""


class Envelope(Struct):
    """An item as kombu writes it; what else is in it is skipped, and makes no objects."""

    body: str
    headers: Raw
    properties: Raw
    content_type: str | None = field(default=None, name="content-type")
    content_encoding: str | None = field(default=None, name="content-encoding")


_envelope = msgspec.json.Decoder(Envelope)
_object = msgspec.json.Decoder(dict[str, Any])


def payload_of(item: bytes, tag: str, queue: str, length: int) -> dict[str, Any]:
    """What kombu makes a message of; an item that is no envelope becomes a message that nobody can read.

    ``length`` is that of the whole item, of which perhaps only the begin was taken.
    """
    ours = {"delivery_tag": tag, "delivery_info": {"exchange": "", "routing_key": queue}}
    try:
        return _opened(item, length, ours)
    except NoEnvelope as why:
        return {"headers": {UNREADABLE: str(why)}, "body": item, "properties": ours}


def _opened(item: bytes, length: int, ours: dict[str, Any]) -> dict[str, Any]:
    if length > MOST_ENVELOPE_BYTES:
        raise NoEnvelope(f"an item of {length:,} bytes")
    try:
        envelope = _envelope.decode(item)
        if max(len(envelope.headers), len(envelope.properties)) > MOST_HEADER_BYTES:
            raise NoEnvelope("headers or properties that are too long")
        headers, properties = _object.decode(envelope.headers), _object.decode(envelope.properties)
        body = envelope.body.encode()
        if properties.pop("body_encoding", None) == "base64":
            if len(body) > MOST_BASE64_BYTES:
                raise NoEnvelope(f"a body of {len(body):,} bytes in base64")
            body = base64.b64decode(body, validate=True)
    except (ValueError, msgspec.MsgspecError, RecursionError) as fault:
        raise NoEnvelope("no envelope of kombu's") from fault
    return {
        "content-type": envelope.content_type,
        "content-encoding": envelope.content_encoding,
        "headers": headers,
        "body": body,
        "properties": {**properties, **ours},
    }
