"""One HTTP call and what comes back: values that both adapters share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

FailureKind: TypeAlias = Literal[
    "refused",
    "dns",
    "connect-timeout",
    "connect",
    "exhausted",
    "proxy",
    "tls",
    "timeout",
    "reset",
    "protocol",
    "body",
    "internal",
]
"""``proxy``: there was no tunnel through it, for whatever reason. ``exhausted``: our machine had no file, port or
memory left for a connection."""

OURS = frozenset[FailureKind]({"exhausted", "proxy"})
"""Failures on our side: nothing was sent to Adobe, and the time is ours."""


@dataclass(frozen=True, slots=True)
class Call:
    """One POST. Headers hold the token and the body holds addresses: neither is ever shown."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``truncated``: the body was longer than what is read.

    Times in seconds. ``to_headers`` and ``to_body`` count from the call's beginning to the arrival of the bytes,
    whenever our loop took them. ``lag`` is how long it left them; ``start_lag`` how long it left the call before that
    began.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    to_headers: float
    to_body: float
    truncated: bool = False
    lag: float = 0.0
    start_lag: float = 0.0

    @property
    def seconds(self) -> float:
        """From the call's beginning to its end."""
        return self.to_body


@dataclass(frozen=True, slots=True)
class Failure:
    """No whole answer. ``status`` and ``to_headers`` are known where the status line had come and the rest broke.

    ``headers`` and ``body`` are what is known of them. Times as in ``Answer``; ``elapsed`` ends with what broke the
    call, or with its time-out.
    """

    kind: FailureKind
    perhaps_processed: bool
    elapsed: float
    detail: str = ""
    to_headers: float | None = None
    status: int | None = None
    lag: float = 0.0
    start_lag: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def seconds(self) -> float:
        """From the call's beginning to its end."""
        return self.elapsed


class HttpAdapter(Protocol):
    """An HTTP client that sends one call, once."""

    async def post(self, call: Call, *, timeout: float) -> Answer | Failure:
        """Send ``call`` once, and wait ``timeout`` seconds at most for its whole answer. Never raises."""

    async def drop_idle(self) -> None:
        """Close the connections that wait for their next call: what comes on them can't be trusted. Never raises."""

    async def close(self) -> None:
        """Close all connections."""
