"""CloudEvents in every mode are events, or are told by path what is wrong with them; nothing makes one up."""

import base64
import json
from typing import Any

import pytest
from ajo_producers.events.cloudevents import (
    BATCHED,
    MAX_EVENTS,
    STRUCTURED,
    UnreadableEvents,
    header_value,
    read_message,
    read_structured,
)
from ajo_producers.events.event import BadEvent, Event
from hypothesis import given
from hypothesis import strategies as st

GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A-1",
    "source": "/shop",
    "type": "com.example.order.shipped",
    "time": "2026-11-29T08:00:00Z",
    "data": {"orderId": "A-1"},
}
HEADERS = [(f"ce-{name}", str(value)) for name, value in GOOD.items() if name != "data"]
SECRET = "planted-5d41402abc4b"


def test_a_structured_event_is_what_it_says() -> None:
    event = read_structured({**GOOD, "tenant": "north", "subject": None})
    assert isinstance(event, Event)
    assert event.document == {**GOOD, "tenant": "north"}
    assert event.time is not None


@pytest.mark.parametrize("prefix", ["ce-", "Ce-", "cloudEvents:", "cloudEvents_"])
def test_a_binary_event_is_the_same_as_a_structured_one(prefix: str) -> None:
    headers = [(name.replace("ce-", prefix), value) for name, value in HEADERS]
    [event] = read_message(headers, "application/json", json.dumps(GOOD["data"]).encode())
    assert isinstance(event, Event)
    assert event.document == {**GOOD, "datacontenttype": "application/json"}


@pytest.mark.parametrize(
    ("content_type", "value", "count"),
    [
        (STRUCTURED, GOOD, 1),
        (f"{STRUCTURED}; charset=utf-8", GOOD, 1),
        (BATCHED, [GOOD, GOOD], 2),
        (BATCHED, [], 0),
        ("application/json", GOOD, 1),
        ("application/json", [GOOD, GOOD], 2),
    ],
)
def test_modes_are_told_by_the_content_type(content_type: str, value: object, count: int) -> None:
    assert len(read_message([], content_type, json.dumps(value).encode())) == count


@pytest.mark.parametrize(
    ("content_type", "body", "supported"),
    [
        ("text/plain", b"x", False),
        ("", b"", False),
        (STRUCTURED, b"{", True),
        (STRUCTURED, b"\xff", True),
        (STRUCTURED, b"[" * 100_000, True),
        (BATCHED, b"{}", True),
        (BATCHED, json.dumps([1] * (MAX_EVENTS + 1)).encode(), True),
        (STRUCTURED, b'{"id": NaN}', True),
    ],
)
def test_what_is_no_event_is_refused_whole(content_type: str, body: bytes, supported: bool) -> None:
    with pytest.raises(UnreadableEvents) as caught:
        read_message([], content_type, body)
    assert caught.value.supported == supported


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"id": None}, ["id"]),
        ({"id": ""}, ["id"]),
        ({"id": 7, "source": ""}, ["id", "source"]),
        ({"specversion": "0.3"}, ["specversion"]),
        ({"time": "yesterday"}, ["time"]),
        ({"time": "2026-11-29T08:00:00"}, ["time"]),
        ({"time": "0001-01-01T00:00:00Z"}, ["time"]),
        ({"subject": ""}, ["subject"]),
        ({"customerId": "1"}, ["customerId"]),
        ({"tenant": {"a": 1}}, ["tenant"]),
        ({"tenant": 1.5}, ["tenant"]),
        ({"data_base64": "e30="}, ["data_base64"]),
        ({"data": None, "data_base64": "!"}, ["data_base64"]),
        ({"data": None, "data_base64": base64.b64encode(b"{").decode()}, ["data"]),
        ({"type": None, "source": None, "time": 7}, ["time", "source", "type"]),
    ],
)
def test_every_fault_is_told_by_its_path(change: dict[str, Any], paths: list[str]) -> None:
    found = read_structured({**GOOD, **change})
    assert isinstance(found, BadEvent)
    assert [fault.path for fault in found.faults] == paths


@pytest.mark.parametrize("value", [None, 7, "x", [], [GOOD]])
def test_what_is_no_object_is_no_event(value: object) -> None:
    assert isinstance(read_structured(value), BadEvent)


@pytest.mark.parametrize("content_type", [STRUCTURED, "application/json"])
def test_a_byte_order_mark_before_an_event_is_no_part_of_it(content_type: str) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(GOOD).encode()
    assert read_message([], content_type, body) == [read_structured(GOOD)]
    [event] = read_message(HEADERS, "application/json", b"\xef\xbb\xbf" + json.dumps(GOOD["data"]).encode())
    assert isinstance(event, Event)


def test_an_event_without_id_or_time_gets_none_made_up() -> None:
    without = {name: value for name, value in GOOD.items() if name != "time"}
    event = read_structured(without)
    assert isinstance(event, Event)
    assert (event.time, "time" in event.document) == (None, False)


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/vnd.example+json", b"[1]", [1]),
        ("text/plain", "größer".encode(), "größer"),
        ("application/octet-stream", b"\xff\x00", base64.b64encode(b"\xff\x00").decode()),
        ("application/json", b"", None),
        ("", b'"x"', "x"),
    ],
)
def test_data_is_what_its_content_type_says(content_type: str, body: bytes, data: object) -> None:
    [event] = read_message(HEADERS, content_type, body)
    assert isinstance(event, Event)
    assert event.document["data"] == data


def test_data_that_is_no_json_as_it_says_is_told() -> None:
    [found] = read_message(HEADERS, "application/json", b"{")
    assert isinstance(found, BadEvent)
    assert [fault.path for fault in found.faults] == ["data"]


def test_headers_of_http_are_percent_encoded() -> None:
    assert [header_value(text) for text in ("Gr%C3%BC%C3%9Fe", '"a b"', "plain", "%")] == ["Grüße", "a b", "plain", "%"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(SECRET),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD, "Foo", "x", SECRET]), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_an_event_or_has_faults_and_none_of_them_shows_a_value(value: object) -> None:
    found = read_structured(value)
    if isinstance(found, BadEvent):
        assert found.faults
        assert SECRET not in " ".join(fault.text for fault in found.faults)
    else:
        assert found.id
        assert found.source
