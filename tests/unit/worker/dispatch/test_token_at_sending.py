"""A call carries the newest token there is, however long its intent took to commit."""

import asyncio
from random import seed

import pytest
from ajo_worker.api.answer import Answer, Failure
from ajo_worker.api.request import Call
from ajo_worker.api.token import Token

from tests.support.simulation.cluster import Cluster
from tests.support.simulation.endpoint import Endpoint
from tests.support.simulation.loops import Loop
from tests.support.simulation.network import Fate
from tests.support.simulation.process import Process

LIFETIME = 2.0


def test_a_token_that_ends_while_an_intent_is_committed_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    seed(0)
    given, sent = list[str](), list[str]()

    async def fetch(process: Process) -> Token:
        await asyncio.sleep(0.03)
        given.append(f"token {len(given) + 1}")
        return Token(given[-1], process.monotonic(), LIFETIME)

    receive = Endpoint.receive

    def seen(endpoint: Endpoint, loop: Loop, call: Call, timeout: float) -> "asyncio.Future[Answer | Failure]":
        sent.append(call.headers["authorization"])
        return receive(endpoint, loop, call, timeout)

    monkeypatch.setattr(Process, "_fetch", fetch)
    monkeypatch.setattr(Endpoint, "receive", seen)
    cluster = Cluster(1)
    try:
        cluster.advance(0.1)
        cluster.network.seal(cluster.processes[0].loop, "admissions", Fate(there=LIFETIME + 1))
        cluster.publish([1])
        cluster.advance(LIFETIME + 0.5)
        assert (given, sent) == (["token 1"], [])
        cluster.publish([2])  # whose turn comes with a new token, before the first one's intent is there
        cluster.settle()
        assert given[:2] == ["token 1", "token 2"]
        assert sent == [f"Bearer {given[1]}"] * 2
        cluster.verify_end()
    finally:
        cluster.close()
