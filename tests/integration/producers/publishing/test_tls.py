"""Over TLS the broker must prove who it is; there is no way to switch that off."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from ajo_producers import Publisher, PublishError

from tests.integration.producers.publishing.queues import arrived, make
from tests.support.proxy import Proxy
from tests.support.waiting import DEADLINE_SECONDS

AUTHORITY = trustme.CA()


def server_context(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSL_CERT_FILE names our authority."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


def test_a_broker_with_a_trusted_certificate_gets_the_message(
    trusted: None, broker_url: str, queue_prefix: str
) -> None:
    with Proxy(broker_url, server_context("127.0.0.1")) as proxy:
        assert proxy.url.startswith(("amqps:", "rediss:"))
        with Publisher(proxy.url, queue_prefix=queue_prefix) as publisher:
            trigger = make()
            publisher.publish(trigger)
    assert arrived(broker_url, queue_prefix) == {trigger.request_id: 1}


def test_a_certificate_for_another_host_is_refused(trusted: None, broker_url: str, queue_prefix: str) -> None:
    with Proxy(broker_url, server_context("broker.example.com")) as proxy, Publisher(proxy.url) as publisher:
        with pytest.raises(PublishError, match=r"(?i)certificate verify failed|not valid for"):
            publisher.publish(make())
        assert proxy.connections == proxy.sent == 0


def test_a_certificate_of_an_unknown_authority_is_refused(broker_url: str, queue_prefix: str) -> None:
    with Proxy(broker_url, server_context("127.0.0.1")) as proxy, Publisher(proxy.url) as publisher:
        with pytest.raises(PublishError, match=r"(?i)certificate verify failed"):
            publisher.publish(make())
        assert proxy.sent == 0


def test_a_silent_line_over_tls_is_abandoned_without_waiting(trusted: None, broker_url: str, queue_prefix: str) -> None:
    """An orderly end of TLS waits for the other side, for as long as the time limit is."""
    with ThreadPoolExecutor(1) as pool, Proxy(broker_url, server_context("127.0.0.1")) as proxy:
        publisher = Publisher(proxy.url, queue_prefix=queue_prefix, timeout=3600)
        publisher.publish(make())
        proxy.freeze()
        pool.submit(publisher._carrier.drop_link).result(timeout=DEADLINE_SECONDS)
