"""``ajo-dispatch feedback serve`` over real HTTP: nothing is answered with 200 before it is durable."""

import asyncio
import json
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import jwt
import pytest
import trustme
from ajo_local.postgres import Postgres
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.integration.worker.feedback.receivers import Receiver
from tests.integration.worker.feedback.triggers import (
    delivery,
    feedback,
    put_campaign,
    put_sent,
    put_unconfirmed,
    trigger_row,
)  # fmt: skip
from tests.support.database import query
from tests.support.feedback_items import ADDRESS, FAILURE, PHONE, SECRET, webhook_item
from tests.support.ledger_rows import ago
from tests.support.programs import Finished
from tests.support.proxy import Proxy
from tests.support.waiting import DEADLINE_SECONDS, wait_until

Receive = Callable[..., Receiver]
Cli = Callable[..., Finished]


def test_one_object_is_stored_and_matched_before_it_is_answered(receive: Receive, database_url: str) -> None:
    request_id = put_sent(database_url, ago(minutes=5), execution="HUMA-1")
    answer = receive(database_url).post(webhook_item("sent", execution="HUMA-1"))
    assert (answer.status_code, answer.json()) == (200, {"stored": 1, "new": 1})
    assert feedback(database_url) == [{"status": "sent", "match": "execution-id", "request_id": request_id}]
    assert delivery(database_url, request_id)["departures"] == 1


def test_a_byte_order_mark_before_a_feedback_is_no_part_of_it(receive: Receive, database_url: str) -> None:
    headers = {"x-feedback-secret": SECRET, "content-type": "application/json"}
    content = b"\xef\xbb\xbf" + json.dumps(webhook_item()).encode()
    assert httpx2.post(receive(database_url).url, content=content, headers=headers, timeout=60).status_code == 200


def test_others_feedback_and_inbound_messages_are_answered_200_and_kept_apart(
    receive: Receive, database_url: str
) -> None:
    put_campaign(database_url)
    receiver = receive(database_url)
    others = [
        webhook_item("sent", execution="UMA-7", campaign="another", campaign_type="Scheduled"),
        {"from": PHONE, "to": "40404", "body": "STOP", "id": "m-1"},
        {"eventType": "message.inbound", "data": None},
    ]
    answer = receiver.post(others)
    assert (answer.status_code, answer.json()) == (200, {"stored": 3, "new": 3, "apart": 3})
    form = {"From": PHONE, "To": "40404", "Body": "STOP", "MessageSid": "m-2"}
    sent = httpx2.post(receiver.url, data=form, headers={"x-feedback-secret": SECRET}, timeout=60)
    assert sent.status_code == 200
    assert {row["match"] for row in feedback(database_url)} == {"apart"}
    assert not [row for row in query(database_url, "select f::text from ledger.feedback f") if "STOP" in row["f"]]


def test_a_list_is_stored_and_what_comes_again_is_no_news(receive: Receive, database_url: str) -> None:
    receiver, items = receive(database_url), [webhook_item("sent"), webhook_item("delivered"), webhook_item("sent")]
    assert receiver.post(items).json() == {"stored": 3, "new": 2}
    again = receiver.post(items)
    assert (again.status_code, again.json()) == (200, {"stored": 3, "new": 0})
    assert receiver.post([]).json() == {"stored": 0, "new": 0}
    assert len(feedback(database_url)) == 2


def test_a_way_to_the_ledger_that_is_half_open_is_found_out_and_made_anew(receive: Receive, database_url: str) -> None:
    with Proxy(database_url) as proxy:
        receiver = receive(proxy.url)
        assert receiver.post([webhook_item("sent")]).status_code == 200
        proxy.deafen()
        assert receiver.post([webhook_item("delivered")]).status_code == 503
        wait_until(lambda: receiver.post([webhook_item("delivered")]).status_code == 200, what="it is stored")
        assert httpx2.get(receiver.health).status_code == 200


def test_feedback_confirms_an_unconfirmed_trigger(receive: Receive, database_url: str) -> None:
    request_id = put_unconfirmed(database_url, ago(minutes=5))
    receive(database_url).post(webhook_item("sent", request=str(request_id)))
    assert trigger_row(database_url, request_id)["reason"] == "confirmed-by-feedback"


def test_bursts_are_committed_together(receive: Receive, database_url: str) -> None:
    receiver = receive(database_url)

    async def burst() -> list[int]:
        limits = httpx2.Limits(max_connections=50)
        async with httpx2.AsyncClient(
            limits=limits, timeout=DEADLINE_SECONDS, headers={"x-feedback-secret": SECRET}
        ) as client:
            items = [webhook_item("sent", execution=f"HUMA-{number}") for number in range(200)]
            answers = await asyncio.gather(*(client.post(receiver.url, json=item) for item in items))
        return [answer.status_code for answer in answers]

    assert asyncio.run(burst()) == [200] * 200
    assert len(feedback(database_url)) == 200
    transactions = "select count(distinct xmin::text)::int as n from ledger.feedback"
    assert query(database_url, transactions)[0]["n"] < 100


def raw_body(url: str, *parts: bytes) -> int:
    """The status of the answer to a body that comes in chunks, whose length nobody has told."""
    return httpx2.post(
        url,
        content=iter(parts),
        headers={"x-feedback-secret": SECRET, "content-type": "application/json"},
        timeout=DEADLINE_SECONDS,
    ).status_code


GOOD = {"x-feedback-secret": SECRET, "content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", GOOD, 400),
        (b"\xff", GOOD, 400),
        (b"", GOOD, 400),
        (b"[" * 20_000, GOOD, 400),
        (b"7", GOOD, 400),
        (json.dumps([1] * 6000).encode(), GOOD, 413),
        (b"{}" + b" " * 40_000, GOOD, 413),
        (b"{}", {"x-feedback-secret": SECRET, "content-type": "text/plain"}, 415),
        (b"{}", {"x-feedback-secret": SECRET}, 415),
        (b"{}", {**GOOD, "content-encoding": "gzip"}, 415),
        (b"{}", {"content-type": "application/json"}, 401),
        (b"{}", {**GOOD, "x-feedback-secret": "wrong"}, 401),
        (b"x" * 40_000, {"content-type": "application/json"}, 401),
    ],
)
def test_what_is_no_good_request_is_refused_with_its_status(
    receive: Receive, database_url: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    receiver = receive(database_url, AJO_FEEDBACK_MAX_BYTES="30000")
    answer = httpx2.post(receiver.url, content=content, headers=headers, timeout=DEADLINE_SECONDS)
    assert answer.status_code == status
    assert "error" in answer.json()
    assert feedback(database_url) == []
    assert receiver.post(webhook_item()).status_code == 200


def test_a_body_in_chunks_is_bounded_too(receive: Receive, database_url: str) -> None:
    receiver = receive(database_url, AJO_FEEDBACK_MAX_BYTES="5000")
    body = json.dumps(webhook_item()).encode()
    assert raw_body(receiver.url, body[:20], body[20:]) == 200
    assert raw_body(receiver.url, body, *[b" " * 1000] * 5) == 413


def send_for_ever(connection: socket.socket) -> None:
    for _ in range(100_000):
        connection.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n")


def test_an_endless_body_is_cut_off(receive: Receive, database_url: str) -> None:
    receiver = receive(database_url, AJO_FEEDBACK_MAX_BYTES="5000")
    url = httpx2.URL(receiver.url)
    head = f"POST /feedback HTTP/1.1\r\nhost: a\r\nx-feedback-secret: {SECRET}\r\ncontent-type: application/json\r\n"
    with socket.create_connection((url.host, url.port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        with pytest.raises(OSError):  # noqa: PT011 - reset or closed, as the system has it
            send_for_ever(connection)


def test_good_items_are_stored_beside_bad_ones_and_these_are_named(receive: Receive, database_url: str) -> None:
    answer = receive(database_url).post([webhook_item("sent"), {"a": ADDRESS}, webhook_item("sent", at="soon")])
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "not every item is a feedback",
        "stored": 1,
        "new": 1,
        "refused": 2,
        "items": [
            {"item": 1, "error": "messageDeliveryFeedback.feedbackStatus: is missing"},
            {
                "item": 2,
                "error": "messageDeliveryFeedback.deliveryTimestamp: is no instant (ISO 8601, or a number since 1970)",
            },
        ],
    }
    assert [row["status"] for row in feedback(database_url)] == ["sent"]


def test_other_paths_and_methods_are_not_served(receive: Receive, database_url: str) -> None:
    receiver = receive(database_url)
    assert httpx2.get(receiver.url).status_code == 405
    assert httpx2.get(receiver.url + "/x").status_code == 404
    assert httpx2.post(receiver.url + "/", json={}).status_code == 404, "sent elsewhere, the secret would go along"
    assert "uvicorn" not in str(httpx2.get(receiver.health).headers).lower()


def test_a_jwt_is_checked(receive: Receive, database_url: str) -> None:
    receiver = receive(database_url, AJO_FEEDBACK_SECRET="", AJO_FEEDBACK_JWT_SECRET=SECRET)

    def post(token: str) -> int:
        return httpx2.post(receiver.url, json=webhook_item(), headers={"authorization": f"Bearer {token}"}).status_code

    assert post(jwt.encode({"exp": time.time() + 300}, SECRET)) == 200
    assert post(jwt.encode({"exp": time.time() - 300}, SECRET)) == 401
    assert post(jwt.encode({}, SECRET + "x")) == 401
    assert receiver.post(webhook_item()).status_code == 401


def test_a_public_key_comes_from_a_file_and_both_are_asked_for_if_both_are_set(
    receive: Receive, database_url: str, tmp_path: Path
) -> None:
    key, file = generate_private_key(65537, 2048), tmp_path / "key.pem"
    file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    receiver = receive(database_url, AJO_FEEDBACK_JWT_PUBLIC_KEY_FILE=str(file))
    token = {"authorization": f"Bearer {jwt.encode({}, key, 'RS256')}"}
    assert receiver.post(webhook_item()).status_code == 401
    assert httpx2.post(receiver.url, json=webhook_item(), headers=token).status_code == 401
    both = {**token, "x-feedback-secret": SECRET}
    assert httpx2.post(receiver.url, json=webhook_item(), headers=both).status_code == 200


def test_a_ledger_that_is_away_is_told_and_what_was_answered_with_200_survives_it(
    receive: Receive, own_postgres: Postgres
) -> None:
    receiver = receive(own_postgres.url)
    assert httpx2.get(receiver.health).status_code == 200
    assert receiver.post(webhook_item("sent")).status_code == 200
    own_postgres.stop()
    answer = receiver.post(webhook_item("delivered"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert receiver.post(webhook_item("bounce")).status_code == 503
    assert httpx2.get(receiver.health).status_code == 503
    own_postgres.start()
    wait_until(lambda: receiver.post(webhook_item("delivered")).status_code == 200, what="the ledger is back")
    assert {"sent", "delivered"} <= {row["status"] for row in feedback(own_postgres.url)}
    assert httpx2.get(receiver.health).status_code == 200


def test_a_receiver_starts_without_its_ledger(receive: Receive) -> None:
    receiver = receive("postgresql://nobody@127.0.0.1:1/none")
    assert httpx2.get(receiver.health, timeout=DEADLINE_SECONDS).status_code == 503
    assert receiver.post(webhook_item()).status_code == 503


@pytest.fixture
def held_table(database_url: str) -> Iterator[Callable[[], None]]:
    """Feedback can't be written until the returned function is called."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(database_url))
    loop.run_until_complete(connection.execute("begin; lock table ledger.feedback in share mode"))
    yield lambda: loop.run_until_complete(connection.execute("rollback"))
    connection.terminate()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_sigterm_lets_what_is_in_hand_finish(
    receive: Receive, database_url: str, held_table: Callable[[], None]
) -> None:
    receiver = receive(database_url)
    url = httpx2.URL(receiver.url)
    body = json.dumps(webhook_item()).encode()
    head = f"POST /feedback HTTP/1.1\r\nhost: a\r\nx-feedback-secret: {SECRET}\r\ncontent-type: application/json\r\n"
    with socket.create_connection((url.host, url.port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        waits = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        wait_until(lambda: query(database_url, waits), what="the commit waits")
        receiver.child.popen.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(url.host, url.port or 0), what="no new connection is taken")
        held_table()
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert receiver.child.popen.wait(DEADLINE_SECONDS) == 0
    assert len(feedback(database_url)) == 1


def refuses(host: str, port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return True
    return False


def test_https_with_a_certificate_and_a_secret_that_change_in_their_files(
    receive: Receive, database_url: str, tmp_path: Path
) -> None:
    chain, key, secret = (tmp_path / name for name in ("chain.pem", "key.pem", "secret"))

    def certified() -> ssl.SSLContext:
        authority, context = trustme.CA(), ssl.create_default_context()
        certificate = authority.issue_cert("127.0.0.1")
        certificate.cert_chain_pems[0].write_to_path(chain)
        certificate.private_key_pem.write_to_path(key)
        authority.configure_trust(context)
        return context

    def status(given: str) -> int:
        return receiver.post(webhook_item(), secret=given, verify=context).status_code

    context = certified()
    secret.write_text("first\n")
    files = {"AJO_FEEDBACK_SECRET": "", "AJO_FEEDBACK_SECRET_FILE": str(secret)}
    receiver = receive(database_url, "--certificate", chain, "--key", key, **files)
    assert receiver.url.startswith("https://")
    assert (status("first"), status("second")) == (200, 401)
    context = certified()
    assert status("first") == 200
    secret.write_text("second\n")
    assert (status("first"), status("second")) == (401, 200)
    secret.write_text("")
    key.write_text("")
    assert (status("second"), status("")) == (200, 401), "nothing is no secret, and no certificate"


def test_no_secret_and_no_address_is_in_logs_or_answers(receive: Receive, database_url: str) -> None:
    receiver = receive(database_url, AJO_LOG_LEVEL="DEBUG")
    answers = [
        receiver.post(webhook_item("bounce", failure=FAILURE)),
        receiver.post([{"identityMap": {"email": [{"id": ADDRESS}]}}]),
        receiver.post(ADDRESS),
        receiver.post(webhook_item(at=ADDRESS)),
        receiver.post(webhook_item(), secret=SECRET + "x"),
        httpx2.post(receiver.url, content=ADDRESS.encode(), headers=GOOD),
        httpx2.post(
            receiver.url, content=SECRET, headers={"content-type": "application/json", "authorization": SECRET}
        ),
    ]
    receiver.child.popen.send_signal(signal.SIGTERM)
    assert receiver.child.popen.wait(DEADLINE_SECONDS) == 0
    said = receiver.child.output() + "".join(f"{answer.headers} {answer.text}" for answer in answers)
    assert "feedback-refused" in said
    assert ADDRESS not in said
    assert "lovelace" not in said
    assert SECRET not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "env", "code", "told"),
    [
        ([], {}, 2, "anybody could post feedback: set AJO_FEEDBACK_SECRET"),
        (["--insecure", "--host", "0.0.0.0"], {}, 2, "only with a loopback address"),
        (["--key", "x"], {}, 2, "--certificate and --key go together"),
        ([], {"AJO_FEEDBACK_JWT_SECRET": "short"}, 2, "AJO_FEEDBACK_JWT_SECRET: must have at least 32 bytes"),
        ([], {"AJO_FEEDBACK_SECRET": SECRET, "AJO_FEEDBACK_SECRET_HEADER": "a b"}, 2, "AJO_FEEDBACK_SECRET_HEADER"),
        (["--certificate", "none", "--key", "none"], {"AJO_FEEDBACK_SECRET": SECRET}, 1, "can't be used"),
        (["--host", "host.invalid"], {"AJO_FEEDBACK_SECRET": SECRET}, 1, "can't listen on host.invalid"),
        (["--host", ""], {"AJO_FEEDBACK_SECRET": SECRET}, 2, "must be an address of this machine"),
    ],
)
def test_a_receiver_that_would_be_open_or_cant_listen_doesnt_start(
    run_cli: Cli, arguments: list[str], env: dict[str, str], code: int, told: str
) -> None:
    done = run_cli("feedback", "serve", "--port", "0", *arguments, env=env)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert "Traceback" not in done.err
    assert SECRET not in done.err


def test_insecure_asks_for_nothing_on_loopback(receive: Receive, database_url: str) -> None:
    assert receive(database_url, "--insecure").post(webhook_item(), secret=None).status_code == 200


def test_a_port_that_is_taken_is_told(receive: Receive, database_url: str, run_cli: Cli) -> None:
    port: Any = httpx2.URL(receive(database_url).url).port
    done = run_cli("feedback", "serve", "--port", str(port), env={"AJO_FEEDBACK_SECRET": SECRET})
    assert done.code == 1
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in done.err
