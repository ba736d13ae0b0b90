"""The simulator's own endpoints, under ``/_simulator/``: the journal, a summary, and another scenario."""

from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from ajo_simulator.executions import EXECUTIONS
from ajo_simulator.scenario import BadScenario, decode_scenario

if TYPE_CHECKING:
    from ajo_simulator.server import Simulator

CONTROL = "/_simulator/"


async def control(simulator: "Simulator", request: web.BaseRequest) -> web.Response:
    """Answer a call to the simulator itself; these are not in the journal."""
    match request.method, request.path.removeprefix(CONTROL):
        case "GET", "summary":
            return web.json_response(_summary(simulator))
        case "GET", "journal":
            return web.Response(body=simulator.journal.lines(), content_type="application/jsonl")
        case "POST", "scenario":
            try:
                simulator.play(decode_scenario(await request.read()))
            except BadScenario as bad:
                return web.Response(status=400, text=f"{bad}\n")
            return web.Response(status=204)
        case "POST", "reset":
            simulator.journal.clear()
            return web.Response(status=204)
    return web.Response(status=404)


def _summary(simulator: "Simulator") -> dict[str, object]:
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
    }
