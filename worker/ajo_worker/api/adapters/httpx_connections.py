"""Connections that wait for their next call, for httpx2."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import httpx2

from ajo_worker.api.adapters.exchange import IDLE_SECONDS, age_limit


class Connections:
    """Transports of one connection each, the one last used first.

    httpcore's pool looks at all of its connections for every call: with 1,000 calls in flight one of them costs 7 ms of
    CPU, and 1.4 ms this way. A transport whose connection has broken makes a new one at its next call.
    """

    def __init__(
        self, make: Callable[[], httpx2.AsyncBaseTransport], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._monotonic = monotonic
        self._idle: deque[tuple[float, httpx2.AsyncBaseTransport]] = deque()
        self._busy: set[httpx2.AsyncBaseTransport] = set()
        self._used_until: dict[httpx2.AsyncBaseTransport, float] = {}

    async def take(self) -> httpx2.AsyncBaseTransport:
        """A transport for one call; those that are too old, or have waited too long, are closed by the way."""
        now = self._monotonic()
        while self._idle and self._idle[0][0] < now - IDLE_SECONDS:
            await self._close(self._idle.popleft()[1])
        while self._idle:
            transport = self._idle.pop()[1]
            if self._used_until[transport] >= now:
                break
            await self._close(transport)
        else:
            transport = self._make()
            self._used_until[transport] = now + age_limit()
        self._busy.add(transport)
        return transport

    def give_back(self, transport: httpx2.AsyncBaseTransport) -> None:
        """The call is over, however it went."""
        self._busy.discard(transport)
        self._idle.append((self._monotonic(), transport))

    async def drop_idle(self) -> None:
        """Close all that wait for their next call."""
        transports = [transport for _, transport in self._idle]
        self._idle.clear()
        for transport in transports:
            with suppress(Exception):  # a connection that breaks while it is closed is closed
                await self._close(transport)

    async def close(self) -> None:
        """Close all of them, also those in use."""
        transports = [*(transport for _, transport in self._idle), *self._busy]
        self._idle.clear()
        for transport in transports:
            await self._close(transport)

    async def _close(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._used_until.pop(transport, None)
        await transport.aclose()
