"""While a scenario refuses connections nobody listens; before and after, and for calls under way, all is as ever."""

import socket
from collections.abc import Callable

import httpx2

from tests.integration.simulator.calls import PATIENCE, Api, payload
from tests.support.programs import Simulator
from tests.support.waiting import wait_until


def refused(api: Api) -> bool:
    """Whether a call fails to connect; any other failure is one of the test."""
    try:
        api.get("/ajo/im/health")
    except httpx2.ConnectError:
        return True
    except httpx2.TransportError:  # its connection was closed the moment that it called
        return False
    return False


def test_connections_are_refused_for_a_while_and_calls_under_way_are_answered(
    own_api: Callable[..., tuple[Simulator, Api]],
) -> None:
    _, api = own_api()
    slow = '[[fault]]\nkind = "slow"\nseconds = 1\ncampaign = "slow"\n'
    with (
        socket.create_connection(api.address, PATIENCE) as idle,
        socket.create_connection(api.address, PATIENCE) as under_way,
    ):
        under_way.sendall(api.raw(payload("r-1", campaign="slow"))[:-1])
        api.get("/ajo/im/health")  # once this is answered, the call before it is seen to be under way
        api.play(f'{slow}[[fault]]\nkind = "refuse"\nuntil = 3\n')
        under_way.sendall(b"}")
        wait_until(lambda: refused(api), what="a refused connection, though the caller had one open")
        assert idle.recv(65_536) == b"", "it is closed"
        assert under_way.recv(65_536).startswith(b"HTTP/1.1 202 ")
        assert under_way.recv(65_536) == b"", "and then it is closed"
    wait_until(lambda: not refused(api), what="an open port")
    assert api.entry("r-1")["accepted"]
    assert api.call().status_code == 202


def test_a_simulator_ends_while_it_refuses(own_api: Callable[..., tuple[Simulator, Api]]) -> None:
    running, api = own_api()
    api.play('[[fault]]\nkind = "refuse"\nuntil = 3600\n')
    wait_until(lambda: refused(api), what="a refused connection")
    assert running.child.stop() == 0
