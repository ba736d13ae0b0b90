"""The project's programs as a user starts them: the command line, the simulator, workers."""

import atexit
import os
import secrets
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, BinaryIO

import httpx2
from ajo_local.child import Child
from ajo_local.processes import Processes, environment

from tests.support.database import query
from tests.support.waiting import DEADLINE_SECONDS, wait_until
from tests.support.warm.client import STARTER

PROGRAM = Path(sysconfig.get_path("scripts")) / "ajo-dispatch"
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
    command, full = [str(PROGRAM), *map(str, arguments)], {**environment(), **PLAIN, **env}
    if not STARTER.serves(full):
        done = subprocess.run(
            command,
            env=full,
            input=input,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)
    with TemporaryFile() as out, TemporaryFile() as err, _said(input) as stdin:
        fork = STARTER.start(command, env=full, cwd=cwd, streams=(stdin, out.fileno(), err.fileno()))
        try:
            code = fork.wait(DEADLINE_SECONDS)
        finally:
            fork.kill()
        return Finished(code, *(_text(file) for file in (out, err)))


@contextmanager
def _said(text: str | None) -> Iterator[int]:
    """A standard input on which a text comes, or nothing."""
    reading, writing = os.pipe()

    def say() -> None:
        with suppress(BrokenPipeError), open(writing, "w", encoding="utf-8") as pipe:  # noqa: PTH123 - a descriptor
            pipe.write(text or "")

    speaker = Thread(target=say)
    speaker.start()
    try:
        yield reading
    finally:
        os.close(reading)
        speaker.join()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class WarmProcesses(Processes):
    """Processes of a test: what they start of ``ajo-dispatch`` has its imports behind it, and all have one keeper."""

    _shared: "subprocess.Popen[str] | None" = None

    def _start_keeper(self) -> "subprocess.Popen[str]":
        if WarmProcesses._shared is None:
            WarmProcesses._shared = super()._start_keeper()
            atexit.register(super()._end_keeper)
        return WarmProcesses._shared

    def _end_keeper(self) -> None:
        """It goes on: this test's processes have ended, and it knows."""

    def _open(
        self, command: list[str], env: dict[str, str], cwd: Path | None, output: BinaryIO, account: str | None
    ) -> "subprocess.Popen[bytes]":
        if command[0] != str(PROGRAM) or account is not None or not STARTER.serves(env):
            return super()._open(command, env, cwd, output, account)
        with Path(os.devnull).open("rb") as nothing:
            streams = (nothing.fileno(), output.fileno(), output.fileno())
            return STARTER.start(command, env=env, cwd=cwd, streams=streams)  # type: ignore[return-value] # used as one


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
    found = child.wait_for_output(r"listening on (https?://\S+)", timeout=DEADLINE_SECONDS)
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

    def alive() -> bool:
        child.check()
        return bool(query(database_url, ALIVE, child.pid, asked_at))

    wait_until(alive, what="the worker's row in ledger.workers")
    return Worker(child, dict(env))
