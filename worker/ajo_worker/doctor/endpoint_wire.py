"""Going the way to an endpoint, step by step: its name, a connection, TLS, and the service's own word on its health."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable
from typing import NamedTuple

import httpx2

from ajo_worker.doctor.bounds import bounded
from ajo_worker.doctor.check import Check, failed, ok, skipped
from ajo_worker.doctor.clocks import Offset, offset_of_date
from ajo_worker.doctor.endpoint import (
    STEPS,
    Destination,
    judge_certificate,
    judge_connection,
    judge_handshake,
    judge_health,
)
from ajo_worker.doctor.token import Fetched


class Visited(NamedTuple):
    """What was found on the way, and the endpoint's clock if it told the time."""

    checks: list[Check]
    offset: Offset | None = None


async def visit(
    destination: Destination, tls: ssl.SSLContext | None, token: Awaitable[Fetched], seconds: float
) -> Visited:
    """Go the way; where a step fails, those after it are skipped. Each step has ``seconds``."""
    checks: list[Check] = []
    for step, look in {"dns": _resolve, "connect": _connect, "tls": _shake_hands}.items():
        checks.append(await bounded(destination.check(step), seconds, look(destination, tls)))
        if checks[-1].status == "failed" or (step == "tls" and destination.secure and tls is None):
            rest = STEPS[len(checks) :]
            return Visited([*checks, *(skipped(destination.check(name), f"see {step}") for name in rest)])
    found = await bounded(destination.check("health"), seconds, _ask_health(destination, tls, (await token).token))
    return Visited([*checks, found]) if isinstance(found, Check) else Visited([*checks, *found.checks], found.offset)


async def _resolve(destination: Destination, _tls: ssl.SSLContext | None) -> Check:
    check = destination.check("dns")
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(
            destination.host, destination.port, proto=socket.IPPROTO_TCP
        )
    except OSError as fault:
        return judge_connection(check, fault)
    addresses = sorted({str(answer[4][0]) for answer in answers})
    return ok(check, f"{', '.join(addresses)}")


async def _connect(destination: Destination, _tls: ssl.SSLContext | None) -> Check:
    check, asked = destination.check("connect"), time.monotonic()
    try:
        _, writer = await asyncio.open_connection(destination.host, destination.port)
    except OSError as fault:
        return judge_connection(check, fault)
    writer.transport.abort()
    return ok(check, f"port {destination.port} after {time.monotonic() - asked:.3f} s")


async def _shake_hands(destination: Destination, tls: ssl.SSLContext | None) -> Check:
    check = destination.check("tls")
    if not destination.secure:
        return skipped(check, "plain http, which is for this machine alone")
    if tls is None:
        return skipped(check, "see certificate authorities")
    try:
        _, writer = await asyncio.open_connection(destination.host, destination.port, ssl=tls)
    except OSError as fault:
        return judge_handshake(check, fault)
    session: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate = session.getpeercert() or {}
    writer.transport.abort()
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return judge_certificate(check, session.version(), ends - time.time())


async def _ask_health(destination: Destination, tls: ssl.SSLContext | None, token: str | None) -> Visited:
    check = destination.check("health")
    headers = destination.headers | ({"authorization": f"Bearer {token}"} if token else {})
    asked, began = time.time(), time.monotonic()
    try:
        async with (
            httpx2.AsyncClient(verify=tls or True, trust_env=False, timeout=None) as client,
            client.stream("GET", destination.health_url, headers=headers) as answer,  # its body says nothing
        ):
            took, answered = time.monotonic() - began, time.time()
    except httpx2.HTTPError as fault:
        return Visited([failed(check, f"no answer: {type(fault).__name__}", "the service or a gateway broke it off")])
    found = judge_health(check, answer.status_code, took, with_token=token is not None)
    return Visited([found], offset_of_date(destination.name, answer.headers.get("date"), asked, answered))
