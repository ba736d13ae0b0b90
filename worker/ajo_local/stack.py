"""The whole stack on one machine, wired together as a user would: processes, and settings in their environment."""

import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ajo_local.child import Child, LocalStackError
from ajo_local.home import Home, open_home
from ajo_local.postgres import DURABLE, start_postgres
from ajo_local.processes import Processes, environment
from ajo_local.shipped import shipped
from ajo_local.valkey import start_valkey

PROGRAM = Path(sysconfig.get_path("scripts")) / "ajo-dispatch"
SCENARIO = Path(__file__).with_name("faults.toml")
CAMPAIGN = "order-shipped"
DEFINITION, SAMPLE = f"campaigns/{CAMPAIGN}.toml", f"campaigns/samples/{CAMPAIGN}.curl"
START_SECONDS = 120
STEP_SECONDS = 300
WORKER_GRACE_SECONDS = 10
"""A worker of this stack has no other destination than the simulator: nothing is lost when it is ended early."""


@dataclass(frozen=True)
class Stack:
    """A running stack: PostgreSQL with the schema, Valkey, and a simulator; workers and others are started on it."""

    processes: Processes
    home: Home
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


@dataclass(frozen=True)
class Brought:
    """What people bring of their own.

    ``campaigns`` is a folder of definitions, by default one with the example; ``keep`` the folder where data stay
    between runs, by default none; ``ports`` are by server: postgres, valkey, simulator, flower.
    """

    campaigns: Path | None = None
    scenario: Path = SCENARIO
    keep: Path | None = None
    ports: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def local_stack(brought: Brought = Brought()) -> Iterator[Stack]:
    """Start a stack, with the example campaign imported or with one's own; everything ends with the block.

    PostgreSQL and Valkey sync what they write to disk: what this stack shows of speed is shown honestly.

    Raises:
        LocalStackError: a part of it doesn't start.
    """
    with Processes() as processes, closing(open_home(processes, brought.keep, brought.ports)) as home:
        postgres = start_postgres(
            processes,
            DURABLE,
            keep=home.folder / "postgres" if home.kept else None,
            password=home.state.postgres_password,
            port=home.port("postgres"),
        )
        home.note_port("postgres", postgres.port)
        valkey = start_valkey(
            processes,
            appendfsync="always",
            keep=home.folder / "valkey",
            password=home.state.valkey_password,
            port=home.port("valkey"),
        )
        home.note_port("valkey", valkey.port)
        journal = home.folder / "journal.jsonl"
        url = _start_simulator(processes, home, brought.scenario, journal)
        campaigns = brought.campaigns.resolve() if brought.campaigns else home.folder / "campaigns"
        env = {
            "AJO_BROKER_URL": valkey.url,
            "AJO_DATABASE_URL": postgres.url,
            "AJO_CAMPAIGNS": str(campaigns),
            "AJO_BASE_URL": url,
            "AJO_TOKEN_URL": f"{url}/ims/token/v3",
            "AJO_CLIENT_ID": "local-client",
            "AJO_CLIENT_SECRET": home.state.client_secret,
            "AJO_HASH_KEY": home.state.hash_key,
            "AJO_PAYLOAD_KEYS": home.state.payload_key,
        }
        stack = Stack(processes, home, url, journal, campaigns, env)
        stack.run("db", "upgrade")
        if brought.campaigns is None:
            stack.run("campaigns", "import", shipped(SAMPLE), "--name", CAMPAIGN, "--dir", campaigns)
        yield stack


def _start_simulator(processes: Processes, home: Home, scenario: Path, journal: Path) -> str:
    port = home.port("simulator")
    options: list[str | Path] = ["--port", str(port), "--scenario", scenario.resolve(), "--journal", journal]
    simulator = processes.start("simulator", [PROGRAM, "simulate", *options])
    url = simulator.wait_for_output(r"listening on (https?://\S+)", timeout=START_SECONDS)[1].rstrip("/")
    home.note_port("simulator", int(url.rpartition(":")[2]))
    return url
