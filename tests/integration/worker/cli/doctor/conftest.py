"""Surroundings in which all is well, and the command in them."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from ajo_producers.cli.main import main

from tests.support.doctor import Cli, Diagnose, read, surroundings
from tests.support.ledger_rows import put_worker
from tests.support.programs import Finished, Simulator


@pytest.fixture
def env(
    valkey_url: str, database_url: str, queue_prefix: str, simulator: Callable[..., Simulator], tmp_path: Path
) -> dict[str, str]:
    """All is well, with Valkey and a simulator over HTTP."""
    put_worker(database_url)
    return surroundings(valkey_url, database_url, queue_prefix, simulator(), tmp_path)


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Runs the command line in this process: ``doctor("--json", env={…})``; its import takes longer than its work."""

    def run(*arguments: str, env: Mapping[str, str]) -> Finished:
        for name in [name for name in os.environ if name.startswith("AJO_")]:
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        return Finished(main(["doctor", *arguments]), *capfd.readouterr())

    return run


@pytest.fixture
def diagnose(doctor: Cli) -> Diagnose:
    """The exit code, and each check by its name."""
    return lambda env, *arguments: read(doctor("--json", *arguments, env=env))


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port that refuses connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
    return port
