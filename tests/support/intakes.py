"""A running ``ajo-dispatch events serve``, its mapping file and campaigns, and what is posted to it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from ajo_local.child import Child
from ajo_local.processes import Processes

from tests.support.conservation import write_definition
from tests.support.programs import PLAIN, PROGRAM
from tests.support.waiting import DEADLINE_SECONDS

TOKEN = secrets.token_hex(16)
MAPPINGS = """
[order-shipped]
type = "com.example.order.shipped"
to = "data.email"
[order-shipped.context]
orderId = "data.orderId"
"""


@dataclass
class RunningIntake:
    """An intake that has said where it listens."""

    child: Child
    url: str

    def post(self, content: Any, **headers: str) -> httpx2.Response:
        """Post JSON as one event, or a list as a batch, with the token."""
        kind = "cloudevents-batch" if isinstance(content, list) else "cloudevents"
        own = {"content-type": f"application/{kind}+json", "authorization": f"Bearer {TOKEN}", **headers}
        return httpx2.post(self.url, json=content, headers=own, timeout=DEADLINE_SECONDS)


def order_event(number: int, **more: Any) -> dict[str, Any]:
    """An order of an invented person that was shipped."""
    return {
        "specversion": "1.0",
        "id": f"A-{number}",
        "source": "/shop",
        "type": "com.example.order.shipped",
        "time": "2026-11-29T08:00:00Z",
        "data": {"orderId": f"A-{number}", "email": f"person{number}@example.com"},
        **more,
    }


def write_mappings(folder: Path) -> dict[str, str]:
    """Campaigns and a mapping file in a folder; the variables that name them."""
    write_definition(folder / "campaigns")
    (folder / "events.toml").write_text(MAPPINGS, encoding="utf-8")
    return {"AJO_CAMPAIGNS": str(folder / "campaigns"), "AJO_EVENTS": str(folder / "events.toml")}


def start_intake(processes: Processes, env: Mapping[str, str], *arguments: str) -> RunningIntake:
    """Start one on a free port."""
    command = [PROGRAM, "events", "serve", "--port", "0", *arguments]
    child = processes.start("intake", command, env={**PLAIN, "AJO_EVENTS_TOKENS": TOKEN, **env})
    return RunningIntake(child, child.wait_for_output(r"listening on (https?://\S+)", timeout=DEADLINE_SECONDS)[1])
