"""What has to be built before anything can be measured: the endpoint, and the peers in their pinned versions."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILT = ROOT / "build/bench"
PEERS = HERE.parent / "peers"


class NotBuilt(Exception):  # noqa: N818 - says what it is
    """Something can't be built here; the text says what and why."""


@dataclass(frozen=True)
class Built:
    """What there is; a missing half of the peers is None."""

    endpoint: Path
    python: Path | None
    node: Path | None


def build(*, peers: bool) -> Built:
    """Build what is not yet built, or is older than what it is made of.

    Raises:
        NotBuilt: there can be no endpoint.
    """
    BUILT.mkdir(parents=True, exist_ok=True)
    endpoint = _endpoint()
    return Built(endpoint, _left_out(_python) if peers else None, _left_out(_node) if peers else None)


def _left_out(make: Callable[[], Path]) -> Path | None:
    try:
        return make()
    except NotBuilt as why:
        print(f"left out: {why}", file=sys.stderr)
        return None


def _endpoint() -> Path:
    source, program = HERE / "endpoint.c", BUILT / "endpoint"
    if _newer(program, source):
        return program
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NotBuilt("the endpoint is a program in C: install a compiler and OpenSSL's headers (gcc, libssl-dev)")
    _run([compiler, "-O2", "-Wall", "-o", program, source, "-lssl", "-lcrypto"], "the endpoint")
    return program


def _python() -> Path:
    pinned, place = PEERS / "python/requirements.txt", BUILT / "python"
    if not _newer(place / "ready", pinned):
        shutil.rmtree(place, ignore_errors=True)
        _run([sys.executable, "-m", "venv", place], "an environment for the peers in Python")
        python, what = place / "bin/python", "the peers in Python"
        words: list[str | Path] = ["install", "--quiet", "--requirement", pinned]
        try:
            _run([sys.executable, "-m", "uv", "pip", *words, "--no-config", "--python", python], what)
        except NotBuilt:
            _run([python, "-m", "pip", *words], what)
        (place / "ready").touch()
    return place / "bin"


def _node() -> Path:
    node, npm, pinned, place = shutil.which("node"), shutil.which("npm"), PEERS / "node", BUILT / "node"
    if node is None or npm is None:
        raise NotBuilt("the peers in Node.js (BullMQ, graphile-worker, pg-boss): node or npm is not installed")
    if not _newer(place / "ready", pinned / "package-lock.json"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(pinned / name, place)
        _run([npm, "ci", "--silent", "--no-audit", "--no-fund"], "the peers in Node.js", cwd=place)
        (place / "ready").touch()
    for script in pinned.glob("*.js"):  # they find their packages beside them
        shutil.copy(script, place)
    return place


def _newer(made: Path, source: Path) -> bool:
    return made.exists() and made.stat().st_mtime > source.stat().st_mtime


def _run(command: Sequence[str | Path], what: str, cwd: Path | None = None, **env: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotBuilt(f"{what}: {(done.stderr or done.stdout).strip()[-600:]}")
