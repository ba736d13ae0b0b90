"""py-amqp's frames, read many at a time; what is used of it is private, and may go with its next version."""

import socket
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake import reading_ahead
from amqp.transport import TCPTransport


def frame(payload: bytes) -> bytes:
    """A frame of AMQP 0-9-1."""
    return struct.pack(">BHI", 3, 1, len(payload)) + payload + b"\xce"


@pytest.fixture
def both() -> Iterator[tuple[Any, socket.socket]]:
    """A connection of py-amqp's that reads ahead and notes its frames, and the broker's end of it."""
    ours, theirs = socket.socketpair()
    transport: Any = TCPTransport("nowhere")
    transport.sock = ours
    transport._setup_transport()
    asked, receive = [], transport._quick_recv
    transport._quick_recv = lambda size: asked.append(size) or receive(size)
    seen: list[bytes] = []

    def drain_events(timeout: float | None = None) -> None:
        with transport.having_timeout(timeout):
            seen.append(transport.read_frame()[2])

    connection = SimpleNamespace(transport=transport, drain_events=drain_events, seen=seen, asked=asked)
    reading_ahead.read_ahead(connection)
    yield connection, theirs
    ours.close()
    theirs.close()


def test_all_frames_that_are_there_are_read_in_one_turn_and_with_few_calls(both: tuple[Any, socket.socket]) -> None:
    connection, broker = both
    sent = [b"%d" % number for number in range(20)]
    broker.sendall(b"".join(map(frame, sent)))
    connection.drain_events(timeout=0)
    assert connection.seen == sent
    assert len(connection.asked) == 2, "one that finds all, and one that finds no more"


def test_half_a_frame_is_kept_until_the_rest_comes(both: tuple[Any, socket.socket]) -> None:
    connection, broker = both
    whole = frame(b"first") + frame(b"second")
    broker.sendall(whole[:-9])
    connection.drain_events(timeout=0.01)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.01)
    broker.sendall(whole[-9:])
    connection.drain_events(timeout=0.01)
    assert connection.seen == [b"first", b"second"]


def test_one_turn_reads_no_more_than_so_many(both: tuple[Any, socket.socket]) -> None:
    connection, broker = both
    broker.sendall(frame(b"x") * (2 * reading_ahead.MOST))
    connection.drain_events(timeout=0)
    assert len(connection.seen) == reading_ahead.MOST


def test_nothing_there_is_told_as_before(both: tuple[Any, socket.socket]) -> None:
    connection, _ = both
    with pytest.raises((TimeoutError, BlockingIOError)):
        connection.drain_events(timeout=0)


def test_a_connection_to_another_broker_is_left_alone() -> None:
    connection = SimpleNamespace(transport=object())
    reading_ahead.read_ahead(connection)
    assert not hasattr(connection, "drain_events")
