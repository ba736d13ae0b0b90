"""The project's programs as a user starts them: the command line, the simulator, workers."""

import secrets
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from ajo_worker.local.processes import Child, Processes, environment

from tests.support.database import query

PROGRAM = Path(sysconfig.get_path("scripts")) / "ajo-dispatch"
READY_SECONDS = 120
COMMAND_SECONDS = 60
PLAIN = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
"""Wide lines without colours, so that tests find whole sentences."""

ALIVE = "select 1 from ledger.workers where pid = $1 and started_at >= to_timestamp($2) and stopped_at is null"


@dataclass
class Finished:
    """What a command did."""

    code: int
    out: str
    err: str


def run(*arguments: str | Path, env: Mapping[str, str], input: str | None = None, cwd: Path | None = None) -> Finished:  # noqa: A002 - the name that subprocess has for it
    """Run ``ajo-dispatch`` to its end; ``env`` is added to this process's own, less its AJO_ variables."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        env={**environment(), **PLAIN, **env},
        input=input,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@dataclass
class Simulator:
    """A running simulator."""

    child: Child
    url: str
    journal: Path

    @property
    def token_url(self) -> str:
        """The address of its token endpoint."""
        return f"{self.url}/ims/token/v3"

    def play(self, scenario: str) -> None:
        """Change its scenario."""
        httpx2.post(f"{self.url}/_simulator/scenario", content=scenario).raise_for_status()


def start_simulator(processes: Processes, folder: Path, scenario: str | Path | None, *arguments: str) -> Simulator:
    """Start a simulator on a free port, its journal in ``folder``; ``scenario`` is TOML text or a file of it."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / "journal.jsonl"
    command: list[str | Path] = [PROGRAM, "simulate", "--port", "0", "--journal", journal]
    if isinstance(scenario, str):
        file = folder / "scenario.toml"
        file.write_text(scenario, encoding="utf-8")
        scenario = file
    if scenario is not None:
        command += ["--scenario", scenario]
    child = processes.start("simulator", [*command, *arguments])
    found = child.wait_for_output(r"listening on (https?://\S+)", timeout=READY_SECONDS)
    return Simulator(child, found[1].rstrip("/"), journal)


@dataclass
class Worker:
    """A running worker."""

    child: Child
    env: dict[str, str] = field(repr=False)


def start_worker(
    processes: Processes, env: Mapping[str, str], *arguments: str, program: Sequence[str | Path] = (PROGRAM,)
) -> Worker:
    """Start a worker and wait until the ledger knows that it lives; ``env`` has AJO_DATABASE_URL and the others."""
    database_url = env["AJO_DATABASE_URL"]
    name = f"worker-{secrets.token_hex(4)}@%h"  # Celery knows its workers by their names
    asked_at = query(database_url, "select extract(epoch from clock_timestamp())::float8 as now")[0]["now"]
    child = processes.start("worker", [*program, "worker", "--name", name, *arguments], env=env, grace=70)
    child.wait_for(
        lambda: query(database_url, ALIVE, child.pid, asked_at) or None,
        what="its row in ledger.workers",
        timeout=READY_SECONDS,
    )
    return Worker(child, dict(env))
