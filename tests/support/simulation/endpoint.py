"""A model of Journey Optimizer: each call is answered, or not, as the test chooses, and it knows what it accepted."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from ajo_worker.api.answer import Answer, Call, Failure, FailureKind

from tests.support.simulation.loops import Loop, World
from tests.support.simulation.network import WAY


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of a call: after ``seconds`` it is accepted (or not) and answered, unless the answer never comes.

    ``failure`` stands for an answer that is none; ``timeout`` for one that doesn't come at all.
    """

    status: int = 202
    accepts: bool = False
    seconds: float = 0.05
    retry_after: int | None = None
    failure: FailureKind | None = None


ACCEPTED = Reply(202, accepts=True)


@dataclass(slots=True)
class Seen:
    """One call as the endpoint saw it."""

    request_id: UUID
    loop: Loop
    at: float
    reply: Reply
    accepted_at: float | None = None


@dataclass(slots=True)
class Endpoint:
    """The endpoint: ``planned`` replies come first, then the ``usual`` one; ``no_token_until`` bars new tokens."""

    world: World
    on_call: Callable[[Seen], None]
    on_accept: Callable[[Seen], None]
    usual: Reply = ACCEPTED
    planned: deque[Reply] = field(default_factory=deque)
    calls: list[Seen] = field(default_factory=list)
    no_token_until: float = 0.0

    def accepted(self, request_id: UUID) -> int:
        """How often a trigger was accepted."""
        return sum(call.request_id == request_id and call.accepted_at is not None for call in self.calls)

    def receive(self, loop: Loop, call: Call, timeout: float) -> "asyncio.Future[Answer | Failure]":
        """Take a call; what the process sees of it comes to the future."""
        reply = self.planned.popleft() if self.planned else self.usual
        request_id = UUID(msgspec.json.decode(call.body)["requestId"])
        seen = Seen(request_id, loop, self.world.now, reply)
        self.on_call(seen)
        self.calls.append(seen)
        self.world.mark("called", loop)
        answer = loop.create_future()
        self.world.later(reply.seconds, lambda: self._process(seen, answer))
        timer = loop.call_later(
            timeout, lambda: _settle(answer, Failure("timeout", perhaps_processed=True, elapsed=timeout))
        )
        answer.add_done_callback(lambda _: timer.cancel())
        return answer

    def _process(self, seen: Seen, answer: "asyncio.Future[Answer | Failure]") -> None:
        reply = seen.reply
        if reply.accepts:
            seen.accepted_at = self.world.now
            self.on_accept(seen)
            self.world.mark("accepted", seen.loop)
        if reply.failure == "timeout":
            return
        self.world.later(WAY, lambda: self._reply(seen, answer))

    def _reply(self, seen: Seen, answer: "asyncio.Future[Answer | Failure]") -> None:
        reply = seen.reply
        result: Answer | Failure
        if reply.failure is not None:
            result = Failure(reply.failure, perhaps_processed=reply.failure != "refused", elapsed=reply.seconds + WAY)
        else:
            headers = {} if reply.retry_after is None else {"retry-after": str(reply.retry_after)}
            body = b'{"executionId": "UMA-1"}' if reply.status == 202 else b"{}"
            result = Answer(reply.status, headers, body, to_headers=reply.seconds + WAY, to_body=reply.seconds + WAY)
        seen.loop.call_soon(_settle, answer, result)
        self.world.mark("replied", seen.loop)


@dataclass(frozen=True, slots=True)
class Adapter:
    """The HTTP client of one process."""

    endpoint: Endpoint
    loop: Loop

    async def post(self, call: Call, *, timeout: float) -> Answer | Failure:
        """As HttpAdapter has it."""
        return await self.endpoint.receive(self.loop, call, timeout)

    async def close(self) -> None:
        """As HttpAdapter has it."""


def _settle(answer: "asyncio.Future[Answer | Failure]", result: Answer | Failure) -> None:
    if not answer.done():
        answer.set_result(result)
