"""A tunnel through a proxy: what is asked, and what the answer says."""

import pytest
from ajo_worker.api.tunnel import MOST_HEAD, ProxyFailed, Tunnel, tunnel_request
from ajo_worker.settings.proxies import Proxy
from hypothesis import given
from hypothesis import strategies as st

GOOD = b"HTTP/1.1 200 Connection established\r\nvia: x\r\ncontent-length: 9\r\n\r\n"


@given(st.integers(1, len(GOOD)))
def test_any_2xx_makes_the_tunnel_whatever_pieces_it_comes_in(size: int) -> None:
    tunnel = Tunnel()
    for begin in range(0, len(GOOD), size):
        assert not tunnel.stands
        tunnel.feed(GOOD[begin : begin + size])
    assert tunnel.stands


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 204 x\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, b"HTTP/1.1 200\n\n"]
)
def test_other_forms_of_a_yes(answer: bytes) -> None:
    tunnel = Tunnel()
    tunnel.feed(answer)
    assert tunnel.stands


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\nsecret", "status 407"),
        (b"HTTP/1.1 502 secret\r\n\r\n", "status 502"),
        (b"HTTP/1.1 301 x\r\nlocation: secret\r\n\r\n", "status 301"),
        (b"HTTP/1.1 101 x\r\n\r\n", "status 101"),
        (b"SSH-2.0-secret\r\n\r\n", "it doesn't answer as an HTTP proxy does"),
        (b"<html>secret", "it doesn't answer as an HTTP proxy does"),
        (b"HTTP/1.1 secret\r\n\r\n", "it doesn't answer as an HTTP proxy does"),
        (b"HTTP/1.1 200 x\r\nx: " + b"y" * MOST_HEAD, "it doesn't answer as an HTTP proxy does"),
        (GOOD + b"secret", "something came before anything was asked"),
    ],
)
def test_anything_else_is_no_tunnel_and_nothing_of_it_is_told(answer: bytes, told: str) -> None:
    with pytest.raises(ProxyFailed) as failed:
        Tunnel().feed(answer)
    assert str(failed.value).startswith(f"proxy: {told}")
    assert "secret" not in str(failed.value)


def test_what_is_asked() -> None:
    proxy = Proxy("proxy.example.com", 3128, "us", "pw")
    assert tunnel_request("platform.adobe.io", 443, proxy) == (
        b"CONNECT platform.adobe.io:443 HTTP/1.1\r\nhost: platform.adobe.io:443\r\nuser-agent: ajo-dispatch\r\n"
        b"proxy-authorization: Basic dXM6cHc=\r\n\r\n"
    )
    assert tunnel_request("::1", 443, Proxy("p", 1)).startswith(b"CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\n")
    assert tunnel_request("bücher.example.com", 443, Proxy("p", 1)).startswith(
        b"CONNECT xn--bcher-kva.example.com:443 "
    )
