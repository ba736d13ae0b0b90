"""One scenario on real parts: a broker, PostgreSQL, a worker, the simulator over HTTP, feedback from a file."""

import json
import os
import random
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import httpx2
from ajo_producers import Campaigns, CheckedTrigger, Publisher
from ajo_worker.local.processes import Processes, environment

from tests.chaos.faults.clocks import WallClock
from tests.chaos.servers import Servers
from tests.chaos.stack import ValkeyBroker, start_valkey_broker
from tests.support.conservation import finished, journal, write_definition
from tests.support.database import query
from tests.support.delivery import worker_environment
from tests.support.programs import PROGRAM, Simulator, Worker, run, start_simulator, start_worker
from tests.support.waiting import wait_until
from tests.trial.judgement import Judgement, judge
from tests.trial.scenarios import SYSTEMS, Scenario

CAMPAIGN, SLOW_CAMPAIGN = "order-shipped", "flash-sale"
TRIGGERS, SLOTS = 24, 8
PATIENCE = 90.0


@dataclass
class Stage:
    """The parts of one scenario, running."""

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

    def publish(self, count: int, campaign: str = CAMPAIGN) -> list[datetime]:
        """Publish triggers one by one, each a little after its event; when."""
        made = Campaigns.load(self.folder / "campaigns")[campaign]
        late = self.scenario.amounts.get("producer-late", 0)
        times = []
        for _ in range(count):
            times.append(datetime.now(UTC))
            occurred = times[-1] - timedelta(seconds=late + self.chance.uniform(0.01, 0.3))
            trigger: CheckedTrigger = made.trigger(to=f"{secrets.token_hex(4)}@example.com", occurred_at=occurred,
                                                   context={"orderId": "A-1"})  # fmt: skip
            self.publisher.publish(trigger)
        return times

    def publish_by_clock(self, count: int, offset: float) -> None:
        """Publish as another producer, whose clock shows ``offset`` seconds too much."""
        lines = ({"to": f"{secrets.token_hex(4)}@example.com", "context": {"orderId": "B-1"}} for _ in range(count))
        file = self.folder / f"lines-{secrets.token_hex(4)}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        clock = WallClock(self.folder, secrets.token_hex(4), round(offset))
        subprocess.run(
            [str(PROGRAM), "trigger", CAMPAIGN, "--from", str(file), "--batch-size", "1"],
            env={**environment(), **self.env, "AJO_PRODUCER": "accounts", **clock.env},
            stdout=subprocess.DEVNULL, check=True, timeout=60,
        )  # fmt: skip

    @contextmanager
    def broker_stopped(self) -> Iterator[None]:
        """Freeze the broker for as long as the scenario wants, beginning now."""
        child = self.broker.valkey.child
        assert child is not None
        os.kill(child.pid, signal.SIGSTOP)
        timer = subprocess.Popen(
            ["sh", "-c", f"sleep {self.scenario.amounts['broker-stopped']}; kill -CONT {child.pid}"]
        )
        yield
        timer.wait()


def play(servers: Servers, folder: Path, scenario: Scenario) -> tuple[Judgement, dict[str, float]]:
    """Play a scenario; who is named, and what each system really made late, in seconds."""
    with Processes() as processes, servers.database() as name:
        broker = start_valkey_broker(processes)
        write_definition(folder / "campaigns", CAMPAIGN)
        write_definition(folder / "campaigns", SLOW_CAMPAIGN, campaign_id=secrets.token_hex(8))
        campaigns = Campaigns.load(folder / "campaigns")
        simulator = start_simulator(processes, folder, scenario.toml(campaigns[SLOW_CAMPAIGN].definition.campaign_id))
        url = servers.postgres.url_of(name)
        env = {
            **worker_environment(broker.url, f"trial-{secrets.token_hex(5)}", simulator, folder / "campaigns"),
            "AJO_DATABASE_URL": url,
            "AJO_MAX_IN_FLIGHT": str(SLOTS) if "slots-taken" in scenario.amounts else "200",
            "AJO_PREFETCH": str(SLOTS) if "prefetch-taken" in scenario.amounts else "1000",
            "AJO_RATE_LIMIT_STANDARD": str(scenario.amounts.get("rate-limited", 5000)),
        }  # fmt: skip
        with Publisher(broker.url, queue_prefix=env["AJO_QUEUE_PREFIX"], timeout=60, producer="shop") as publisher:
            start = partial(start_worker, processes, env)
            stage = Stage(
                scenario, folder, broker, url, simulator, publisher, env, start(), start, random.Random(scenario.seed)
            )
            published, truth = _events(stage)
        wait_until(lambda: finished(url) >= published, what="everything has its state", timeout=PATIENCE)
        _report_back(stage)
        for row in query(url, "select * from ledger.due_minutes(100) as minute"):
            query(url, "select ledger.roll_up($1)", row["minute"])
        return judge(url, CAMPAIGN), truth


def _events(stage: Stage) -> tuple[int, dict[str, float]]:
    """Publish, and do what the scenario says; how many were published, and the truth."""
    amounts = stage.scenario.amounts
    truth = {SYSTEMS[kind]: amount for kind, amount in amounts.items()}
    if "broker-stopped" in amounts:
        with stage.broker_stopped():
            made = Campaigns.load(stage.folder / "campaigns")[CAMPAIGN]
            stage.publisher.publish_many(
                made.trigger(to=f"{secrets.token_hex(4)}@example.com", context={"orderId": "A-1"})
                for _ in range(TRIGGERS)
            )
        return TRIGGERS, truth
    if "clock-wrong" in amounts:
        offset = -stage.scenario.sign * round(amounts["clock-wrong"])
        for _ in range(3):
            stage.publish(4)
            time.sleep(1.2)
            stage.publish_by_clock(4, offset)
        stage.publish(4)
        return 28, {"clocks": abs(offset)}
    if "workers-dead" in amounts:
        stage.worker.child.kill()
        time.sleep(1)  # it lived until its last heartbeat
        times = stage.publish(TRIGGERS)
        time.sleep(amounts["workers-dead"])
        stage.start_worker()
        (row,) = query(stage.database_url, "select max(started_at) as started_at from ledger.workers")
        return TRIGGERS, {"worker": (row["started_at"] - times[TRIGGERS // 2]).total_seconds()}
    blockers = SLOTS if stage.scenario.blocked_seconds else 0
    if blockers:
        stage.publish(blockers, SLOW_CAMPAIGN)
        waiting = "select 1 from ledger.triggers where campaign = $1 and first_dispatched_at is not null"
        wait_until(lambda: len(query(stage.database_url, waiting, SLOW_CAMPAIGN)) == SLOTS, what="all slots are taken")
    times = stage.publish(TRIGGERS)
    if "rate-limited" in amounts:
        wait_until(lambda: finished(stage.database_url) >= TRIGGERS, what="everything has its state", timeout=PATIENCE)
        truth["worker"] = _rate_limited(stage, times)
    return blockers + TRIGGERS, truth


def _rate_limited(stage: Stage, published: list[datetime]) -> float:
    """The median of what calls came later than they were published, of those that came late at all."""
    first = {}
    for entry in journal(stage.simulator.journal):
        if entry.get("request_id"):
            first.setdefault(entry["request_id"], datetime.fromisoformat(entry["arrived_at"]))
    waits = [(arrived - at).total_seconds() for arrived, at in zip(sorted(first.values()), published, strict=True)]
    return median(wait for wait in waits if wait > 1)


def _report_back(stage: Stage) -> None:
    """What Journey Optimizer and the providers will have reported, as an export of the dataset."""
    file = stage.folder / "feedback.jsonl"
    answer = httpx2.get(f"{stage.simulator.url}/_simulator/feedback?format=jsonl&all=true")
    answer.raise_for_status()
    file.write_bytes(answer.content)
    done = run("feedback", "import", file, env=stage.env)
    if done.code != 0:
        raise AssertionError(f"feedback import: {done.err or done.out}")
