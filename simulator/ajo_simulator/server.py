"""The simulator: documented endpoints, scripted faults, and a journal."""

import asyncio
import ssl
import time
from types import TracebackType
from typing import Self
from uuid import uuid4

from aiohttp import web

from ajo_simulator import campaigns
from ajo_simulator.answers import Reply, refusal, send
from ajo_simulator.control import CONTROL, control
from ajo_simulator.door import Door, waited
from ajo_simulator.executions import EXECUTIONS, Executions
from ajo_simulator.faults import HugeBody, kind_of
from ajo_simulator.feedback.message import Acceptance
from ajo_simulator.feedback.reports import Reports
from ajo_simulator.journal import Entry, Journal
from ajo_simulator.picking import is_shut
from ajo_simulator.scenario import Scenario, parse_scenario
from ajo_simulator.tokens import Tokens, fault_of
from ajo_simulator.validation import Execution, service_error


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
        self.play(parse_scenario(scenario) if isinstance(scenario, str) else scenario)
        self.journal = journal or Journal()
        self.tokens = tokens or Tokens()
        self.feedback = Reports()
        self.url = ""
        self._host, self._port, self._tls = host, port, tls
        self._executions = Executions(self.journal, self.tokens)

    async def __aenter__(self) -> Self:
        self._door = Door(self._handle, self._host, self._port, self._tls)
        await self._door.open()
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"{'https' if self._tls else 'http'}://{shown}:{self._door.port}"
        self._started = time.monotonic()
        refusing = self._door.keep(lambda: is_shut(self.scenario, self._seconds()))
        self._keeping = asyncio.create_task(refusing, name="door")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        await self._door.close()
        await self.feedback.close()
        self.journal.close()

    def play(self, scenario: Scenario) -> None:
        """Begin a scenario, at its second 0; tokens, and the counts of each request id's calls, stay."""
        self.scenario = scenario
        self._started = time.monotonic()

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await control(self, request)
        entry = Entry(path=request.path, waited=waited(request.transport))
        arrived, gateway_id = time.monotonic(), uuid4().hex
        scenario, began = self.scenario, self._started
        try:
            reply = await self._reply(request, entry, scenario)
        except BaseException:  # a caller that left, or a server that stops, ends a call too
            self.journal.add(entry)
            raise
        if reply.status is not None:
            entry.status, entry.error = reply.status, reply.error
            entry.answered_after = round(time.monotonic() - arrived, 6)
        try:
            self.journal.add(entry)
        except OSError as error:
            reply = refusal(service_error(500, f"the journal can't be written: {error.strerror}"))
        if reply.accepted and scenario.feedback:
            seconds = time.monotonic() - began
            acceptance = _acceptance(request, entry, reply.accepted, gateway_id, seconds)
            self.feedback.accept(scenario.feedback, scenario.seed, acceptance)
        return await send(request, reply, {"x-request-id": gateway_id})

    async def _reply(self, request: web.BaseRequest, entry: Entry, scenario: Scenario) -> Reply:
        match request.method, request.path:
            case "POST", path if path in EXECUTIONS:
                return await self._executions.reply(request, entry, scenario, self._seconds())
            case "POST", "/ims/token/v3":
                return await self._token(request, entry, scenario)
            case "GET", "/ajo/im/health":
                return Reply(200, b'{"status":"UP"}')
            case "GET", path if path.startswith(campaigns.CAMPAIGNS):
                return await campaigns.reply(request, scenario, self.tokens)
        return refusal(service_error(404, "not found"))

    async def _token(self, request: web.BaseRequest, entry: Entry, scenario: Scenario) -> Reply:
        await asyncio.sleep(scenario.token.latency)
        form = {name: str(value) for name, value in (await request.post()).items()}
        seconds = self._seconds()
        if (fault := fault_of(scenario.token, seconds)) is not None:
            entry.fault = kind_of(fault)
            return Reply(200 if isinstance(fault, HugeBody) else None, fault=fault)
        return Reply(*self.tokens.answer(form, scenario.token, seconds))


def _acceptance(
    request: web.BaseRequest, entry: Entry, execution: Execution, gateway_id: str, seconds: float
) -> Acceptance:
    return Acceptance(
        request_id=execution.request_id,
        gateway_id=gateway_id,
        campaign_id=execution.campaign_id,
        execution_id=entry.execution_id or "",
        attempt=entry.attempt,
        organization=request.headers["x-gw-ims-org-id"],
        sandbox=request.headers["x-sandbox-name"],
        recipients=execution.recipients,
        seconds=seconds,
        accepted_at=time.time(),
    )
