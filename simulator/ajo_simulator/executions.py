"""What becomes of a call to an execution endpoint: refused, accepted, or met by a fault."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from uuid import uuid4

import msgspec
from aiohttp import web

from ajo_simulator.answers import Reply, refusal
from ajo_simulator.draw import Call, delay, drawn, pick_fault, pick_unread
from ajo_simulator.faults import (
    CallFault,
    Cosmos,
    Hang,
    InvalidJson,
    Lane,
    Outage,
    RateLimit,
    Redirect,
    ResetAfter,
    ResetBefore,
    Status,
    TokenExpired,
    Told,
    kind_of,
)
from ajo_simulator.journal import Entry, Journal, now
from ajo_simulator.scenario import Scenario
from ajo_simulator.tokens import Tokens
from ajo_simulator.validation import Execution, Problem, check_body, check_headers, gateway_error, service_error

EXECUTIONS = {
    "/ajo/im/executions/unitary": False,
    "/ajo/im/executions/highthroughput": True,
    "/ajo/im/executions/unitary/highthroughput": True,  # an older draft of the API had it here
}
REDIRECTED = "/redirected"
COSMOS_TEXTS = (
    "Access to your account is currently revoked because the Azure Cosmos DB service is unable to obtain the AAD "
    "authentication token for the account's default identity (4000)",
    "Request is blocked due to Customer Managed Key not being accessible",
)
"""Both wordings of the outage, as Microsoft's Cosmos DB guides have them."""


class CallLimit:
    """Counts the calls of each second."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._second, self._calls = 0, 0

    def exceeded(self, most: float | None) -> bool:
        """Count a call; whether it is one more than ``most`` in this second."""
        if most is None:
            return False
        second = int(self._monotonic())
        if second != self._second:
            self._second, self._calls = second, 0
        self._calls += 1
        return self._calls > most


class Executions:
    """Decides on calls, in the order of the real thing: connection, gateway, service."""

    def __init__(self, journal: Journal, tokens: Tokens) -> None:
        self._journal, self._tokens = journal, tokens
        self._limit = CallLimit()
        self._calls = 0

    async def reply(self, request: web.BaseRequest, entry: Entry, scenario: Scenario, seconds: float) -> Reply:
        """Decide on a call, ``seconds`` after the scenario's start, and fill its entry."""
        self._calls += 1
        if unread := pick_unread(scenario, self._calls, seconds):
            entry.fault = kind_of(unread)
            return Reply(None, fault=unread)
        execution = await _read(request)
        reply = await self._decide(request, execution, entry, scenario, seconds)
        return replace(reply, accepted=execution) if entry.accepted and isinstance(execution, Execution) else reply

    async def _decide(
        self,
        request: web.BaseRequest,
        execution: Execution | Problem,
        entry: Entry,
        scenario: Scenario,
        seconds: float,
    ) -> Reply:
        fault = None
        if isinstance(execution, Execution):
            entry.request_id, entry.campaign_id = execution.request_id, execution.campaign_id
            entry.recipients = len(execution.recipients)
            entry.attempt = self._journal.arrival(execution.request_id)
            fault = pick_fault(scenario, _call(request.path, execution, entry.attempt), seconds)
            entry.fault = kind_of(fault) if fault else None
            if isinstance(fault, ResetBefore):
                return Reply(None, fault=fault)
            await asyncio.sleep(delay(scenario, fault, execution.request_id, entry.attempt))
        valid = self._tokens.valid(request.headers.get("authorization", ""))
        if flaw := check_headers(request.headers, token_is_valid=valid):
            return refusal(flaw)
        if isinstance(execution, Problem):
            return refusal(execution)
        if fault and (error := error_of(fault, execution.request_id)):
            if isinstance(fault, Status) and fault.accept:
                _accept(entry)
            told = retry_after(fault.retry_after, fault.retry_after_form) if isinstance(fault, Told) else {}
            return refusal(error, told)
        if self._limit.exceeded(scenario.limits.calls_per_second):
            return refusal(service_error(429, "Too many requests"), retry_after(scenario.limits.retry_after))
        return _outcome(entry, execution, fault)


def _call(path: str, execution: Execution, attempt: int) -> Call:
    lane: Lane = "high-throughput" if EXECUTIONS[path] else "standard"
    users = tuple(one.user_id for one in execution.recipients)
    return Call(execution.campaign_id, execution.request_id, attempt, lane, users)


async def _read(request: web.BaseRequest) -> Execution | Problem:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return service_error(413, "the body is too large")
    return check_body(body, high_throughput=EXECUTIONS[request.path])


def error_of(fault: CallFault, request_id: str) -> Problem | None:
    """The error answer of a fault that is nothing but one."""
    match fault:
        case Status(status=status, error_code=code, title=title, shape="gateway"):
            return gateway_error(status, code or f"{status}000", title)
        case Status(status=status, error_code=code, title=title):
            return service_error(status, title, code)
        case RateLimit():
            return service_error(429, "Too many requests")
        case TokenExpired():
            return gateway_error(401, "401013", "Oauth token is not valid")
        case Cosmos():
            return service_error(500, COSMOS_TEXTS[drawn(0, request_id, "text") < 1 / 2], "CJMRT-110100-500")
        case Outage():
            return Problem(500, b"", "")
        case _:
            return None


def _outcome(entry: Entry, execution: Execution, fault: CallFault | None) -> Reply:
    """What becomes of a call that nothing refuses."""
    match fault:
        case Redirect(status=status):
            return Reply(status, headers={"location": REDIRECTED})
        case Hang(accept=False):
            return Reply(None, fault=fault)
    _accept(entry)
    if isinstance(fault, Hang | ResetAfter):
        return Reply(None, fault=fault)
    at = now()
    answer = {
        "executionId": entry.execution_id,
        "requestId": execution.request_id,
        "createdAt": at,
        "createdBy": "simulator",
        "modifiedAt": at,
        "modifiedBy": "simulator",
    }
    body = msgspec.json.encode(answer)
    return Reply(202, body[: len(body) // 2] if isinstance(fault, InvalidJson) else body, fault=fault)


def _accept(entry: Entry) -> None:
    entry.accepted = True
    entry.execution_id = f"{'HUMA' if EXECUTIONS[entry.path] else 'UMA'}-{uuid4()}"


def retry_after(value: float | str | None, form: str = "seconds") -> dict[str, str]:
    """The header, in one of its two forms (RFC 9110): seconds, or the date in so many seconds; text as it is."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"retry-after": value}
    if form == "date":
        return {"retry-after": formatdate(time.time() + value, usegmt=True)}
    return {"retry-after": str(int(value) if value.is_integer() else value)}
