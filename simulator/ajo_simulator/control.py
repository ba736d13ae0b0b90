"""The simulator's own endpoints, under ``/_simulator/``: the journal, a summary, and another scenario."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from ajo_simulator.executions import EXECUTIONS
from ajo_simulator.feedback.dataset import FORMS, MEDIA_TYPES, encode
from ajo_simulator.feedback.reports import Reports
from ajo_simulator.journal import Journal
from ajo_simulator.scenario import BadScenario, Scenario, decode_scenario
from ajo_simulator.tokens import Tokens

CONTROL = "/_simulator/"


NO_PARQUET = "Parquet needs the package pyarrow: install ajo-simulator[parquet]\n"


class Controlled(Protocol):
    """The simulator, as far as these endpoints are concerned."""

    journal: Journal
    tokens: Tokens
    feedback: Reports

    def play(self, scenario: Scenario) -> None:
        """Begin a scenario."""


async def control(simulator: Controlled, request: web.BaseRequest) -> web.Response:
    """Answer a call to the simulator itself; these are not in the journal."""
    match request.method, request.path.removeprefix(CONTROL):
        case "GET", "summary":
            return web.json_response(_summary(simulator))
        case "GET", "journal":
            return web.Response(body=simulator.journal.lines(), content_type="application/jsonl")
        case "GET", "feedback":
            return await _feedback(simulator, request.query)
        case "POST", "scenario":
            try:
                simulator.play(decode_scenario(await request.read()))
            except BadScenario as bad:
                return web.Response(status=400, text=f"{bad}\n")
            return web.Response(status=204)
        case "POST", "reset":
            simulator.journal.clear()
            await simulator.feedback.clear()
            return web.Response(status=204)
    return web.Response(status=404)


def _summary(simulator: Controlled) -> dict[str, object]:
    """Counts of what the journal has in memory; but for ``paths``, of executions alone."""
    executions = [entry for entry in simulator.journal.entries if entry.path in EXECUTIONS]
    accepted = simulator.journal.accepted()
    return {
        "calls": len(executions),
        "accepted": len(accepted),
        "accepted_more_than_once": sum(times > 1 for times in accepted.values()),
        "tokens": simulator.tokens.issued,
        "statuses": Counter(str(entry.status) for entry in executions),
        "faults": Counter(entry.fault for entry in executions if entry.fault),
        "paths": Counter(entry.path for entry in simulator.journal.entries),
        "feedback": simulator.feedback.summary(),
    }


async def _feedback(simulator: Controlled, query: Mapping[str, str]) -> web.Response:
    """What was told by now as an export of the dataset, or with ``all=true`` also what will be."""
    wanted, everything = query.get("format", "jsonl"), query.get("all", "false")
    form = next((one for one in FORMS if one == wanted), None)
    if form is None:
        return web.Response(status=400, text=f"format is one of {', '.join(FORMS)}\n")
    if everything not in {"true", "false"}:
        return web.Response(status=400, text="all is true or false\n")
    reports = simulator.feedback.told(None if everything == "true" else time.time())
    try:
        # On a thread of its own: meanwhile calls are answered.
        body = await asyncio.to_thread(encode, reports, form)
    except ModuleNotFoundError:
        return web.Response(status=501, text=NO_PARQUET)
    return web.Response(body=body, content_type=MEDIA_TYPES[form])
