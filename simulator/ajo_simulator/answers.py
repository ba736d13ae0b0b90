"""How an answer goes out, whole or broken: on the connection itself where a fault wants it."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from ajo_simulator.faults import (
    BrokenBody,
    CallFault,
    CutResponse,
    Hang,
    HugeBody,
    ResetAfter,
    ResetBefore,
    ResetUnread,
    SlowBody,
    StalledBody,
)
from ajo_simulator.validation import Execution, Problem

DRIPS = 20
CHUNK = b"x" * 65_536
LOOK_EVERY = 1.0
"""Seconds between looks whether a caller that gets no answer has gone."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What was decided on a call: the answer, if its status isn't None, and the fault that it goes out with.

    ``accepted`` is what was accepted with it.
    """

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    fault: CallFault | ResetUnread | None = None
    accepted: Execution | None = None


def refusal(problem: Problem, headers: Mapping[str, str] | None = None) -> Reply:
    """The reply that says what was wrong."""
    return Reply(problem.status, problem.body, headers or {}, problem.title)


async def send(request: web.BaseRequest, reply: Reply, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer a call as it was decided; ``headers`` are sent beside the reply's own."""
    match reply.fault:
        case ResetUnread() | ResetBefore() | ResetAfter():
            _reset(request)
            return web.Response()
        case Hang():
            await _gone(request)
            return web.Response()
        case SlowBody() | StalledBody() | CutResponse() | HugeBody() as fault:
            return await _broken(request, reply, fault, headers)
        case _:
            return web.Response(
                status=reply.status or 200,
                body=reply.body,
                content_type="application/json",
                headers={**headers, **reply.headers},
            )


def _reset(request: web.BaseRequest) -> None:
    """Cut the connection with RST instead of FIN."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _gone(request: web.BaseRequest) -> None:
    """Wait until the caller has closed the connection."""
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - aiohttp has no event
        await asyncio.sleep(LOOK_EVERY)


async def _broken(
    request: web.BaseRequest, reply: Reply, fault: BrokenBody, headers: Mapping[str, str]
) -> web.StreamResponse:
    """An answer whose body never comes whole, or comes slowly."""
    response = web.StreamResponse(status=reply.status or 200, headers={**headers, "content-type": "application/json"})
    response.content_length = fault.bytes if isinstance(fault, HugeBody) else len(reply.body)
    try:
        await response.prepare(request)
        await _write(request, response, reply.body, fault)
    except ConnectionError:
        pass  # the caller has gone, as it may
    return response


async def _write(request: web.BaseRequest, response: web.StreamResponse, body: bytes, fault: BrokenBody) -> None:
    match fault:
        case HugeBody(bytes=size):
            for _ in range(size // len(CHUNK)):
                await response.write(CHUNK)
            await response.write(CHUNK[: size % len(CHUNK)])
        case SlowBody(seconds=seconds):
            step = -(-len(body) // DRIPS)
            for start in range(0, len(body), step):
                await asyncio.sleep(seconds / DRIPS)
                await response.write(body[start : start + step])
        case StalledBody():
            await response.write(body[: len(body) // 2])
            await _gone(request)
        case CutResponse():
            await response.write(body[: len(body) // 2])
            if request.transport is not None:
                request.transport.close()
