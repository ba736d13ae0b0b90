"""What is told apart before anything of a message is unpacked: whatever it says of itself, nothing breaks or grows."""

import bz2
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from ajo_producers.contract.task_message import headers
from ajo_producers.contract.unreadable import UNREADABLE, properties
from ajo_worker.intake.unpacking import refuse_unpacking, why_unread
from amqp import serialization as amqp_serialization
from amqp.spec import Basic
from hypothesis import given
from hypothesis import strategies as st
from kombu import compression, serialization
from kombu.message import Message

HEADERS = headers(UUID(int=1), origin="1@shop", summary="order-shipped ×2")
GIGABYTE = bytes(50_000_000)


@pytest.fixture(autouse=True)
def refusing() -> Iterator[None]:
    """As in a worker; the other tests of this process go without."""
    coders = dict(compression._encoders), dict(compression._decoders)
    decode, read = serialization._decode, amqp_serialization.PROPERTY_CLASSES[Basic.CLASS_ID]
    refuse_unpacking()
    yield
    compression._encoders.update(coders[0])
    compression._decoders.update(coders[1])
    serialization._decode, amqp_serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = decode, read


def message(body: bytes = b"[[], {}, {}]", **more: Any) -> Message:
    facts = {"content_type": "application/json", "content_encoding": "utf-8", "headers": HEADERS} | more
    return Message(body, accept={"application/json"}, **facts)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json;"]
)
def test_a_content_type_may_say_that_its_json_is_utf_8(content_type: str) -> None:
    assert why_unread(message(content_type=content_type)) is None


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=latin-1", "text/json; charset=utf-8", "json", None]
)
def test_another_content_type_is_refused(content_type: str | None) -> None:
    told = why_unread(message(content_type=content_type))
    assert told is not None
    assert "content type" in told


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", None, "", "binary", "us-ascii"])
def test_a_message_as_it_should_be_is_read(encoding: str | None) -> None:
    assert why_unread(message(content_encoding=encoding)) is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        *(({"headers": {**HEADERS, "compression": kind}}, "compression") for kind in ("zlib", "bzip2", 7, ["zlib"])),
        *(({"content_type": kind}, "content type") for kind in ("application/text", "application/data", None, 5)),
        *(({"content_encoding": kind}, "content encoding") for kind in ("bz2_codec", "zlib", "utf-16", 5, ["a"])),
        ({"headers": {name: HEADERS[name] for name in HEADERS if name != "task"}}, "`task` is missing"),
        ({"headers": {**HEADERS, "task": ["ajo.dispatch"]}}, "another task"),
        ({"headers": {**HEADERS, UNREADABLE: "OverflowError"}}, "OverflowError"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_says_why_and_is_not_unpacked(more: dict[str, Any], why: str) -> None:
    body = bz2.compress(GIGABYTE) if "bz" in str(more) else zlib.compress(GIGABYTE)
    tracemalloc.start()
    try:
        assert why in str(why_unread(message(body, **more)))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["application/text", "application/data", None])
@pytest.mark.parametrize("encoding", ["bz2_codec", "zlib_codec", "rot13", "utf-16"])
def test_kombu_itself_runs_nothing_through_a_codec(kind: str | None, encoding: str) -> None:
    """Remote control's messages never come by the check."""
    with pytest.raises(serialization.DecodeError):
        serialization.loads(zlib.compress(b"x"), kind, encoding, accept={"application/json"})


def table(entries: bytes) -> bytes:
    """Basic properties of which only the headers are there."""
    return struct.pack(">HI", 0x2000, len(entries)) + entries


def nested(depth: int) -> bytes:
    entry = b"\x01aV"
    for _ in range(depth):
        entry = b"\x01aF" + struct.pack(">I", len(entry)) + entry
    return entry


WORKERS_LIMIT = 1000
"""Python's own."""


@pytest.mark.parametrize(
    "entries",
    [
        b"\x01aT" + b"\xff" * 8,  # a date that no calendar has
        b"\x01aT" + struct.pack(">Q", 253_402_300_800),  # the year 10,000
        nested(15_000),
        b"\x01a?",
        b"\x01aS\xff\xff\xff\xff",
        b"\x01aA" + struct.pack(">I", 3) + b"A\x00\x00",
    ],
    ids=["beyond", "year-10000", "nested", "unknown", "long", "cut"],
)
def test_headers_that_py_amqp_can_not_read_make_a_message_that_says_so(entries: bytes) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(WORKERS_LIMIT)  # a property test before may have left a higher one behind
    try:
        read, _ = properties(table(entries), 0)
    finally:
        sys.setrecursionlimit(limit)
    found = read["application_headers"]
    assert UNREADABLE in found or found == {"a": b""} or isinstance(found["a"], bytes | str)


def test_headers_that_can_be_read_are_as_they_were() -> None:
    content = amqp_serialization.dumps("F", [{"task": "ajo.dispatch", "retries": 0, "none": None}])
    assert properties(struct.pack(">H", 0x2000) + content, 0)[0] == {
        "application_headers": {"task": "ajo.dispatch", "retries": 0, "none": None}
    }


@given(buffer=st.binary(max_size=200))
def test_whatever_the_properties_are_reading_them_ends(buffer: bytes) -> None:
    read, _ = properties(struct.pack(">H", 0xFFFC) + buffer, 0)
    assert isinstance(read, dict)
