"""py-amqp's frames, read many at a time; what is used of it is private, and may go with its next version."""

import socket
import struct
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake import reading_ahead
from amqp.transport import TCPTransport
from hypothesis import given
from hypothesis import strategies as st

BODY, HEARTBEAT = 3, 8


def frame(payload: bytes, kind: int = BODY) -> bytes:
    """A frame of AMQP 0-9-1."""
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce"


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

    def on_inbound_frame(read: tuple[int, int, bytes]) -> bool:
        seen.append(read[2])
        if read[2] == b"closed":
            raise ConnectionError
        return read[0] != HEARTBEAT

    def blocking_read(timeout: float | None = None) -> bool:
        with transport.having_timeout(timeout):
            read = transport.read_frame()
        return on_inbound_frame(read)

    connection = SimpleNamespace(
        transport=transport, blocking_read=blocking_read, on_inbound_frame=on_inbound_frame, seen=seen, asked=asked
    )
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
    assert len(connection.asked) == 1


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


def test_one_turn_reads_no_more_than_a_chunk(both: tuple[Any, socket.socket]) -> None:
    connection, broker = both
    broker.sendall(frame(b"x" * 992) * 40)
    connection.drain_events(timeout=0)
    assert len(connection.seen) == reading_ahead.CHUNK // 1000


def test_what_was_read_behind_a_frame_that_raises_comes_next_and_in_its_order(both: tuple[Any, socket.socket]) -> None:
    connection, broker = both
    broker.sendall(b"".join(map(frame, [b"first", b"closed", b"second", b"third"])))
    with pytest.raises(ConnectionError):
        connection.drain_events(timeout=0)
    broker.sendall(frame(b"fourth"))
    for _ in range(3):  # whoever waits for a reply takes one at a time
        connection.drain_events(timeout=1)
    assert connection.seen == [b"first", b"closed", b"second", b"third", b"fourth"]


@given(payloads=st.lists(st.binary(max_size=40), max_size=8), cut=st.integers(0, 60))
def test_whole_frames_and_the_rest_are_all_that_was_read(payloads: list[bytes], cut: int) -> None:
    read = b"".join(map(frame, payloads))
    read = read[: max(len(read) - cut, 0)]
    frames, rest = reading_ahead.whole_frames(read)
    assert [payload for _, _, payload in frames] == payloads[: len(frames)]
    assert b"".join(frame(payload) for _, _, payload in frames) + rest == read
    assert len(rest) < len(frame(payloads[len(frames)])) if len(frames) < len(payloads) else not rest


def test_a_frame_without_its_end_is_left_to_py_amqp_which_says_so() -> None:
    broken = frame(b"first") + frame(b"second")[:-1] + b"x" + frame(b"third")
    frames, rest = reading_ahead.whole_frames(broken)
    assert ([payload for _, _, payload in frames], rest[7:13]) == ([b"first"], b"second")


def test_nothing_there_is_told_as_before(both: tuple[Any, socket.socket]) -> None:
    connection, _ = both
    with pytest.raises((TimeoutError, BlockingIOError)):
        connection.drain_events(timeout=0)


def test_a_connection_to_another_broker_is_left_alone() -> None:
    connection = SimpleNamespace(transport=object())
    reading_ahead.read_ahead(connection)
    assert not hasattr(connection, "drain_events")


def test_heartbeats_of_a_server_that_answers_nothing_do_not_prolong_the_wait_for_its_answer(
    both: tuple[Any, socket.socket],
) -> None:
    connection, server = both
    connection.transport.sock.settimeout(0.3)
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.05):
            server.sendall(frame(b"", HEARTBEAT))

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        with pytest.raises(TimeoutError):
            connection.drain_events()
    finally:
        over.set()
        beating.join()
