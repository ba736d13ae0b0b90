"""One HTTP call and what comes back: values that both adapters share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

FailureKind: TypeAlias = Literal[
    "refused", "dns", "connect-timeout", "connect", "tls", "timeout", "reset", "protocol", "body", "internal"
]


@dataclass(frozen=True, slots=True)
class Call:
    """One POST. Headers hold the token and the body holds addresses: neither is ever shown."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; times in seconds since the call began. ``truncated``: the body was longer than what is read."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    to_headers: float
    to_body: float
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """No whole answer. ``status`` and ``to_headers`` are known where the status line had come and the body broke."""

    kind: FailureKind
    perhaps_processed: bool
    elapsed: float
    detail: str = ""
    to_headers: float | None = None
    status: int | None = None


class HttpAdapter(Protocol):
    """An HTTP client that sends one call, once."""

    async def post(self, call: Call, *, timeout: float) -> Answer | Failure:
        """Send ``call`` once, and wait ``timeout`` seconds at most for its whole answer. Never raises."""

    async def close(self) -> None:
        """Close all connections."""
