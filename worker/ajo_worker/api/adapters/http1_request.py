"""A request of HTTP/1.1 as far as one POST needs it: where it goes, and its bytes. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from ajo_worker.api.adapters.http1 import NAME

VISIBLE = re.compile(r"[!-~]+")
PORTS = {"http": 80, "https": 443}
KEPT = 32
"""Heads of requests that are kept. They are alike for an endpoint until the token changes; making one took a tenth of
a call's CPU."""


class Origin(NamedTuple):
    """Where connections go to."""

    scheme: str
    host: str
    port: int


@lru_cache(KEPT)
def origin_of(url: str) -> Origin:
    """The origin of a URL.

    Raises:
        ValueError: it is no URL of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("no URL of HTTP")
    return Origin(parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme])


def request_bytes(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire.

    Raises:
        ValueError: the URL or a header can't be sent as it is; nothing of it is quoted.
    """
    return b"%bcontent-length: %d\r\n\r\n%b" % (_head(url, tuple(headers.items())), len(body), body)


@lru_cache(KEPT)
def _head(url: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    if not VISIBLE.fullmatch(target + host):
        raise ValueError("no URL of HTTP")
    lines = [f"POST {target} HTTP/1.1", f"host: {host}"]
    for name, value in headers:
        if not NAME.fullmatch(name.encode("latin-1")) or any(sign in value for sign in "\r\n\0"):
            raise ValueError("a header can't be sent as it is")
        lines.append(f"{name}: {value}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
