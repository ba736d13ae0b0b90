"""One measured run of one contender, and whether every trigger was delivered exactly once and recorded."""

import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg

from benchmarks.bench.building import Built
from benchmarks.bench.contender import Contender
from benchmarks.bench.endpoint import Work
from benchmarks.bench.ours import ask
from benchmarks.bench.servers import Servers
from benchmarks.bench.stage import REQUEST_ID, Failed, Stage, staged

SECONDS_UNTIL_RECORDED = 15
WAL = "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"


@dataclass(frozen=True)
class Run:
    """What one run measured. ``cpu``: milliseconds a trigger, by process; ``others``: cores that others used."""

    name: str
    work: str
    round: int
    count: int
    rate: float
    """Triggers a second, from the first byte of the first call to the commit of the last result."""
    steady: float
    """The same between the first and the last tenth of the calls."""
    seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    memory: float = 0
    """MB of the worker at the most, shared pages once."""
    wal: float = 0
    """Bytes of PostgreSQL's log a trigger."""
    most_in_flight: int = 0
    others: float = 0
    broker: str = ""
    wrong: str = ""
    """What was not as it has to be; nothing if every id was delivered once, recorded and acknowledged."""

    @property
    def together(self) -> float:
        """Milliseconds of CPU a trigger of worker, PostgreSQL and broker."""
        return sum(self.cpu.get(group, 0) for group in ("worker", "postgres", "broker"))


def measure(servers: Servers, built: Built, contender: Contender, work: Work, count: int, round_: int) -> Run:
    """Fill the queue with so many, start the contender, and look on until all are recorded."""
    with staged(servers, built, contender, work, count) as stage:
        try:
            return watch(stage, work, round_)
        except Failed as failed:
            return Run(contender.name, work.name, round_, count, 0, 0, 0, broker=contender.broker, wrong=str(failed))


def watch(stage: Stage, work: Work, round_: int) -> Run:
    """The run of a stage that has no worker yet.

    Raises:
        Failed: the contender doesn't do its work.
    """
    place, servers = stage.place, stage.place.servers
    stage.publish()
    if servers.postgres.child is None:
        raise Failed("PostgreSQL is stopped")
    ask(servers.postgres.url, "checkpoint")
    stage.start()
    stage.wait_for_calls(1)
    wal, before = _wal(servers), stage.recorded()[0]  # without what a start writes
    stage.wait_for_calls(place.count)
    end = _wait_until_recorded(stage)
    wal = _wal(servers) - wal
    time.sleep(0.3)  # the last look at what was used comes after the last commit
    stats = place.endpoint.stats()
    stage.stop()
    if stage.usage is None:
        raise Failed("nobody looked at what was used")
    if stage.contender.publish is None:
        stage.published = REQUEST_ID.findall(stage.workers[0].output())
    calls = place.endpoint.stop()
    arrivals = sorted(at for _, at in calls)
    first, last = arrivals[0], end or arrivals[-1]
    tenth = len(arrivals) // 10
    used = stage.usage.between(first, last)
    others = used.pop("others")
    return Run(
        name=stage.contender.name,
        work=work.name,
        round=round_,
        count=len(calls),
        rate=len(calls) / (last - first),
        steady=(len(arrivals) - 2 * tenth) / max(1e-9, arrivals[-1 - tenth] - arrivals[tenth]),
        seconds=last - first,
        cpu={group: seconds / len(calls) * 1000 for group, seconds in used.items()},
        memory=max((mb for _, mb in stage.usage.memory), default=0),
        wal=wal / max(1, len(calls) - before),
        most_in_flight=stats["most_in_flight"],
        others=others / (last - first),
        broker=stage.contender.broker,
        wrong=wrong(stage, [request_id for request_id, _ in calls]),
    )


def _wait_until_recorded(stage: Stage) -> float | None:
    deadline = time.monotonic() + SECONDS_UNTIL_RECORDED
    count, end = stage.recorded()
    while stage.contender.records is not None and count < stage.place.count and time.monotonic() < deadline:
        time.sleep(0.1)
        count, end = stage.recorded()
    return end


def _wal(servers: Servers) -> int:
    with psycopg.connect(servers.postgres.url) as connection:
        row = connection.execute(WAL).fetchone()
    return int(row[0]) if row else 0


def wrong(stage: Stage, calls: list[str]) -> str:
    """What contradicts "each id that was published was delivered once, recorded and acknowledged"."""
    published, times, faults = set(stage.published), Counter(calls), []
    twice = sum(1 for each in times.values() if each > 1)
    if len(published) != len(stage.published) or len(published) != stage.place.count:
        faults.append(f"{len(published)} of {stage.place.count} ids published")
    if twice:
        faults.append(f"{twice} called more than once")
    if missing := len(published - times.keys()):
        faults.append(f"{missing} never called")
    if strange := len(times.keys() - published):
        faults.append(f"{strange} calls of nobody's")
    if stage.contender.records is not None and (differs := len(stage.recorded_ids() ^ published)):
        faults.append(f"{differs} not recorded, or nobody's")
    if left := stage.left():
        faults.append(f"{left} left on the broker")
    return ", ".join(faults)
