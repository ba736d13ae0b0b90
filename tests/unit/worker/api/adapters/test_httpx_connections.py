"""Idle connections: the newest is used first, and what has waited too long is closed."""

import httpx2
from ajo_worker.api.adapters.exchange import IDLE_SECONDS
from ajo_worker.api.adapters.httpx_connections import Connections


class Transport(httpx2.AsyncBaseTransport):
    """Knows whether it is closed."""

    closed = False

    async def aclose(self) -> None:
        self.closed = True


class Clock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_call_takes_the_connection_that_was_used_last() -> None:
    connections = Connections(Transport, Clock())
    first, second = await connections.take(), await connections.take()
    assert first is not second
    connections.give_back(first)
    connections.give_back(second)
    assert [await connections.take(), await connections.take()] == [second, first]


async def test_a_connection_that_has_waited_too_long_is_closed() -> None:
    clock = Clock()
    connections = Connections(Transport, clock)
    old, new = await connections.take(), await connections.take()
    connections.give_back(old)
    clock.now += IDLE_SECONDS
    connections.give_back(new)
    clock.now += 1
    assert await connections.take() is new
    assert isinstance(old, Transport)
    assert old.closed
    assert await connections.take() not in {old, new}


async def test_closing_closes_what_is_idle_and_what_is_in_use() -> None:
    connections = Connections(Transport, Clock())
    transports = [await connections.take(), await connections.take()]
    connections.give_back(transports[0])
    await connections.close()
    assert [isinstance(transport, Transport) and transport.closed for transport in transports] == [True, True]
