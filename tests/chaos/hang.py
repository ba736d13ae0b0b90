"""``python -m tests.chaos.hang``: 200 triggers a second while one lane answers nothing, and then comes back."""

import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import psutil
import typer
from ajo_local.processes import Processes, ended_by_sigterm
from ajo_producers import Campaigns, CheckedTrigger, Publisher

from tests.chaos.evidence import gather
from tests.chaos.run import WORKERS, Run
from tests.chaos.servers import Servers, serve
from tests.chaos.stack import Broker
from tests.chaos.stream import PLANTED_DOMAIN, Stream
from tests.chaos.verdict import Expectation, figures, findings
from tests.support.conservation import write_definition
from tests.support.waiting import wait_until

RATE = 200
PATTERN = (("order-shipped", 9), ("flash-sale", 9), ("password-reset", 1), ("one-time-code", 1))
"""What 20 triggers are: batches of the lane that hangs and of the other one, and an urgent one of each."""
OTHERS = ("flash-sale", "password-reset")
HANGS = '[[fault]]\nkind = "hang"\nlane = "standard"\n'
PLACES, LANE_SHARE = 1000, 0.8
"""As users get them."""
LONGEST_WAIT = 2.0
MOST_MEMORY = 400
"""Megabytes that a worker may have."""
LATER = 600.0
WAITS = """
    SELECT t.campaign, percentile_cont(0.99) WITHIN GROUP (ORDER BY wait) AS p99, max(wait) AS longest
    FROM audit.triggers t
    CROSS JOIN LATERAL (SELECT min(dispatched_at) AS at FROM audit.attempts WHERE request_id = t.request_id) AS a
    CROSS JOIN LATERAL (SELECT extract(epoch FROM a.at - t.enqueued_at)::float8 AS wait) AS w
    GROUP BY t.campaign
"""
AT_ONCE = """
    SELECT coalesce(max(under_way), 0) AS most FROM (
        SELECT sum(change) OVER (PARTITION BY worker ORDER BY at, change) AS under_way FROM (
            SELECT worker, dispatched_at AS at, 1 AS change FROM audit.attempts
            UNION ALL SELECT worker, responded_at, -1 FROM audit.attempts
        ) AS changes
    ) AS counts
"""
SILENCES = "SELECT count(*) AS n FROM audit.silences"
PROBES = "SELECT count(*) AS n FROM ledger.probes"
ALERTED = "SELECT 1 FROM audit.alerts WHERE alert = 'silence'"


@dataclass
class HangRun(Run):
    """A run with an urgent campaign in each lane, and a stream of its own."""

    memory: float = 0.0
    alerted: bool = field(default=False)

    def begin(self) -> None:
        """As every run, with two more campaigns."""
        for name, lane in (("one-time-code", "standard"), ("password-reset", "high-throughput")):
            write_definition(self.folder / "campaigns", name, lane=lane, facts='priority = "urgent"')
        super().begin()

    def new_stream(self, seed: int, count: int) -> Stream:
        """Steady, whatever the lanes do."""
        publisher = Publisher(self.broker.url, queue_prefix=self.queue_prefix, timeout=5, producer="chaos")
        return Stream(publisher, mixed(self.folder / "campaigns", seed, count), RATE)

    def watch(self, seconds: float) -> None:
        """Let it last, and see how much memory workers take, and whether the silence is alerted."""

        def look() -> bool:
            sizes = [psutil.Process(worker.child.pid).memory_info().rss / 1e6 for worker in self.workers]
            self.memory = max([self.memory, *sizes])
            self.alerted = self.alerted or bool(self.query(ALERTED))
            return False

        self.hold(seconds, until=look)


def mixed(folder: Path, seed: int, count: int) -> Iterator[list[CheckedTrigger]]:
    """The stream."""
    campaigns, number = Campaigns.load(folder), 0
    while number < count:
        for name, size in PATTERN:
            chunk = []
            for _ in range(size):
                number += 1
                context = {"orderId": f"A-{seed}-{number}"}
                chunk.append(campaigns[name].trigger(to=f"person{number}@{PLANTED_DOMAIN}", context=context))
            yield chunk


def main(
    seconds: Annotated[float, typer.Option(help="How long triggers come; the lane hangs for half of that.")] = 180.0,
    seed: Annotated[int | None, typer.Option(help="Of the stream.")] = None,
    broker: Annotated[list[str] | None, typer.Option(help="rabbitmq or valkey; by default both.")] = None,
) -> None:
    """Exit code 1 if others had to wait, more is unconfirmed than one lane has places, or any was doubled."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    with ended_by_sigterm(), Processes() as processes:
        servers = serve(processes, broker or ("rabbitmq", "valkey"))
        wrong = [text for one in servers.brokers for text in _through(servers, one, seed, seconds)]
    for text in wrong:
        typer.echo(f"FAILED: {text}")
    typer.echo(f"{'failed' if wrong else 'passed'}, seed {seed}")
    raise typer.Exit(1 if wrong else 0)


def _through(servers: Servers, broker: Broker, seed: int, seconds: float) -> list[str]:
    count = round(RATE * seconds)
    with (
        tempfile.TemporaryDirectory(prefix="ajo-") as folder,
        Processes() as processes,
        servers.database() as name,
    ):
        run = HangRun(processes, Path(folder), broker, servers.postgres, name, seed=seed, count=count, seconds=seconds)
        run.begin()
        run.watch(seconds / 6)
        run.script(HANGS)
        run.watch(seconds / 2)
        run.script("")
        run.stream.join()
        run.watch(0.1)
        wait_until(lambda: run.done() >= count, what="everything has its state", timeout=LATER)
        waits = {row["campaign"]: row for row in run.query(WAITS)}
        at_once = int(run.query(AT_ONCE)[0]["most"])
        silences, probes = run.query(SILENCES)[0]["n"], run.query(PROBES)[0]["n"]
        wrong = run.finish()
        evidence = gather(run)
    for campaign, row in sorted(waits.items()):
        times = f"{row['p99']:.2f} s at the 99th percentile, {row['longest']:.2f} s at most"
        typer.echo(f"{broker.name}: {campaign} waited {times}")
    found = figures(evidence)
    typer.echo(
        f"{broker.name}: {count:,} triggers, {dict(found.states)}, {found.doubled} doubled; {silences} silences, "
        f"outages {sorted(evidence.outages)}; at most {at_once} calls and {run.memory:.0f} MB a worker"
    )
    wrong += [
        f"{campaign} waited {waits[campaign]['p99']:.2f} s at the 99th percentile"
        for campaign in OTHERS
        if waits[campaign]["p99"] > LONGEST_WAIT
    ]
    # The first place that is free again goes to the attempt that a silence lets try, one in each worker.
    unconfirmed, most = found.states["unconfirmed"], round(WORKERS * PLACES * LANE_SHARE) + WORKERS + probes
    wrong += [f"{unconfirmed} are unconfirmed; a lane's places and tries are {most}"] if unconfirmed > most else []
    wrong += [f"{at_once} calls of one worker at once"] if at_once > PLACES else []
    wrong += [f"a worker took {run.memory:.0f} MB"] if run.memory > MOST_MEMORY else []
    wrong += ["the silence is not on record"] if not silences else []
    wrong += ["the silence was not alerted"] if not run.alerted else []
    expected = Expectation(duplicates=False, states=frozenset({"accepted", "unconfirmed"}))
    return [f"{broker.name}: {text}" for text in [*wrong, *findings(evidence, expected)]]


if __name__ == "__main__":
    typer.run(main)
