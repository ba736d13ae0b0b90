"""One run: a database, queues, a simulator, two workers and a stream of its own; a fault; quiet; the evidence."""

import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ajo_local.postgres import Postgres
from ajo_local.processes import Processes
from ajo_producers import Publisher

from tests.chaos.stack import Broker
from tests.chaos.stream import CAMPAIGNS, Stream, triggers
from tests.chaos.wall_clock import WallClock
from tests.support.conservation import finished, journal, write_definition
from tests.support.database import query
from tests.support.programs import PROGRAM, Simulator, Worker, start_simulator, start_worker
from tests.support.waiting import wait_until

SECRET = "planted-secret-b2f1c0ffee"
BUDGET = 60.0
VISIBILITY_TIMEOUT = 300.0
"""As users get them."""
QUIET_SECONDS = 150.0
WORKERS = 2

CALM = """
[latency]
distribution = "lognormal"
median = 0.05
p99 = 0.4
"""

ROLE = "chaos_dispatch"
ROLE_PASSWORD = "chaos-role"

SENDING = "select request_id, owner from ledger.triggers where state = 'sending'"


@dataclass
class Run:
    """What a fault is done to; its workers lack the rule that ``without`` names, if any."""

    processes: Processes
    folder: Path
    broker: Broker
    postgres: Postgres
    database: str
    seed: int
    count: int
    seconds: float
    settings: Mapping[str, str] = field(default_factory=dict)
    scenario: str = ""
    without: str | None = None
    tls: bool = False
    database_clock: WallClock | None = None
    database_clock_error: int = 0
    database_clock_was_set: bool = False
    workers: list[Worker] = field(default_factory=list)
    dead: list[Worker] = field(default_factory=list)
    suspects: set[str] = field(default_factory=set)
    came_to_rest: bool = False
    queue_prefix: str = field(default_factory=lambda: f"chaos-{secrets.token_hex(5)}")
    simulator: Simulator = field(init=False)
    stream: Stream = field(init=False)
    chance: random.Random = field(init=False)

    @property
    def database_url(self) -> str:
        """The run's own database, with its owner's rights."""
        return self.postgres.url_of(self.database)

    @property
    def worker_database_url(self) -> str:
        """The same with a worker's rights, and no more: a fault can take them away."""
        return f"postgresql://{ROLE}:{ROLE_PASSWORD}@{self.database_url.partition('@')[2]}"

    @property
    def env(self) -> dict[str, str]:
        """What workers and publishers are told: where everything is, and the run's own settings; else defaults hold."""
        return {
            "AJO_BROKER_URL": self.broker.url,
            "AJO_QUEUE_PREFIX": self.queue_prefix,
            "AJO_DATABASE_URL": self.worker_database_url,
            "AJO_BASE_URL": self.simulator.url,
            "AJO_TOKEN_URL": self.simulator.token_url,
            "AJO_CLIENT_ID": "chaos-client",
            "AJO_CLIENT_SECRET": SECRET,
            "AJO_HASH_KEY": "chaos-hash-key",
            "AJO_CAMPAIGNS": str(self.folder / "campaigns"),
            **({"AJO_CA_FILE": str(self.authority)} if self.tls else {}),
            **self.settings,
        }

    @property
    def budget(self) -> float:
        """Seconds of a round."""
        return float(self.settings.get("AJO_BUDGET_SECONDS", BUDGET))

    @property
    def patience(self) -> float:
        """Seconds that an answer gets."""
        return float(self.settings.get("AJO_ATTEMPT_TIMEOUT", self.budget))

    @property
    def redelivery(self) -> float:
        """Seconds until the broker hands a dead worker's messages out again."""
        if self.broker.name == "rabbitmq":
            return 0.0
        return float(self.settings.get("AJO_VISIBILITY_TIMEOUT", VISIBILITY_TIMEOUT))

    def begin(self) -> None:
        """Start the simulator, the workers and the stream."""
        self.chance = random.Random(self.seed)
        for name, lane in zip(CAMPAIGNS, ("standard", "high-throughput"), strict=True):
            write_definition(self.folder / "campaigns", name, lane=lane)
        options = (*self._certificate("valid"), "--ca-out", str(self.authority)) if self.tls else ()
        self.simulator = start_simulator(self.processes, self.folder, self._scenario(self.scenario), *options)
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda _: self.start_worker(), range(WORKERS)))
        self.stream = self.new_stream(self.seed, self.count)
        self.stream.start()

    def new_stream(self, seed: int, count: int) -> Stream:
        """A stream of its own publisher."""
        publisher = Publisher(self.broker.url, queue_prefix=self.queue_prefix, timeout=5, producer="chaos")
        return Stream(publisher, triggers(self.folder / "campaigns", seed, count), self.count / self.seconds)

    def start_worker(self, **settings: str) -> Worker:
        """One more worker."""
        program = [PROGRAM] if self.without is None else [sys.executable, "-m", "tests.chaos.sabotage", self.without]
        worker = start_worker(self.processes, {**self.env, **settings}, program=program)
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: Worker) -> None:
        """SIGKILL; whatever it had in hand becomes suspect."""
        self.workers.remove(worker)
        self.dead.append(worker)
        worker.child.kill()
        self.suspect_in_flight()

    def retire_worker(self, worker: Worker) -> int:
        """SIGTERM, and wait for its end; its exit code."""
        self.workers.remove(worker)
        self.dead.append(worker)
        return worker.child.stop()

    def suspect_in_flight(self) -> None:
        """Whatever is being sent now may be sent twice."""
        self.suspects |= {str(row["request_id"]) for row in self.query(SENDING)}

    def set_database_clock(self, error: int) -> None:
        """Have the clock of the database be ``error`` seconds early from now on."""
        if self.database_clock is None:
            raise TypeError
        self.database_clock.step(error)
        self.database_clock_error, self.database_clock_was_set = error, True

    def rest_and_set_right(self) -> None:
        """Once everything has its state, set the database's clock right for the runs that follow."""
        self.quiet()
        self.set_database_clock(0)

    def query(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows of the ledger."""
        return query(self.database_url, sql, *arguments)

    def done(self) -> int:
        """How many triggers have their state."""
        return finished(self.database_url)

    def when_done(self, share: float) -> None:
        """Wait until a share of the triggers has its state."""
        wait_until(lambda: self.done() >= share * self.count, what=f"{share:.0%} of the triggers done")

    def until_more_than(self, done: int) -> None:
        """Wait until more triggers than these have their states, or the stream has ended."""
        wait_until(lambda: not self.stream.flowing or self.done() > done, what="the workers go on")

    def stop_simulator(self) -> None:
        """The endpoint is gone."""
        self.simulator.child.kill()

    def start_simulator(self, certificate: str = "valid") -> None:
        """The endpoint is back, at the same address and with the same journal."""
        options = ("--port", self.simulator.url.rpartition(":")[2], *self._certificate(certificate))
        self.simulator = start_simulator(self.processes, self.folder, self._scenario(""), *options)

    def freeze_simulator(self, seconds: float) -> None:
        """The endpoint takes connections and answers nothing for a while; then it answers all that it was asked."""
        os.kill(self.simulator.child.pid, signal.SIGSTOP)
        try:
            self.hold(seconds)
        finally:
            os.kill(self.simulator.child.pid, signal.SIGCONT)

    def _certificate(self, kind: str) -> tuple[str, ...]:
        return ("--tls", "--authority", f"{self.authority}.key", "--certificate", kind) if self.tls else ()

    @property
    def authority(self) -> Path:
        """The certificate that workers trust, in a run over TLS."""
        return self.folder / "authority.pem"

    def _scenario(self, scenario: str) -> str:
        """With the run's seed, and the calm latency unless it brings its own."""
        return f"seed = {self.seed}\n{scenario if '[latency]' in scenario else CALM + scenario}"

    def script(self, scenario: str) -> None:
        """Give the simulator another scenario."""
        body = self._scenario(scenario).encode()
        request = Request(f"{self.simulator.url}/_simulator/scenario", body, method="POST")
        with urlopen(request, timeout=10):
            pass

    def hold(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> None:
        """Let a fault last."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until():
            time.sleep(0.05)

    def quiet(self) -> None:
        """Wait until the stream is over and every trigger has its state; in vain, the verdict will tell."""
        self.stream.join()
        deadline = time.monotonic() + QUIET_SECONDS + (self.redelivery if self.dead else 0.0)
        while time.monotonic() < deadline:
            states = {
                str(row["request_id"]): row["state"]
                for row in self.query("select request_id, state from ledger.triggers")
            }
            if self.stream.confirmed <= states.keys() and not {"sending", "parked"} & set(states.values()):
                self.came_to_rest = True
                return
            time.sleep(0.2)

    def finish(self) -> list[str]:
        """Stop the workers; what was wrong with their ends."""
        with ThreadPoolExecutor() as threads:
            codes = list(threads.map(self.retire_worker, self.workers[:]))
        return [f"a worker ended with exit code {code}" for code in codes if code != 0]

    def journal(self) -> list[dict[str, Any]]:
        """The simulator's calls."""
        return journal(self.simulator.journal)
