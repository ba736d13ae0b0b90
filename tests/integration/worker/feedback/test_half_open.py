"""Whoever opens connections to the receiver and sends nothing, or hardly anything, keeps no sender of feedback out."""

import json
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
import trustme

from tests.integration.worker.feedback.receivers import Receiver
from tests.integration.worker.feedback.triggers import feedback
from tests.support.feedback_items import SECRET, webhook_item
from tests.support.waiting import DEADLINE_SECONDS, wait_until

Receive = Callable[..., Receiver]
Crowd = Callable[..., list[socket.socket]]

MANY = 1100
NONE = "postgresql://nobody@127.0.0.1:1/none"
"""A ledger that is away: for what never gets to it."""
HALF = {
    "nothing": b"",
    "half a head": b"POST /feedback HTTP/1.1\r\nhost: a\r\nx-feedback-sec",
    "half a body without a secret": b"POST /feedback HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n{",
    "half a body for nobody": b"POST /elsewhere HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n{",
}
HALF_OF_TLS = bytes.fromhex("1603010200010001fc0303")  # the first bytes of a client's hello
SLOW_BODY = (
    f"POST /feedback HTTP/1.1\r\nhost: a\r\nx-feedback-secret: {SECRET}\r\ncontent-type: application/json\r\n"
    "content-length: 900\r\n\r\n{"
).encode()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Opens connections that send so much and no more: ``crowd(receiver, count, data, source)``."""
    with ExitStack() as stack:

        def come(receiver: Receiver, count: int, data: bytes, source: str = "127.0.0.1") -> list[socket.socket]:
            url, opened = httpx2.URL(receiver.url), []
            for _ in range(count):
                connection = stack.enter_context(
                    socket.create_connection((url.host, url.port), source_address=(source, 0))
                )
                connection.sendall(data)
                opened.append(connection)
            return opened

        yield come


def is_cut(connection: socket.socket) -> bool:
    """Whether the other side has ended it, whatever it has said before."""
    while select.select([connection], [], [], 0)[0]:
        try:
            if not connection.recv(65_536):
                return True
        except OSError:
            return True
    return False


@pytest.fixture
def secured(tmp_path: Path) -> tuple[list[object], ssl.SSLContext]:
    """The options with which a receiver speaks TLS, and what trusts it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return ["--certificate", chain, "--key", key], context


def test_1100_half_open_requests_keep_nobody_out(receive: Receive, database_url: str, crowd: Crowd) -> None:
    """Time-outs play no part: they are a quarter of an hour, so that only who gives way to whom can help."""
    receiver = receive(database_url, AJO_FEEDBACK_HEAD_SECONDS="900")
    for number, data in enumerate(HALF.values()):
        crowd(receiver, MANY, data)
        assert receiver.post(webhook_item("sent", execution=f"HUMA-{number}")).status_code == 200
    assert len(feedback(database_url)) == len(HALF)


def test_1100_half_handshakes_keep_nobody_out(
    receive: Receive, database_url: str, crowd: Crowd, secured: tuple[list[object], ssl.SSLContext]
) -> None:
    options, context = secured
    receiver = receive(database_url, *options, AJO_FEEDBACK_HEAD_SECONDS="900")
    crowd(receiver, MANY, HALF_OF_TLS)
    assert receiver.post(webhook_item("sent"), verify=context).status_code == 200


def test_one_address_has_its_share_and_the_others_the_rest(receive: Receive, crowd: Crowd) -> None:
    receiver = receive(
        NONE,
        AJO_FEEDBACK_HEAD_SECONDS="900",
        AJO_FEEDBACK_CONNECTIONS="20",
        AJO_FEEDBACK_CONNECTIONS_BY_ADDRESS="8",
    )
    of_another = crowd(receiver, 2, HALF["half a head"], "127.0.0.2")
    of_one = crowd(receiver, 50, HALF["half a head"], "127.0.0.3")
    wait_until(lambda: sum(map(is_cut, of_one)) == 42, what="all but its share are cut")
    assert not any(map(is_cut, of_another))
    assert [is_cut(connection) for connection in of_one[-8:]] == [False] * 8, "the newest stay"
    assert httpx2.get(receiver.health).status_code == 503
    assert '"event": "feedback-connections-sent-away"' in receiver.child.output()


@pytest.mark.parametrize("tls", [False, True])
def test_what_takes_too_long_to_come_is_cut(
    receive: Receive, crowd: Crowd, secured: tuple[list[object], ssl.SSLContext], *, tls: bool
) -> None:
    """Heads that trickle in too: each byte gets no time of its own."""
    options, _ = secured
    receiver = receive(NONE, *(options if tls else []), AJO_FEEDBACK_HEAD_SECONDS="2")
    opened = crowd(receiver, 3, HALF_OF_TLS if tls else HALF["half a head"])
    opened += crowd(receiver, 3, b"")

    def trickle() -> bool:
        for connection in opened[:3]:
            try:
                connection.send(b"x")
            except OSError:
                continue
        return all(map(is_cut, opened))

    wait_until(trickle, what="all are cut")


def test_a_body_that_takes_too_long_is_answered_408(receive: Receive, crowd: Crowd) -> None:
    receiver = receive(NONE, AJO_FEEDBACK_BODY_SECONDS="1")
    (connection,) = crowd(receiver, 1, SLOW_BODY)
    connection.settimeout(DEADLINE_SECONDS)
    assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_sender_that_keeps_its_connection_is_not_cut_for_its_pauses_by_others(
    receive: Receive, database_url: str, crowd: Crowd
) -> None:
    receiver = receive(database_url, AJO_FEEDBACK_HEAD_SECONDS="900", AJO_FEEDBACK_CONNECTIONS="30")
    with httpx2.Client(headers={"x-feedback-secret": SECRET}, timeout=DEADLINE_SECONDS) as client:
        assert client.post(receiver.url, json=webhook_item("sent")).status_code == 200
        (kept,) = client._transport._pool.connections  # type: ignore[attr-defined] # no public way
        crowd(receiver, 60, HALF["nothing"])
        answer = client.post(
            receiver.url, content=json.dumps(webhook_item("delivered")), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 200
        assert client._transport._pool.connections == [kept]  # type: ignore[attr-defined] # no public way
