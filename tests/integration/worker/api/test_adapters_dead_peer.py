"""Conformance of the HTTP adapters: TCP finds out that a machine has vanished, long before the budget ends."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ajo_producers.contract.keepalive import Keepalive
from ajo_worker.api.adapters import tcp
from ajo_worker.api.answer import Answer, Failure, HttpAdapter

from tests.support import scripted_server
from tests.support.calls import call_to, only
from tests.support.namespaces import OtherMachine, missing

LONG = 600.0
PORT = 8080

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


class Server:
    """The server on the other machine."""

    def __init__(self, machine: OtherMachine, program: "subprocess.Popen[str]") -> None:
        self.machine, self._program = machine, program
        self.url = f"http://{machine.address}:{PORT}/executions?key=hidden-key"

    async def does(self, *words: str) -> None:
        """Let it do something, and wait until it is done."""
        for word in words:
            await asyncio.to_thread(self._do, word)

    def _do(self, word: str) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{word}\n")
        self._program.stdin.flush()
        assert self._program.stdout.readline().strip() == word


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a machine that can vanish."""
    program_file = str(Path(scripted_server.__file__))
    with (
        OtherMachine() as machine,
        machine.running(sys.executable, program_file, machine.address, str(PORT)) as program,
    ):
        assert program.stdout is not None
        assert await asyncio.to_thread(program.stdout.readline) == "ready\n"
        yield Server(machine, program)


@pytest.fixture
def one(make: Any, monkeypatch: pytest.MonkeyPatch) -> HttpAdapter:
    """An adapter that gives a dead peer up after 3 s instead of 30, by the same means."""
    monkeypatch.setattr(tcp, "KEEPALIVE", Keepalive(quiet=1, every=1, times=2))
    made: HttpAdapter = make()
    return made


async def test_a_machine_that_vanishes_before_it_has_the_request(one: HttpAdapter, server: Server) -> None:
    first = asyncio.create_task(one.post(call_to(server.url), timeout=LONG))
    await server.does("accept", "read", "answer")
    only(Answer, await first)
    server.machine.vanish()
    failure = only(Failure, await one.post(call_to(server.url), timeout=LONG))
    assert (failure.kind, failure.perhaps_processed) == ("reset", True)


async def test_a_machine_that_vanishes_with_the_request(one: HttpAdapter, server: Server) -> None:
    post = asyncio.create_task(one.post(call_to(server.url), timeout=LONG))
    await server.does("accept", "read")
    server.machine.vanish()
    failure = only(Failure, await post)
    assert (failure.kind, failure.perhaps_processed, failure.status) == ("reset", True, None)


async def test_a_machine_that_vanishes_in_the_middle_of_its_answer(one: HttpAdapter, server: Server) -> None:
    post = asyncio.create_task(one.post(call_to(server.url), timeout=LONG))
    await server.does("accept", "read", "half")
    await asyncio.sleep(0.2)  # the half is here
    server.machine.vanish()
    failure = only(Failure, await post)
    assert (failure.kind, failure.perhaps_processed, failure.status) == ("body", True, 202)


async def test_a_machine_that_thinks_for_longer_than_tcp_is_patient_is_alive(one: HttpAdapter, server: Server) -> None:
    post = asyncio.create_task(one.post(call_to(server.url), timeout=LONG))
    await server.does("accept", "read")
    await asyncio.sleep(3 * tcp.KEEPALIVE.seconds)
    await server.does("answer")
    assert only(Answer, await post).status == 202


async def test_a_machine_that_is_gone_when_we_connect_has_nothing(make: Any, server: Server) -> None:
    server.machine.vanish()
    failure = only(Failure, await make(connect_timeout=1).post(call_to(server.url), timeout=LONG))
    assert (failure.kind, failure.perhaps_processed) == ("connect-timeout", False)


async def test_an_answer_from_a_machine_that_has_no_request_is_none(one: HttpAdapter, server: Server) -> None:
    """Nothing that we send arrives there any more, but what it sends arrives here."""
    if "Direct" not in type(one).__name__:
        return  # the libraries don't look at what was acknowledged
    first = asyncio.create_task(one.post(call_to(server.url), timeout=LONG))
    await server.does("accept", "read", "answer")
    only(Answer, await first)
    server.machine.unheard()
    post = asyncio.create_task(one.post(call_to(server.url), timeout=LONG))
    await asyncio.sleep(0.2)  # the request is on its way to nowhere
    await server.does("answer")
    failure = only(Failure, await post)
    assert (failure.kind, failure.perhaps_processed) == ("protocol", True)
