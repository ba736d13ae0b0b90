"""The batch: the 1–N triggers that one broker message carries, and how it is read.

A batch is read in two steps, so that one bad trigger never costs its neighbours: first the envelope, then each
trigger by itself. docs/message-format.md describes the format for producers in other languages.
"""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from ajo_producers.contract.trigger import Moment, Text, Trigger, check_moments

VERSION: Literal[1] = 1
MAX_TRIGGERS = 1000
"""Triggers in one batch at most; the publisher's default is far lower."""
MAX_MESSAGE_BYTES = 16_000_000
"""A longer message is not read; RabbitMQ's own default limit is 16 MiB (``max_message_size``)."""


class Batch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one message says of itself. ``enqueued_at`` is the producer's clock at publishing."""

    version: Literal[1]
    batch_id: UUID
    producer: Text
    enqueued_at: Moment
    triggers: Annotated[tuple[Raw, ...], Meta(min_length=1, max_length=MAX_TRIGGERS)]

    def __post_init__(self) -> None:
        """Refuse a moment that can't be meant."""
        check_moments(enqueued_at=self.enqueued_at)


class BadMessage(ValueError):  # noqa: N818 - what it is: the message is bad
    """The message as a whole can't be read; the text says why, without its content."""


class BadTrigger(ValueError):  # noqa: N818 - as above
    """One trigger of a batch can't be read; the text names the field."""


_body = msgspec.json.Decoder(tuple[tuple[Raw, ...], Raw, Raw], strict=True)
_batch = msgspec.json.Decoder(Batch, strict=True)
_trigger = msgspec.json.Decoder(Trigger, strict=True)
_encoder = msgspec.json.Encoder()

# Escapes of JSON text one after another, so that a backslash never counts twice; half a surrogate pair is the group.
_ESCAPE = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u([dD][89a-fA-F][\da-fA-F]{2})|\\.", re.DOTALL)

# The only texts of msgspec's that quote what was read. A name that is none may be a value that slipped.
_UNKNOWN_FIELD = "Object contains unknown field"
_NAMED_FIELD = re.compile(_UNKNOWN_FIELD + r" `[a-zA-Z_]\w{0,63}`(?: - at `[$.\w\[\]]{1,64}`)?", re.ASCII)


def encode_trigger(trigger: Trigger) -> bytes:
    """The trigger as JSON, in the form in which batches carry and the ledger holds it."""
    return _encoder.encode(trigger)


def encode_body(batch: Batch) -> bytes:
    """The body of the broker message: Celery's ``[args, kwargs, embed]`` with the batch as the only argument."""
    embed: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return _encoder.encode(((batch,), {}, embed))


def decode_body(body: bytes) -> Batch:
    """Read a message's envelope.

    Raises:
        BadMessage: not JSON in UTF-8, another version, a missing or unknown field, too long, too deeply nested.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise BadMessage(f"the message has {len(body):,} bytes; {MAX_MESSAGE_BYTES:,} is the most")
    try:
        try:
            args, _, _ = _body.decode(body)
        except msgspec.DecodeError:
            # msgspec refuses half a surrogate pair wherever it stands. As bytes it is refused with its trigger alone.
            args, _, _ = _body.decode(_ESCAPE.sub(_as_bytes, body))
        if len(args) != 1:
            raise BadMessage(f"the message has {len(args)} arguments; expected the batch alone")
        return _batch.decode(args[0])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadMessage(_reason(body, error)) from error


def decode_trigger(raw: bytes | Raw, *, sealed: bool = False) -> Trigger:
    """Read one trigger; of one that was ``sealed``, a fault tells not even the name of an unknown field.

    Raises:
        BadTrigger: a missing or unknown field, a wrong type, a value out of bounds, a time without a zone.
    """
    try:
        return _trigger.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadTrigger(_reason(raw, error, sealed=sealed)) from error


def _as_bytes(escape: re.Match[bytes]) -> bytes:
    half = escape[1]
    return chr(int(half, 16)).encode(errors="surrogatepass") if half else escape[0]


def _reason(raw: bytes | Raw, error: Exception, *, sealed: bool = False) -> str:
    """Why JSON can't be read. Another encoding is told as such: what msgspec stumbles over first may be anything."""
    try:
        bytes(raw).decode()
    except UnicodeDecodeError as foreign:
        return f"it is not UTF-8 text (byte {foreign.start})"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text = str(error)
    if text.startswith(_UNKNOWN_FIELD) and (sealed or not _NAMED_FIELD.fullmatch(text)):
        return "Object contains an unknown field"
    return text
