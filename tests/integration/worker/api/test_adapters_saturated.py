"""A saturated worker and an endpoint of known latency agree on how long each call took, by the endpoint's journal."""

import asyncio
import json
import statistics
import sys
import time
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from ajo_local.processes import Processes
from ajo_worker.api.answer import Answer, Call, HttpAdapter

from tests.integration.simulator.calls import PATIENCE, UNITARY, Api, payload
from tests.support.calls import only
from tests.support.programs import start_simulator

AT_ONCE, CALLS, LATENCY = 60, 600, 0.05
WORK = 0.005
"""Seconds for which our loop is busy with each answer."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux remembers when data came")
async def test_what_is_booked_is_what_the_endpoint_took(make: Any, session_processes: Processes) -> None:
    adapter = make()
    if "Pyreqwest" in type(adapter).__name__:
        return  # it needs the interpreter lock to tell: docs/network.md has its figures
    simulator = start_simulator(session_processes, session_processes.folder(), f"[latency]\nseconds = {LATENCY}\n")
    with httpx2.Client(timeout=PATIENCE) as client:
        api = Api.at(simulator.url, simulator.journal, client)
    answers, tasks = await sent(adapter, api)
    took = {
        entry["request_id"]: entry["waited"] + entry["answered_after"]
        for entry in map(json.loads, simulator.journal.open())
    }
    errors = sorted(answer.to_body - took[request_id] for request_id, answer in answers.items())
    lags = sorted(seconds - took[request_id] for request_id, seconds in tasks.items())
    assert statistics.median(lags) > 2 * LATENCY, "the loop was to be far behind"
    assert statistics.median(errors) < statistics.median(lags) / 3
    nearly_all = int(CALLS * 0.9)  # the machine may stand still for a moment
    assert errors[nearly_all] < lags[nearly_all] / 3


async def sent(adapter: HttpAdapter, api: Api) -> tuple[dict[str, Answer], dict[str, float]]:
    """The answers to many calls at once, by request id, and the seconds after which each one's task had it."""
    answers: dict[str, Answer] = {}
    tasks: dict[str, float] = {}
    headers = {**api.headers, "content-type": "application/json"}

    async def caller() -> None:
        while len(tasks) < CALLS:
            request_id = str(uuid4())
            began = time.monotonic()
            call = Call(f"{api.url}{UNITARY}", headers, json.dumps(payload(request_id)).encode())
            answers[request_id] = only(Answer, await adapter.post(call, timeout=PATIENCE))
            tasks[request_id] = time.monotonic() - began
            busy_until = time.monotonic() + WORK
            while time.monotonic() < busy_until:
                pass

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return answers, tasks
