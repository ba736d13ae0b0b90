"""The batch on the wire: what is written can be read, and what breaks the format is refused by name."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from ajo_producers.contract.batch import (
    MAX_MESSAGE_BYTES,
    MAX_TRIGGERS,
    BadMessage,
    BadTrigger,
    Batch,
    decode_body,
    decode_trigger,
    encode_body,
    encode_trigger,
)
from ajo_producers.contract.trigger import Recipient, Trigger
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from uuid_utils.compat import uuid7

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
TRIGGER: dict[str, Any] = {
    "request_id": "01a1961f-5c00-73fe-a636-947fdb6ac011",
    "campaign": "order-shipped",
    "recipients": [{"user_id": "ada@example.com", "context": {"orderId": "A-1"}}],
}
ENVELOPE: dict[str, Any] = {
    "version": 1,
    "batch_id": "01a1961f-5c00-7000-8000-000000000000",
    "producer": "shop",
    "enqueued_at": "2026-11-01T08:00:00Z",
    "triggers": [TRIGGER],
}
EMBED: dict[str, None] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def body(*args: Any, **changes: Any) -> bytes:
    return json.dumps([args or [{**ENVELOPE, **changes}], {}, EMBED]).encode()


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
moments = st.none() | st.datetimes(
    datetime(2000, 1, 2),  # noqa: DTZ001 - hypothesis takes its bounds without a zone
    datetime(2099, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)
recipients = st.builds(
    Recipient,
    user_id=texts,
    channel_data=st.dictionaries(texts, texts, max_size=2),
    context=st.dictionaries(texts, texts | st.integers() | st.booleans(), max_size=3),
)
triggers = st.builds(
    Trigger,
    request_id=st.uuids(),
    campaign=texts,
    recipients=st.lists(recipients, min_size=1, max_size=3).map(tuple),
    occurred_at=moments,
    expires_at=moments,
    trace_id=st.none() | texts,
)


@given(st.lists(triggers, min_size=1, max_size=4))
def test_a_batch_is_read_as_it_was_written(written: list[Trigger]) -> None:
    batch = Batch(
        version=1,
        batch_id=uuid7(),
        producer="shop",
        enqueued_at=NOW,
        triggers=tuple(Raw(encode_trigger(trigger)) for trigger in written),
    )
    read = decode_body(encode_body(batch))
    assert (read.batch_id, read.producer, read.enqueued_at) == (batch.batch_id, "shop", NOW)
    assert [decode_trigger(raw) for raw in read.triggers] == written


def test_the_body_is_celerys_with_the_batch_as_the_only_argument() -> None:
    batch = decode_body(body())
    args, kwargs, embed = json.loads(encode_body(batch))
    assert (len(args), kwargs, embed) == (1, {}, EMBED)
    assert args[0] == ENVELOPE


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (b"", "truncated"),
        (b"{}", "Expected `array`"),
        (b"[[],{},{}]", "0 arguments"),
        (body({}, {}), "2 arguments"),
        (body(version=2), "$.version"),
        (body(version=None), "$.version"),
        (body(batch_id="x"), "$.batch_id"),
        (body(producer=""), "$.producer"),
        (body(enqueued_at="2026-11-01T08:00:00"), "timezone"),
        (body(triggers=[]), "$.triggers"),
        (body(triggers=[0] * (MAX_TRIGGERS + 1)), "$.triggers"),
        (body(surprise=1), "surprise"),
        (body()[:-3], "truncated"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[["\xff"],{},{}]', "not UTF-8 text (byte 3)"),
        (body().decode().encode("utf-16"), "not UTF-8 text (byte 0)"),
        (body(producer="Ü").decode("unicode_escape").encode("latin-1"), "not UTF-8 text (byte "),
        (b" " * (MAX_MESSAGE_BYTES + 1), "16,000,001 bytes"),
    ],
)
def test_an_unreadable_message_says_why(raw: bytes, part: str) -> None:
    with pytest.raises(BadMessage) as caught:
        decode_body(raw)
    assert part.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"request_id": "A-1"}, "$.request_id"),
        ({"campaign": ""}, "$.campaign"),
        ({"recipients": []}, "$.recipients"),
        ({"recipients": [{"user_id": "a"}] * 21}, "$.recipients"),
        ({"recipients": [{}]}, "user_id"),
        ({"recipients": [{"user_id": "a", "url": "https://example.com"}]}, "field `url` - at `$.recipients[0]`"),
        ({"endpoint": "https://example.com"}, "endpoint"),
        ({"expires_at": "2026-11-01T08:00:00"}, "$.expires_at"),
        ({"occurred_at": "soon"}, "$.occurred_at"),
        ({"trace_id": ""}, "$.trace_id"),
    ],
)
def test_one_bad_trigger_is_refused_by_field_and_its_neighbours_are_read(changes: dict[str, Any], part: str) -> None:
    batch = decode_body(body(triggers=[{**TRIGGER, **changes}, TRIGGER]))
    with pytest.raises(BadTrigger) as caught:
        decode_trigger(batch.triggers[0])
    assert part in str(caught.value)
    assert decode_trigger(batch.triggers[1]).request_id == UUID(TRIGGER["request_id"])


VALUES_AS_NAMES = [
    "ada@example.com",
    "Ada Lovelace",
    "a\0b",
    "\N{SNOWMAN}",
    "z" * 65,
    "+491701234567",
    "x` - at `$.y` z",
    "",
]


@pytest.mark.parametrize("name", VALUES_AS_NAMES)
def test_what_is_no_name_is_not_told_of_an_unknown_field_since_it_may_be_a_value(name: str) -> None:
    of_recipient = {"recipients": [{"user_id": "a", name: 1}]}
    for unknown in ({name: 1}, of_recipient):
        with pytest.raises(BadTrigger) as bad:
            decode_trigger(json.dumps({**TRIGGER, **unknown}).encode())
        assert str(bad.value) == "Object contains an unknown field"
    with pytest.raises(BadMessage) as worse:
        decode_body(body(**{name: 1}))
    assert str(worse.value) == "Object contains an unknown field"


def test_of_what_was_sealed_no_name_is_told_at_all() -> None:
    with pytest.raises(BadTrigger) as bad:
        decode_trigger(json.dumps({**TRIGGER, "Ada": 1}).encode(), sealed=True)
    assert str(bad.value) == "Object contains an unknown field"


def test_nothing_personal_is_in_a_repr() -> None:
    trigger = decode_trigger(json.dumps(TRIGGER).encode())
    assert repr(trigger) == "Trigger(order-shipped 01a1961f-5c00-73fe-a636-947fdb6ac011, recipients=1)"
    assert repr(trigger.recipients) == "(Recipient(…),)"
