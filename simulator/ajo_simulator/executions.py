"""What becomes of a call to an execution endpoint: refused, accepted, or met by a fault."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import uuid4

import msgspec
from aiohttp import web

from ajo_simulator.answers import Reply, refusal
from ajo_simulator.errors import error_of, retry_after
from ajo_simulator.faults import (
    CallFault,
    Hang,
    InvalidJson,
    Lane,
    OddAnswer,
    Redirect,
    ResetAfter,
    ResetBefore,
    Status,
    Told,
    Vanish,
    kind_of,
)
from ajo_simulator.journal import Entry, Journal, now
from ajo_simulator.picking import Call, delay, pick_fault, pick_unread
from ajo_simulator.scenario import Scenario
from ajo_simulator.tokens import Tokens
from ajo_simulator.validation import Execution, Problem, check_body, check_headers, service_error

EXECUTIONS = {
    "/ajo/im/executions/unitary": False,
    "/ajo/im/executions/highthroughput": True,
    "/ajo/im/executions/unitary/highthroughput": True,  # an older draft of the API had it here
}
REDIRECTED = "/redirected"


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
        self._recent: deque[str] = deque(maxlen=2)

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
            if execution.request_id in self._recent:
                self._recent.remove(execution.request_id)
            self._recent.append(execution.request_id)
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
        if fault and (error := error_of(fault, execution)):
            if isinstance(fault, Status) and fault.accept:
                _accept(entry)
            told = retry_after(fault.retry_after, fault.retry_after_form) if isinstance(fault, Told) else {}
            return refusal(error, told)
        if self._limit.exceeded(scenario.limits.calls_per_second):
            return refusal(service_error(429, "Too many requests"), retry_after(scenario.limits.retry_after))
        again = scenario.repeated
        if again.status is not None and self._journal.has_accepted(execution.request_id):
            return refusal(service_error(again.status, again.title, again.error_code))
        return _outcome(entry, execution, fault, self._recent)


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


def _outcome(entry: Entry, execution: Execution, fault: CallFault | None, recent: Sequence[str]) -> Reply:
    """What becomes of a call that nothing refuses; ``recent`` request ids were seen just before."""
    match fault:
        case Redirect(status=status):
            return Reply(status, headers={"location": REDIRECTED})
        case Hang(accept=False) | Vanish(accept=False):
            return Reply(None, fault=fault)
    odd = fault if isinstance(fault, OddAnswer) else OddAnswer()
    if odd.accept:
        _accept(entry)
    if isinstance(fault, Hang | Vanish | ResetAfter):
        return Reply(None, fault=fault)
    body = msgspec.json.encode(_answer(entry, execution, odd, recent))
    return Reply(odd.status, body[: len(body) // 2] if isinstance(fault, InvalidJson) else body, fault=fault)


def _answer(entry: Entry, execution: Execution, odd: OddAnswer, recent: Sequence[str]) -> dict[str, str]:
    at = now()
    answer = {"createdAt": at, "createdBy": "simulator", "modifiedAt": at, "modifiedBy": "simulator"}
    if odd.execution_id == "given":
        answer = {"executionId": entry.execution_id or _execution_id(entry.path), **answer}
    match odd.request_id:
        case "ours":
            answer["requestId"] = execution.request_id
        case "another":
            others = (one for one in reversed(recent) if one != execution.request_id)
            answer["requestId"] = next(others, execution.request_id)
        case "unknown":
            answer["requestId"] = str(uuid4())
    return answer


def _execution_id(path: str) -> str:
    return f"{'HUMA' if EXECUTIONS[path] else 'UMA'}-{uuid4()}"


def _accept(entry: Entry) -> None:
    entry.accepted = True
    entry.execution_id = _execution_id(entry.path)
