"""The whole stack on one machine, wired together as a user would: processes, and settings in their environment."""

import secrets
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ajo_producers.contract.sealing import new_key

from ajo_worker.local.postgres import DURABLE, start_postgres
from ajo_worker.local.processes import Child, LocalStackError, Processes, environment
from ajo_worker.local.valkey import start_valkey

PROGRAM = Path(sysconfig.get_path("scripts")) / "ajo-dispatch"
HERE = Path(__file__).parent
SCENARIO = HERE / "faults.toml"
CAMPAIGN = "order-shipped"
START_SECONDS = 120
STEP_SECONDS = 300
WORKER_GRACE_SECONDS = 10
"""A worker of this stack has no other destination than the simulator: nothing is lost when it is ended early."""


@dataclass(frozen=True)
class Stack:
    """A running stack: PostgreSQL with the schema, Valkey, and a simulator; workers and others are started on it."""

    processes: Processes
    simulator_url: str
    journal: Path
    campaigns: Path
    env: dict[str, str] = field(repr=False)

    def run(self, *arguments: str | Path) -> str:
        """Run ``ajo-dispatch`` to its end on this stack; returns what it printed.

        Raises:
            LocalStackError: it failed; the text has what it printed.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [PROGRAM, *arguments],
            env={**environment(), **self.env},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            words = " ".join(map(str, arguments))
            raise LocalStackError(f"`ajo-dispatch {words}` ended with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def start(self, name: str, *arguments: str | Path, grace: float = 10) -> Child:
        """Start ``ajo-dispatch`` with these arguments, and leave it running on this stack."""
        return self.processes.start(name, [PROGRAM, *arguments], env=self.env, grace=grace)

    def start_worker(self) -> Child:
        """Start a worker and wait until it takes messages.

        Raises:
            LocalStackError: it doesn't come up.
        """
        worker = self.start("worker", "worker", grace=WORKER_GRACE_SECONDS)
        worker.wait_for_output(r"\bready\b", timeout=START_SECONDS)
        return worker


@contextmanager
def local_stack(scenario: Path = SCENARIO) -> Iterator[Stack]:
    """Start a stack with the example campaign imported; everything ends, and nothing is left, with the block.

    PostgreSQL and Valkey sync what they write to disk: what this stack shows of speed is shown honestly.

    Raises:
        LocalStackError: a part of it doesn't start.
    """
    with Processes() as processes:
        postgres = start_postgres(processes, DURABLE)
        valkey = start_valkey(processes, append_only=True)
        folder = processes.folder()
        journal = folder / "journal.jsonl"
        simulator = processes.start(
            "simulator", [PROGRAM, "simulate", "--port", "0", "--scenario", scenario, "--journal", journal]
        )
        url = simulator.wait_for_output(r"listening on (https?://\S+)", timeout=START_SECONDS)[1].rstrip("/")
        env = {
            "AJO_BROKER_URL": valkey.url,
            "AJO_DATABASE_URL": postgres.url,
            "AJO_CAMPAIGNS": str(folder / "campaigns"),
            "AJO_BASE_URL": url,
            "AJO_TOKEN_URL": f"{url}/ims/token/v3",
            "AJO_CLIENT_ID": "local-client",
            "AJO_CLIENT_SECRET": secrets.token_urlsafe(24),
            "AJO_HASH_KEY": secrets.token_urlsafe(24),
            "AJO_PAYLOAD_KEYS": new_key(),
        }
        stack = Stack(processes, url, journal, folder / "campaigns", env)
        stack.run("db", "upgrade")
        stack.run("campaigns", "import", example_sample(), "--name", CAMPAIGN, "--dir", stack.campaigns)
        yield stack


def example_sample() -> Path:
    """The cURL sample of the example campaign: in the repository, or packed into the wheel.

    Raises:
        LocalStackError: it is in neither place.
    """
    name = f"{CAMPAIGN}.curl"
    for sample in (HERE.parents[2] / "campaigns" / "samples" / name, HERE / name):
        if sample.exists():
            return sample
    raise LocalStackError(f"the installation is incomplete: {name} is missing")
