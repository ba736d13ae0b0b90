"""One scenario on real parts: a broker, PostgreSQL, a worker, the simulator over HTTP, feedback from a file."""

import json
import os
import random
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Timer

import httpx2
from ajo_local.processes import environment
from ajo_producers import Campaigns, CheckedTrigger, Publisher

from tests.chaos.servers import Servers
from tests.chaos.stack import ValkeyBroker, start_valkey_broker
from tests.chaos.wall_clock import WallClock
from tests.support.conservation import write_definition
from tests.support.delivery import worker_environment
from tests.support.programs import PROGRAM, Simulator, WarmProcesses, Worker, run, start_simulator, start_worker
from tests.trial.scenarios import Scenario
from tests.trial.scripts import script

CAMPAIGN, SLOW_CAMPAIGN = "order-shipped", "flash-sale"
SLOTS = 8


@dataclass
class Stage:
    """The parts of one scenario, running; ``published`` is when each trigger was."""

    scenario: Scenario
    folder: Path
    broker: ValkeyBroker
    database_url: str
    simulator: Simulator
    publisher: Publisher
    env: dict[str, str]
    worker: Worker
    start_worker: Callable[[], Worker]
    chance: random.Random
    until_the_end: ExitStack
    published: dict[str, datetime] = field(default_factory=dict)

    def begin(self) -> None:
        """Have the simulator play what begins with the events."""
        self.simulator.play(script(self.scenario, self.slow_campaign_id, begun=True))

    @property
    def slow_campaign_id(self) -> str:
        """What Adobe calls the campaign whose calls are slow."""
        return Campaigns.load(self.folder / "campaigns")[SLOW_CAMPAIGN].definition.campaign_id

    def triggers(self, count: int, campaign: str = CAMPAIGN) -> Iterator[CheckedTrigger]:
        """Triggers, each made a little after its event."""
        made = Campaigns.load(self.folder / "campaigns")[campaign]
        late = self.scenario.amounts.get("producer-late", 0)
        for _ in range(count):
            occurred = datetime.now(UTC) - timedelta(seconds=late + self.chance.uniform(0.01, 0.3))
            yield made.trigger(
                to=f"{secrets.token_hex(4)}@example.com", occurred_at=occurred, context={"orderId": "A-1"}
            )

    def publish(self, count: int, campaign: str = CAMPAIGN, *, within: float = 0.0) -> list[datetime]:
        """Publish triggers one by one, evenly ``within`` so many seconds; when."""
        times = []
        began = time.monotonic()
        for number, trigger in enumerate(self.triggers(count, campaign)):
            time.sleep(max(began + number * within / count - time.monotonic(), 0))
            times.append(datetime.now(UTC))
            self.published[str(self.publisher.publish(trigger).request_id)] = times[-1]
        return times

    def publish_by_clock(self, count: int, offset: float) -> None:
        """Publish as another producer, whose clock shows ``offset`` seconds too much."""
        lines = ({"to": f"{secrets.token_hex(4)}@example.com", "context": {"orderId": "B-1"}} for _ in range(count))
        file = self.folder / f"lines-{secrets.token_hex(4)}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        clock = WallClock(self.folder, round(offset))
        subprocess.run(
            [str(PROGRAM), "trigger", CAMPAIGN, "--from", str(file), "--batch-size", "1"],
            env={**environment(), **self.env, "AJO_PRODUCER": "accounts", **clock.env},
            stdout=subprocess.DEVNULL, check=True, timeout=60,
        )  # fmt: skip

    @contextmanager
    def broker_stopped(self) -> Iterator[list[float]]:
        """Freeze the broker for as long as the scenario wants, from now on; how many seconds it really stood still."""
        child = self.broker.valkey.child
        assert child is not None
        stood = list[float]()

        def go() -> None:
            os.kill(child.pid, signal.SIGCONT)
            stood.append(time.monotonic() - began)

        began = time.monotonic()
        os.kill(child.pid, signal.SIGSTOP)
        timer = Timer(self.scenario.amounts["broker-stopped"], go)
        timer.start()
        yield stood
        timer.join()

    @contextmanager
    def starved(self) -> Iterator[None]:
        """Freeze the worker for a part of every two seconds, again and again."""
        frozen = self.scenario.amounts["starved"]
        stop, go = f"kill -STOP {self.worker.child.pid}", f"kill -CONT {self.worker.child.pid}"
        loop = subprocess.Popen(
            ["sh", "-c", f"trap '{go}; exit' TERM; while {stop}; do sleep {frozen}; {go}; sleep {2 - frozen}; done"]
        )
        try:
            yield
        finally:
            loop.terminate()
            loop.wait()


@contextmanager
def on_stage(servers: Servers, folder: Path, scenario: Scenario) -> Iterator[Stage]:
    """All parts of a scenario, running."""
    with WarmProcesses() as processes, servers.database() as name, ExitStack() as until_the_end:
        broker = start_valkey_broker(processes)
        one_by_one = "concurrency = 1" if "concurrency" in scenario.amounts else ""
        write_definition(folder / "campaigns", CAMPAIGN, facts=one_by_one)
        slow_campaign_id = secrets.token_hex(8)
        write_definition(folder / "campaigns", SLOW_CAMPAIGN, campaign_id=slow_campaign_id)
        with on_processor(1 if scenario.alone else None):
            simulator = start_simulator(processes, folder, script(scenario, slow_campaign_id))
        url = servers.postgres.url_of(name)
        env = {
            **worker_environment(broker.url, f"trial-{secrets.token_hex(5)}", simulator, folder / "campaigns"),
            "AJO_DATABASE_URL": url,
            "AJO_MAX_IN_FLIGHT": str(SLOTS) if "slots-taken" in scenario.amounts else "200",
            "AJO_PREFETCH": str(SLOTS) if "prefetch-taken" in scenario.amounts else "1000",
            "AJO_RATE_LIMIT_STANDARD": str(scenario.amounts.get("rate-limited", 5000)),
        }  # fmt: skip
        start = partial(start_worker, processes, env)
        with on_processor(0 if scenario.alone else None):
            worker = start()
        with Publisher(broker.url, queue_prefix=env["AJO_QUEUE_PREFIX"], timeout=60, producer="shop") as publisher:
            yield Stage(
                scenario, folder, broker, url, simulator, publisher, env, worker, start, random.Random(scenario.seed),
                until_the_end,
            )  # fmt: skip


@contextmanager
def on_processor(number: int | None) -> Iterator[None]:
    """What is started here has this processor to itself, and none of the others; where the system lets us."""
    if number is None or not hasattr(os, "sched_setaffinity") or number not in os.sched_getaffinity(0):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})  # of this thread; a child begins with that of the thread that starts it
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def report_back(stage: Stage) -> None:
    """What Journey Optimizer and the providers will have reported, as an export of the dataset."""
    file = stage.folder / "feedback.jsonl"
    answer = httpx2.get(f"{stage.simulator.url}/_simulator/feedback?format=jsonl&all=true")
    answer.raise_for_status()
    file.write_bytes(answer.content)
    done = run("feedback", "import", file, env=stage.env)
    if done.code != 0:
        raise AssertionError(f"feedback import: {done.err or done.out}")
