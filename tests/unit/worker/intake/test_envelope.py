"""An item of a list becomes a message, whatever it is, and costs no more memory than its length."""

import base64
import json
import tracemalloc
from typing import Any
from uuid import UUID

import pytest
from ajo_producers.contract.batch import MAX_MESSAGE_BYTES
from ajo_producers.contract.task_message import headers
from ajo_producers.contract.unreadable import UNREADABLE
from ajo_worker.intake.envelope import MOST_ENVELOPE_BYTES, payload_of
from ajo_worker.intake.unpacking import why_unread
from hypothesis import given
from hypothesis import strategies as st
from kombu.message import Message

HEADERS = headers(UUID(int=1), origin="1@shop", summary="order-shipped ×2")


def envelope(**changes: Any) -> bytes:
    facts = {
        "body": base64.b64encode(b"[[], {}, {}]").decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": HEADERS,
        "properties": {"body_encoding": "base64", "delivery_tag": "foreign", "delivery_mode": 2},
    }
    return json.dumps(facts | changes).encode()


def test_an_envelope_of_kombus_is_opened_and_its_tag_is_ours() -> None:
    item = envelope()
    found = payload_of(item, "tag", "a.standard", len(item))
    assert (found["body"], found["headers"], found["content-type"]) == (b"[[], {}, {}]", HEADERS, "application/json")
    assert found["properties"]["delivery_tag"] == "tag"
    assert found["properties"]["delivery_info"] == {"exchange": "", "routing_key": "a.standard"}


FOREIGN = [
    *(b"", b"{}", b"[1]", b"null", b"[" * 100_000, b'{"body": 1, "properties": {}, "headers": {}}', b"\xff\xfe"),
    envelope(body="not base64!"),
    envelope(body="\ud800"),
    envelope(headers=[1]),
    envelope(properties="p"),
    envelope(headers={"a": "x" * 200_000}),
    envelope(headers={}, properties={"a": [[]] * 70_000}),
]


@pytest.mark.parametrize("item", FOREIGN, ids=range(len(FOREIGN)))
def test_an_item_that_is_none_becomes_a_message_that_says_so(item: bytes) -> None:
    found = payload_of(item, "tag", "a.standard", len(item))
    assert (found["body"], found["properties"]["delivery_tag"]) == (item, "tag")
    assert why_unread(Message(found["body"], headers=found["headers"]))


def test_an_item_of_which_only_the_begin_was_taken_says_how_long_it_is() -> None:
    found = payload_of(b"{", "tag", "a.standard", MOST_ENVELOPE_BYTES + 1)
    assert "32,000,001 bytes" in str(why_unread(Message(b"{", headers=found["headers"])))


def test_a_body_that_is_too_long_is_not_taken_out_of_its_base64() -> None:
    item = envelope(body="A" * (MAX_MESSAGE_BYTES * 4 // 3 + 8))
    found = payload_of(item, "tag", "a.standard", len(item))
    assert "in base64" in found["headers"][UNREADABLE]


@pytest.mark.parametrize("headers_or_properties", ["headers", "properties"])
def test_an_envelope_costs_no_more_memory_than_its_length(headers_or_properties: str) -> None:
    """Its unknown fields, and what is too long, are skipped and never made objects of."""
    many = b"[" + b"{}," * 3_000_000 + b"{}]"
    item = envelope()[:-1] + b', "%s": {"a": %s}, "more": %s}' % (headers_or_properties.encode(), many, many)
    tracemalloc.start()
    try:
        payload_of(item, "tag", "a.standard", len(item))
        assert tracemalloc.get_traced_memory()[1] < 2 * len(item)
    finally:
        tracemalloc.stop()


@given(item=st.binary(max_size=300))
def test_whatever_an_item_is_a_message_comes_of_it(item: bytes) -> None:
    assert payload_of(item, "tag", "a.standard", len(item))["properties"]["delivery_tag"] == "tag"
