"""Conformance of the HTTP adapters: TLS is verified always, and a handshake that fails proves that nothing was sent."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from ajo_worker.api.answer import Answer, Failure

from tests.support import raw_behaviours as does
from tests.support.calls import call_to, only
from tests.support.raw_server import Connection, RawServer

LONG = 60.0
SHORT = 1.0
PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that no system knows."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate, second in its file."""
    path = tmp_path / "ca.pem"
    path.write_bytes(b"# ours\n" + trustme.CA().cert_pem.bytes() + authority.cert_pem.bytes())
    return path


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's TLS with a certificate."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(served)
    return served


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that has signed itself."""
    own = trustme.CA()
    own.private_key_pem.write_to_path(str(folder / "own.pem"))
    own.cert_pem.write_to_path(str(folder / "own.pem"), append=True)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "own.pem")
    return served


async def test_a_certificate_of_the_given_authority_is_accepted(
    make: Any, authority: trustme.CA, ca_file: Path
) -> None:
    async with RawServer(does.answering(does.whole()), context(authority.issue_cert("127.0.0.1"))) as server:
        adapter = make(ca_file=ca_file)
        for _ in range(2):
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).status == 202
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_the_systems_authorities_stay_trusted_beside_the_given_one(
    make: Any, authority: trustme.CA, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = trustme.CA()
    system.cert_pem.write_to_path(str(tmp_path / "system.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    adapter = make(ca_file=ca_file)
    for issuer in (system, authority):
        async with RawServer(does.answering(does.whole()), context(issuer.issue_cert("127.0.0.1"))) as server:
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).status == 202


@pytest.mark.parametrize("fault", ["unknown authority", "self-signed", "wrong name", "expired"])
async def test_a_certificate_that_does_not_verify_is_refused_before_anything_is_sent(
    make: Any, authority: trustme.CA, ca_file: Path, tmp_path: Path, fault: str
) -> None:
    served = {
        "unknown authority": lambda: context(trustme.CA().issue_cert("127.0.0.1")),
        "self-signed": lambda: self_signed(tmp_path),
        "wrong name": lambda: context(authority.issue_cert("other.example.com")),
        "expired": lambda: context(
            authority.issue_cert("127.0.0.1", not_before=PAST, not_after=PAST.replace(year=2021))
        ),
    }[fault]()
    async with RawServer(does.answering(does.whole()), served) as server:
        failure = only(Failure, await make(ca_file=ca_file).post(call_to(server.url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed, failure.status) == ("tls", False, None)
        assert "certificate" in failure.detail
        assert server.requests == []


async def plain_error(connection: Connection) -> None:
    """What a server without TLS says to a TLS client."""
    await connection.reader.read(1)
    await connection.send(does.whole(b"", b"HTTP/1.1 400 Bad Request\r\n", b"connection: close\r\n"))


@pytest.mark.parametrize("behaviour", [plain_error, does.close_unread, does.reset_unread])
async def test_a_handshake_that_breaks_proves_that_nothing_was_sent(make: Any, behaviour: Any) -> None:
    async with RawServer(behaviour) as server:
        url = server.url.replace("http:", "https:")
        failure = only(Failure, await make().post(call_to(url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed, failure.status) == ("tls", False, None)


async def test_a_handshake_that_hangs_is_a_connect_timeout(make: Any) -> None:
    async with RawServer(does.silent) as server:
        url = server.url.replace("http:", "https:")
        failure = only(Failure, await make(connect_timeout=SHORT).post(call_to(url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed) == ("connect-timeout", False)


async def test_plain_http_to_a_tls_port_is_no_answer(make: Any, authority: trustme.CA) -> None:
    async with RawServer(does.answering(does.whole()), context(authority.issue_cert("127.0.0.1"))) as server:
        url = server.url.replace("https:", "http:")
        failure = only(Failure, await make().post(call_to(url), timeout=LONG))
        assert (failure.kind in {"reset", "protocol"}, failure.perhaps_processed) == (True, True)
        assert server.requests == []


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n"], ids=["missing", "empty", "nonsense"])
async def test_a_ca_file_without_certificates_is_refused_at_the_start(
    make: Any, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OSError, match=r"."):
        make(ca_file=path)


async def test_a_ca_file_that_has_no_end_is_refused_at_the_start(make: Any) -> None:
    with pytest.raises(OSError, match="AJO_CA_FILE: /dev/zero: is no regular file"):
        make(ca_file=Path("/dev/zero"))


async def test_certificates_that_change_in_their_file_are_taken_up(
    make: Any, authority: trustme.CA, tmp_path: Path
) -> None:
    trusted, next_authority = tmp_path / "trusted.pem", trustme.CA()
    authority.cert_pem.write_to_path(str(trusted))
    adapter = make(ca_file=trusted)
    for change, issuer in (
        (authority.cert_pem.bytes(), authority),
        (next_authority.cert_pem.bytes(), next_authority),
        (b"-----BEGIN CERTIFICATE-----\n", next_authority),  # half of a file: what was there before counts on
    ):
        trusted.write_bytes(change)
        async with RawServer(does.answering(does.whole()), context(issuer.issue_cert("127.0.0.1"))) as server:
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).status == 202
    async with RawServer(does.answering(does.whole()), context(authority.issue_cert("127.0.0.1"))) as server:
        assert only(Failure, await adapter.post(call_to(server.url), timeout=LONG)).kind == "tls"
