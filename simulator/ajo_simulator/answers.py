"""How an answer goes out, whole or broken: on the connection itself where a fault wants it."""

import asyncio
import socket
import struct

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from ajo_simulator.scenario import Fault
from ajo_simulator.validation import Problem, gateway_error, service_error

COSMOS_TEXTS = (
    "Access to your account is currently revoked because the Azure Cosmos DB service is unable to obtain the AAD "
    "authentication token for the account's default identity (4000)",
    "Request is blocked due to Customer Managed Key not being accessible",
)
"""Both wordings of the outage, as Microsoft's Cosmos DB guides have them."""

DRIPS = 20
CHUNK = b"x" * 65_536


def whole(status: int, body: bytes, headers: dict[str, str]) -> web.Response:
    """A complete answer."""
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def reset(request: web.BaseRequest) -> None:
    """Cut the connection with RST instead of FIN."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def error_of(fault: Fault, request_id: str) -> Problem | None:
    """The error answer of a fault that is nothing but one."""
    match fault.kind:
        case "status" if fault.shape == "gateway":
            return gateway_error(
                fault.status, fault.error_code or f"{fault.status}000", fault.title or "simulated fault"
            )
        case "status":
            return service_error(fault.status, fault.title or "simulated fault", fault.error_code)
        case "rate-limit":
            return service_error(429, "Too many requests")
        case "token-expired":
            return gateway_error(401, "401013", "Oauth token is not valid")
        case "cosmos":
            return service_error(500, COSMOS_TEXTS[len(request_id) and int(request_id[-1], 16) % 2], "CJMRT-110100-500")
        case "outage":
            return Problem(500, b"")
        case _:
            return None


async def broken(request: web.BaseRequest, fault: Fault, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """An accepted call's answer that never comes whole, or comes slowly."""
    response = web.StreamResponse(status=202, headers={**headers, "content-type": "application/json"})
    response.content_length = fault.bytes if fault.kind == "huge-body" else len(body)
    writer = await response.prepare(request)
    if writer is None:
        return response
    try:
        await _write(fault, body, writer)
    except (ConnectionError, asyncio.CancelledError):
        return response
    if fault.kind == "cut-response" and request.transport is not None:
        request.transport.close()
    return response


async def _write(fault: Fault, body: bytes, writer: AbstractStreamWriter) -> None:
    match fault.kind:
        case "huge-body":
            for _ in range(fault.bytes // len(CHUNK)):
                await writer.write(CHUNK)
            await writer.write(CHUNK[: fault.bytes % len(CHUNK)])
        case "slow-body":
            step = max(len(body) // DRIPS, 1)
            for start in range(0, len(body), step):
                await writer.write(body[start : start + step])
                await asyncio.sleep(fault.seconds / DRIPS)
        case "stalled-body":
            await writer.write(body[: len(body) // 2])
            await asyncio.Event().wait()
        case _:
            await writer.write(body[: len(body) // 2])
