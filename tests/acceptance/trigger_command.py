"""Running ``ajo-dispatch trigger`` in a folder with two campaigns, and looking at what it published."""

import json
import subprocess
from pathlib import Path
from typing import Any

from ajo_local.ports import free_port
from ajo_local.processes import environment
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.contract.trigger import Trigger

from tests.integration.producers.publishing.queues import as_bytes, take
from tests.support.definitions import write_definitions
from tests.support.programs import PLAIN, PROGRAM, Finished, run

GOOD = ("--to", "ada@example.com", "--context", "orderId=A-1")
PASSWORD = "hunter2"


class TriggerCommand:
    """The command in ``folder``; there is no broker, unless ``env`` says otherwise."""

    def __init__(self, folder: Path) -> None:
        write_definitions(folder / "campaigns")
        self._folder = folder

    def __call__(self, *arguments: str | Path, env: dict[str, str] | None = None, **more: Any) -> Finished:
        """Run it to its end; whatever it does, it prints no address, no password and no traceback."""
        down = {"AJO_BROKER_URL": f"amqp://ada:{PASSWORD}@127.0.0.1:{free_port()}/"}
        done = run("trigger", *arguments, env={**down, **(env or {})}, cwd=self._folder, **more)
        for text in (done.out, done.err):
            assert "example.com" not in text, "an address was printed"
            assert PASSWORD not in text
            assert "Traceback" not in text
        return done

    def start(self, env: dict[str, str]) -> subprocess.Popen[str]:
        """Start it on lines from standard input, a message for each, with receipts in ``r``."""
        arguments = ("trigger", "order-shipped", "--from", "-", "--format", "jsonl", "--batch-size", "1")
        return subprocess.Popen(
            [PROGRAM, *arguments, "--receipts", "r"],
            env={**environment(), **PLAIN, **env},
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def broker_environment(url: str, prefix: str) -> dict[str, str]:
    """The environment for a broker that is there."""
    return {"AJO_BROKER_URL": url, "AJO_QUEUE_PREFIX": prefix, "AJO_PRODUCER": "shop"}


def queued(env: dict[str, str], lane: str = "standard") -> list[Trigger]:
    """The triggers of a lane's queue, taken out."""
    messages = take(env["AJO_BROKER_URL"], f"{env['AJO_QUEUE_PREFIX']}.{lane}")
    return [decode_trigger(raw) for message in messages for raw in decode_body(as_bytes(message.body)).triggers]


def receipts(path: Path) -> list[dict[str, Any]]:
    """The complete lines of a file of receipts, without the first, which names its run."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines[1:] if line.endswith("\n")]
