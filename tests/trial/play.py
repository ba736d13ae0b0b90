"""A scenario from its beginning to the judgement: what happens in it, and what was really late."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median
from threading import Timer
from typing import Any, TypeAlias

from ajo_producers import Publisher

from tests.chaos.servers import Servers
from tests.support.conservation import finished, journal
from tests.support.database import query
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until
from tests.trial.judgement import Judgement, Truth, judge
from tests.trial.scenarios import SYSTEMS, Scenario
from tests.trial.scripts import SHORT_LIVED
from tests.trial.stage import CAMPAIGN, SLOTS, SLOW_CAMPAIGN, Stage, on_stage, report_back

TRIGGERS, MANY, FLOOD = 24, 60, 3_000
PATIENCE = 240.0

Happened: TypeAlias = tuple[int, Callable[[], Truth]]
"""How many triggers were published, and the truth, to be asked for once they have all come to their ends."""


def play(servers: Servers, folder: Path, scenario: Scenario) -> tuple[Judgement, Truth]:
    """Play a scenario; who is named, and what really was late."""
    with on_stage(servers, folder, scenario) as stage:
        published, truth = _happens(scenario)(stage)
        url = stage.database_url
        wait_until(lambda: finished(url) >= published, what="everything has its state", timeout=PATIENCE)
        stage.until_the_end.close()
        crowded = waited_for_a_processor(stage.worker.child.pid)
        report_back(stage)
        for row in query(url, "select * from ledger.due_minutes(100) as minute"):
            query(url, "select ledger.roll_up($1)", row["minute"])
        return judge(url, CAMPAIGN), replace(truth(), crowded=crowded)


def waited_for_a_processor(pid: int) -> bool:
    """Whether a process was ready to run for longer than it ran, as Linux counts it (Documentation/scheduler)."""
    ran = waited = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # that thread has ended
            nanoseconds = file.read_text(encoding="ascii").split()
            ran, waited = ran + int(nanoseconds[0]), waited + int(nanoseconds[1])
    return waited > ran


def _happens(scenario: Scenario) -> Callable[[Stage], Happened]:
    """What is done in a scenario; in most, triggers are published one after the other, and that is all."""
    return next((happens for kind, happens in HAPPENS.items() if kind in scenario.amounts), _nothing)


def _nothing(stage: Stage) -> Happened:
    stage.publish(TRIGGERS)
    return TRIGGERS, partial(_alike, stage)


def _alike(stage: Stage) -> Truth:
    return Truth({SYSTEMS[kind]: amount for kind, amount in stage.scenario.amounts.items()})


def _broker_stopped(stage: Stage) -> Happened:
    stage.publish(1)  # so that both connections stand: making one is the producer's time, or takes the worker a pause
    wait_until(lambda: finished(stage.database_url), what="the worker takes messages")
    with stage.broker_stopped() as stood:
        stage.publisher.publish_many(stage.triggers(TRIGGERS))
    return TRIGGERS + 1, lambda: Truth({"broker": stood[0]})


def _first_publish(stage: Stage) -> Happened:
    """A fresh publisher's connection takes long to stand; all triggers are in its first message."""
    proxy = stage.until_the_end.enter_context(Proxy(stage.broker.url))
    proxy.freeze()
    with Publisher(proxy.url, queue_prefix=stage.env["AJO_QUEUE_PREFIX"], timeout=60, producer="shop") as fresh:
        Timer(stage.scenario.amounts["first-publish"], proxy.thaw).start()
        fresh.publish_many(stage.triggers(TRIGGERS))
    return TRIGGERS, partial(_alike, stage)


def _clock_wrong(stage: Stage) -> Happened:
    offset = -stage.scenario.sign * round(stage.scenario.amounts["clock-wrong"])
    for _ in range(3):
        stage.publish(4)
        time.sleep(1.2)
        stage.publish_by_clock(4, offset)
    stage.publish(4)
    return 28, lambda: Truth({"clocks": abs(offset)})


def _workers_dead(stage: Stage) -> Happened:
    stage.worker.child.kill()
    time.sleep(1)  # it lived until its last heartbeat
    times = stage.publish(TRIGGERS)
    time.sleep(stage.scenario.amounts["workers-dead"])
    stage.start_worker()
    (row,) = query(stage.database_url, "select max(started_at) as started_at from ledger.workers")
    late = (row["started_at"] - times[TRIGGERS // 2]).total_seconds()
    return TRIGGERS, lambda: Truth({"worker": late})


def _places_taken(stage: Stage) -> Happened:
    """The slow campaign's calls take all places before the others come."""
    stage.publish(SLOTS, SLOW_CAMPAIGN)
    waiting = "select 1 from ledger.triggers where campaign = $1 and first_dispatched_at is not null"
    wait_until(lambda: len(query(stage.database_url, waiting, SLOW_CAMPAIGN)) == SLOTS, what="all slots are taken")
    stage.publish(TRIGGERS)
    return SLOTS + TRIGGERS, partial(_alike, stage)


def _queued(stage: Stage) -> Happened:
    stage.publish(TRIGGERS)
    return TRIGGERS, lambda: Truth({"worker": median(wait for wait in _waits(stage) if wait > 1)})


def _waits(stage: Stage) -> Iterable[float]:
    """How much later each trigger's first call came than it was published, in seconds."""
    first: dict[str, datetime] = {}
    for call in journal(stage.simulator.journal):
        first.setdefault(call["request_id"], datetime.fromisoformat(call["arrived_at"]))
    return [(first[one] - published).total_seconds() for one, published in stage.published.items()]


def _through(stage: Stage, count: int, *, within: float) -> Happened:
    """Adobe has its fault while triggers come, evenly; nobody else has any."""
    stage.begin()
    if "token-away" in stage.scenario.amounts:
        time.sleep(SHORT_LIVED)
    stage.publish(count, within=within)
    return count, lambda: Truth(seconds={"adobe-api": 1.0})


def _amount(stage: Stage) -> float:
    return sum(stage.scenario.amounts.values())


def _starved(stage: Stage) -> Happened:
    stage.until_the_end.enter_context(stage.starved())
    stage.publish(TRIGGERS, within=6)
    return TRIGGERS, partial(_calls_and_the_rest, stage)


def _calls_and_the_rest(stage: Stage) -> Truth:
    """Calls are Adobe's time as the endpoint saw them; all else, from publishing to the end, is the worker's."""
    ends = {str(row["request_id"]): row["at"] for row in query(
        stage.database_url, "select request_id, completed_at as at from audit.triggers"
    )}  # fmt: skip
    whole = sum((ends[one] - published).total_seconds() for one, published in stage.published.items())
    calls = sum(_took(call) for call in journal(stage.simulator.journal))
    return Truth(seconds={"adobe-api": calls, "worker": whole - calls})


def _saturated(stage: Stage) -> Happened:
    stage.publisher.publish_many(stage.triggers(FLOOD))
    return FLOOD, partial(_answers, stage)


def _answers(stage: Stage) -> Truth:
    took: dict[str, float] = {}
    for call in journal(stage.simulator.journal):
        took.setdefault(call["request_id"], _took(call))
    return Truth(answers=took)


def _took(call: dict[str, Any]) -> float:
    """What a call took, seen from outside the endpoint: it begins when it is there, and not when it is looked at."""
    seconds: float = call["waited"] + call["answered_after"]
    return seconds


HAPPENS: dict[str, Callable[[Stage], Happened]] = {
    "broker-stopped": _broker_stopped,
    "first-publish": _first_publish,
    "clock-wrong": _clock_wrong,
    "workers-dead": _workers_dead,
    "slots-taken": _places_taken,
    "prefetch-taken": _places_taken,
    "rate-limited": _queued,
    "concurrency": _queued,
    "token-away": lambda stage: _through(stage, MANY, within=_amount(stage) - 5),
    "storm": lambda stage: _through(stage, MANY, within=_amount(stage)),
    "recovery": lambda stage: _through(stage, 2 * MANY, within=_amount(stage) + 5),
    "silence": lambda stage: _through(stage, MANY, within=_amount(stage) - 5),
    "api-crawls": lambda stage: _through(stage, TRIGGERS, within=10),
    "starved": _starved,
    "saturated": _saturated,
}
