"""Journey Optimizer's stand-in as a process of a test: for runs through the worker. Needs ``ajo-simulator``."""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
END_SECONDS = 10.0
POLL_SECONDS = 0.05
_PROGRAM = "from ajo_simulator.cli import app; app()"
_LISTENING = re.compile(r"listening on (https?://\S+)")


@dataclass(frozen=True)
class RunningSimulator:
    """A simulator that takes calls; ``url`` is what workers need as ``AJO_BASE_URL``."""

    url: str
    journal: Path

    @property
    def env(self) -> Mapping[str, str]:
        """What workers must be told to call it in Journey Optimizer's place."""
        return {
            "AJO_BASE_URL": self.url,
            "AJO_TOKEN_URL": f"{self.url}/ims/token/v3",
            "AJO_CLIENT_ID": "test-client",
            "AJO_CLIENT_SECRET": "test-secret",
        }

    def play(self, scenario: str) -> None:
        """Change how it answers, by the TOML of a scenario (docs/simulator.md)."""
        request = urllib.request.Request(f"{self.url}/_simulator/scenario", scenario.encode(), method="POST")  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=START_SECONDS):  # noqa: S310 - as above
            pass

    def calls(self) -> list[dict[str, Any]]:
        """Every execution that it was asked for, as its journal has them."""
        lines = self.journal.read_text(encoding="utf-8").splitlines() if self.journal.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith("}")]
        return [entry for entry in entries if entry.get("request_id")]

    def accepted(self) -> list[str]:
        """The request ids that it has accepted, each as often as it has."""
        return [call["request_id"] for call in self.calls() if call["accepted"]]

    def wait_for(self, *request_ids: object, seconds: float = START_SECONDS) -> None:
        """Return once these have been accepted; fails the test if they aren't in time."""
        __tracebackhide__ = True
        wanted, end = set(map(str, request_ids)), time.monotonic() + seconds
        while left := wanted - set(self.accepted()):
            if time.monotonic() > end:
                calls = [call for call in self.calls() if call["request_id"] in left]
                told = "; ".join(f"{call['request_id']}: {call['status']} {call['error'] or ''}" for call in calls)
                raise AssertionError(f"not accepted within {seconds:g} s: {', '.join(left)} ({told or 'never called'})")
            time.sleep(POLL_SECONDS)


@contextmanager
def running_simulator(scenario: str | None = None) -> Iterator[RunningSimulator]:
    """A simulator on a free port, for as long as this lasts.

    Raises:
        RuntimeError: it doesn't start; with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="ajo-simulator-") as place:
        folder = Path(place)
        journal, output = folder / "journal.jsonl", folder / "output"
        command = [sys.executable, "-c", _PROGRAM, "--port", "0", "--journal", str(journal)]
        if scenario is not None:
            (folder / "scenario.toml").write_text(scenario, encoding="utf-8")
            command += ["--scenario", str(folder / "scenario.toml")]
        with output.open("wb") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)  # noqa: S603 - our own program
        try:
            yield RunningSimulator(_url(process, output), journal)
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _url(process: "subprocess.Popen[bytes]", output: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while (found := _LISTENING.search(output.read_text(encoding="utf-8", errors="replace"))) is None:
        if process.poll() is not None or time.monotonic() > end:
            said = output.read_text(encoding="utf-8", errors="replace")
            hint = "; install ajo-simulator" if "ModuleNotFoundError" in said else ""
            raise RuntimeError(f"the simulator doesn't start{hint}:\n{said}")
        time.sleep(POLL_SECONDS)
    return found[1].rstrip("/")
