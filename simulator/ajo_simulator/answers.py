"""How an answer goes out, whole or broken: on the connection itself where a fault wants it."""

import asyncio
import ctypes
import socket
import struct
import sys
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
    Stray,
    Vanish,
)
from ajo_simulator.validation import Execution, Problem

DRIPS = 20
CHUNK = b"x" * 65_536
SO_ATTACH_FILTER = 26
"""Linux's number of this option of a socket (asm-generic/socket.h); Python has no name for it."""
DROP_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""A packet filter of one instruction, ``ret 0``: no packet gets through."""
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
        case Vanish():
            _vanish(request)
            await _gone(request)
            return web.Response()
        case Hang():
            await _gone(request)
            return web.Response()
        case Stray() as fault:
            return await _twice(request, reply, fault, headers)
        case SlowBody() | StalledBody() | CutResponse() | HugeBody() as fault:
            return await _broken(request, reply, fault, headers)
        case _:
            return _whole(reply, headers)


def _whole(reply: Reply, headers: Mapping[str, str]) -> web.Response:
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


def _vanish(request: web.BaseRequest) -> None:
    """Have the kernel drop whatever comes for this connection, unanswered: no acknowledgement, no reset."""
    connection = request.transport and request.transport.get_extra_info("socket")
    if connection and sys.platform == "linux":
        program = struct.pack("HL", 1, ctypes.addressof(DROP_ALL))
        connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


async def _twice(
    request: web.BaseRequest, reply: Reply, fault: Stray, headers: Mapping[str, str]
) -> web.StreamResponse:
    """The whole answer, and one that nobody asked for behind it."""
    response, transport = _whole(reply, headers), request.transport
    await response.prepare(request)
    await response.write_eof()
    body = reply.body if fault.status == reply.status else b""
    head = f"HTTP/1.1 {fault.status} Stray\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"

    def stray() -> None:
        if transport is not None and not transport.is_closing():
            transport.write(head.encode() + body)

    if fault.seconds:
        asyncio.get_running_loop().call_later(fault.seconds, stray)
    else:
        stray()
    return response


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
