"""The simulator's server: documented endpoints, scripted faults, and a journal."""

import asyncio
import ssl
import time
from collections import Counter
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import uuid4

import msgspec
from aiohttp import web

from ajo_simulator import answers
from ajo_simulator.faults import latency_of, pick_fault
from ajo_simulator.journal import Entry, Journal
from ajo_simulator.scenario import BadScenario, Fault, Scenario, parse_scenario
from ajo_simulator.tokens import Tokens
from ajo_simulator.validation import Execution, Problem, check_body, check_headers, service_error

EXECUTIONS = {
    "/ajo/im/executions/unitary": False,
    "/ajo/im/executions/highthroughput": True,
    "/ajo/im/executions/unitary/highthroughput": True,  # an older draft of the API had it here
}
CAMPAIGNS = "/journey/campaigns/service/campaigns/"
BACKLOG = 8192
MOST_BODY = 8_000_000
SLOW_ANSWERS = frozenset({"cut-response", "slow-body", "stalled-body", "huge-body"})


class Simulator:
    """One simulator on one port; an asynchronous context manager."""

    def __init__(
        self,
        scenario: Scenario | str = "",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        journal: Journal | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.scenario = parse_scenario(scenario) if isinstance(scenario, str) else scenario
        self.journal = journal or Journal()
        self.tokens = tokens or Tokens()
        self.url = ""
        self._host, self._port, self._tls = host, port, tls
        self._started = time.monotonic()
        self._second, self._in_second = 0, 0
        application = web.Application(client_max_size=MOST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls, backlog=BACKLOG)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://{self._host}:{port}"
        self._started = time.monotonic()
        self.journal.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self.journal.stop()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path, headers = request.path, {"x-request-id": uuid4().hex}
        if path in EXECUTIONS and request.method == "POST":
            return await self._execute(request, headers, high_throughput=EXECUTIONS[path])
        if path == "/ims/token/v3" and request.method == "POST":
            await asyncio.sleep(self.scenario.token.latency)
            form = {name: str(value) for name, value in (await request.post()).items()}
            return answers.whole(*self.tokens.answer(form, self.scenario.token), headers)
        if path == "/ajo/im/health":
            return answers.whole(200, b'{"status":"UP"}', headers)
        if path.startswith(CAMPAIGNS):
            return answers.whole(*self._campaign(path.removeprefix(CAMPAIGNS)), headers)
        if path.startswith("/_simulator/"):
            return await self._control(request, path.removeprefix("/_simulator/"))
        problem = service_error(404, "not found")
        return answers.whole(problem.status, problem.body, headers)

    async def _execute(
        self, request: web.Request, headers: dict[str, str], *, high_throughput: bool
    ) -> web.StreamResponse:
        arrived, entry = time.monotonic(), Entry(arrived_at=_now(), path=request.path)
        try:
            return await self._answer(request, entry, headers, high_throughput=high_throughput)
        finally:
            if entry.status is not None:
                entry.answered_after = time.monotonic() - arrived
            self.journal.add(entry)

    async def _answer(
        self, request: web.Request, entry: Entry, headers: dict[str, str], *, high_throughput: bool
    ) -> web.StreamResponse:
        body = await request.read()
        execution = check_body(body, high_throughput=high_throughput)
        fault, seconds = None, time.monotonic() - self._started
        if isinstance(execution, Execution):
            entry.request_id, entry.campaign_id = execution.request_id, execution.campaign_id
            entry.recipients, entry.attempt = execution.recipients, self.journal.arrival(execution.request_id)
            fault = pick_fault(self.scenario, execution.campaign_id, execution.request_id, entry.attempt, seconds)
            entry.fault = fault.kind if fault else None
            if fault and fault.kind == "reset-before":
                answers.reset(request)
                return web.Response()
            extra = fault.seconds if fault and fault.kind == "slow" else 0.0
            await asyncio.sleep(
                extra + latency_of(self.scenario.latency, self.scenario.seed, execution.request_id, entry.attempt)
            )
        problem = self._problem(request, execution, fault, headers)
        if problem is not None:
            entry.status = problem.status
            return answers.whole(problem.status, problem.body, headers)
        if isinstance(execution, Problem):  # never: _problem has returned it
            raise TypeError
        return await self._accept(request, entry, execution, fault, headers, high_throughput=high_throughput)

    def _problem(
        self, request: web.Request, execution: Execution | Problem, fault: Fault | None, headers: dict[str, str]
    ) -> Problem | None:
        valid = self.tokens.valid(request.headers.get("authorization", ""))
        if flaw := check_headers(request.headers, token_is_valid=valid):
            return flaw
        if isinstance(execution, Problem):
            return execution
        if fault and (error := answers.error_of(fault, execution.request_id)):
            if fault.retry_after is not None:
                headers["retry-after"] = _retry_after(fault.retry_after)
            return error
        return service_error(429, "Too many requests") if self._over_limit() else None

    async def _accept(
        self,
        request: web.Request,
        entry: Entry,
        execution: Execution,
        fault: Fault | None,
        headers: dict[str, str],
        *,
        high_throughput: bool,
    ) -> web.StreamResponse:
        kind = fault.kind if fault else None
        if fault and kind == "redirect":
            entry.status = 307
            return answers.whole(307, b"", {**headers, "location": f"{self.url}/_simulator/redirected"})
        if fault and kind == "hang":
            entry.accepted = fault.accept
            await asyncio.Event().wait()
        entry.accepted = True
        if kind == "reset-after":
            answers.reset(request)
            return web.Response()
        entry.status = 202
        if kind == "invalid-json":
            return answers.whole(202, b'{"executionId": ', headers)
        now = _now()
        answer = {
            "executionId": f"{'HUMA' if high_throughput else 'UMA'}-{uuid4()}",
            "requestId": execution.request_id,
            "createdAt": now,
            "modifiedAt": now,
        }
        body = msgspec.json.encode(answer)
        if fault and kind in SLOW_ANSWERS:
            return await answers.broken(request, fault, body, headers)
        return answers.whole(202, body, headers)

    def _over_limit(self) -> bool:
        limit = self.scenario.limits.calls_per_second
        if limit is None:
            return False
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > limit

    def _campaign(self, campaign_id: str) -> tuple[int, bytes]:
        known = {campaign.id: campaign for campaign in self.scenario.campaign}
        campaign = known.get(campaign_id)
        if campaign is None and known:
            problem = service_error(404, "campaign not found")
            return problem.status, problem.body
        status, name = (campaign.status, campaign.name) if campaign else ("live", "")
        return 200, msgspec.json.encode({"id": campaign_id, "name": name, "status": status})

    async def _control(self, request: web.Request, what: str) -> web.Response:
        match request.method, what:
            case "GET", "summary":
                accepted = self.journal.accepted()
                return web.json_response(
                    {
                        "calls": len(self.journal.entries),
                        "accepted": len(accepted),
                        "accepted_more_than_once": sum(times > 1 for times in accepted.values()),
                        "tokens": self.tokens.issued,
                        "statuses": Counter(str(entry.status) for entry in self.journal.entries),
                        "faults": Counter(entry.fault for entry in self.journal.entries if entry.fault),
                    }
                )
            case "GET", "journal":
                lines = map(msgspec.json.encode, self.journal.entries)
                return web.Response(body=b"\n".join(lines), content_type="application/jsonl")
            case "POST", "scenario":
                try:
                    self.scenario = parse_scenario(await request.text())
                except BadScenario as bad:
                    return web.Response(status=400, text=f"{bad}\n")
                self._started = time.monotonic()
                return web.Response(status=204)
            case "POST", "reset":
                self.journal.clear()
                return web.Response(status=204)
        return web.Response(status=404)


def _retry_after(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
