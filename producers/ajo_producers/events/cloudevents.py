"""CloudEvents 1.0 as they come (structured, binary, batched): each an ``Event``, or what is wrong with it, by path.

The attributes' rules are the ``cloudevents`` library's. Its readers are not used: they give an event an id and a time
where it has none, which would make each repetition another message, and pass broken JSON on as text.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.v1.event import CloudEvent

from ajo_producers.contract.trigger import MOMENT_RULE, Moment, is_moment
from ajo_producers.events.event import BadEvent, Event, Fault

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
MAX_EVENTS = 1000
"""Events of one batch at most."""
_REQUIRED = ("id", "source", "type", "specversion")
_JSON = re.compile(r"(application|text)/([\w.+-]+\+)?json", re.ASCII)
_SHOWABLE = re.compile(r"[\w.-]{1,40}", re.ASCII)
_RULES = {
    "specversion": "must be 1.0",
    "id": "must be text that is not empty",
    "source": "must be text that is not empty",
    "type": "must be text that is not empty",
    "subject": "must be text that is not empty, or be left out",
    "datacontenttype": "must be text that is not empty, or be left out",
    "dataschema": "must be text that is not empty, or be left out",
    "time": MOMENT_RULE,
}
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class UnreadableEvents(ValueError):  # noqa: N818 - named for what it is
    """What came is as a whole no event and no batch; ``supported`` is false if its kind is none that is read here."""

    def __init__(self, text: str, *, supported: bool = True) -> None:
        super().__init__(text)
        self.supported = supported


def read_message(headers: Iterable[tuple[str, str]], content_type: str, body: bytes) -> list[Event | BadEvent]:
    """The events of an HTTP request or an AMQP message, by its headers: one, or those of a batch.

    Plain ``application/json`` without attributes in headers is read as structured or batched, by what it holds.

    Raises:
        UnreadableEvents: it is none of these, no JSON, or too many.
    """
    kind = content_type.partition(";")[0].strip().lower()
    named = {name: value for header, value in headers if (name := attribute_of(header)) is not None}
    if kind == BATCHED:
        return read_batch(_json(body))
    if kind == STRUCTURED:
        return [read_structured(_json(body))]
    if "specversion" in named:
        return [_read_binary(named, content_type, body)]
    if kind == "application/json":
        value = _json(body)
        return read_batch(value) if isinstance(value, list) else [read_structured(value)]
    text = f"Content-Type must be {STRUCTURED}, {BATCHED}, or any with the attributes in headers ce-id, ce-type …"
    raise UnreadableEvents(text, supported=False)


def read_batch(value: object) -> list[Event | BadEvent]:
    """The events of a JSON array.

    Raises:
        UnreadableEvents: it is none, or too long.
    """
    if not isinstance(value, list):
        raise UnreadableEvents("a batch must be a JSON array of events")
    if len(value) > MAX_EVENTS:
        raise UnreadableEvents(f"a batch has {MAX_EVENTS:,} events at most, not {len(value):,}")
    return [read_structured(one) for one in value]


def read_structured(value: object) -> Event | BadEvent:
    """An event in CloudEvents' JSON format. Pure."""
    if not isinstance(value, dict):
        return BadEvent((Fault("", "must be a JSON object with specversion, id, source, type and data"),), None, value)
    attributes = {name: one for name, one in value.items() if name not in ("data", "data_base64") and one is not None}
    faults: list[Fault] = []
    data = value.get("data")
    if (encoded := value.get("data_base64")) is not None:
        if data is not None:
            faults.append(Fault("data_base64", "stands beside data: give one or the other"))
        else:
            data = _of_base64(encoded, str(attributes.get("datacontenttype", "application/json")), faults)
    return _event(attributes, data, faults)


def _read_binary(attributes: dict[str, str], content_type: str, body: bytes) -> Event | BadEvent:
    found: dict[str, Any] = dict(attributes)
    if content_type:
        found["datacontenttype"] = content_type
    faults: list[Fault] = []
    return _event(found, _data(body, content_type or "application/json", faults), faults)


def _event(attributes: dict[str, Any], data: object, faults: list[Fault]) -> Event | BadEvent:
    time = _time(attributes, faults)
    required = dict.fromkeys(_REQUIRED) | attributes | {"time": time or _ANY_TIME}
    try:
        CloudEvent(required)
    except CloudEventValidationError as error:
        faults += (Fault(*_told(name, missing=name not in attributes)) for name in error.errors)
    faults += (
        Fault(_shown(name), "must be text, a whole number, true or false, as all attributes")
        for name, value in attributes.items()
        if name not in _RULES and not isinstance(value, str | int)
    )
    if faults:
        known = attributes.get("id")
        shown = known if isinstance(known, str) and _SHOWABLE.fullmatch(known) else None
        return BadEvent(tuple(faults), shown, {**attributes, "data": data})
    return Event({**attributes, "data": data}, time)


def _time(attributes: Mapping[str, Any], faults: list[Fault]) -> datetime | None:
    if "time" not in attributes:
        return None
    try:
        time = msgspec.convert(attributes["time"], Moment)
    except msgspec.ValidationError:
        time = None
    if not is_moment(time):
        faults.append(Fault("time", MOMENT_RULE))
        return None
    return time


def _told(name: str, *, missing: bool) -> tuple[str, str]:
    if missing:
        return name, "is missing"
    if name in _RULES:
        return name, _RULES[name]
    return _shown(
        name
    ), "is no attribute's name: these have small letters and digits alone; what is your own goes into data"


def _shown(name: str) -> str:
    return name if _SHOWABLE.fullmatch(name) else "an attribute"


def attribute_of(header: str) -> str | None:
    """The attribute that a header holds: ``ce-…`` as over HTTP, ``cloudEvents:…`` or ``cloudEvents_…`` as over AMQP."""
    lower = header.lower()
    for prefix in ("ce-", "cloudevents:", "cloudevents_"):
        if lower.startswith(prefix):
            return lower.removeprefix(prefix)
    return None


def header_value(text: str) -> str:
    """What a header of HTTP says, which is percent-encoded."""
    return unquote(text.removeprefix('"').removesuffix('"') if text.startswith('"') and text.endswith('"') else text)


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
    except msgspec.DecodeError as error:
        raise UnreadableEvents(f"it is no JSON: {error}") from None
    except (UnicodeDecodeError, RecursionError):
        raise UnreadableEvents("it is no JSON: not UTF-8 text, or nested too deeply") from None


def _data(body: bytes, content_type: str, faults: list[Fault]) -> object:
    """The data as expressions see them: JSON as what it says, text as text, and anything else as base64."""
    if not body:
        return None
    if _JSON.match(content_type.strip().lower()):
        try:
            return msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            faults.append(Fault("data", "is no JSON, as its content type says"))
            return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def _of_base64(encoded: object, content_type: str, faults: list[Fault]) -> object:
    try:
        body = base64.b64decode(encoded, validate=True) if isinstance(encoded, str) else None
    except (binascii.Error, ValueError):
        body = None
    if body is None:
        faults.append(Fault("data_base64", "must be text in base64"))
        return None
    return _data(body, content_type, faults)
