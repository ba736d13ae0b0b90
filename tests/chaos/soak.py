"""``python -m tests.chaos.soak``: a steady rate for a long time, with a fault now and then; nothing may grow."""

import secrets
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import typer
from ajo_local.processes import Processes, ended_by_sigterm

from tests.chaos.evidence import gather
from tests.chaos.faults import brokers, databases
from tests.chaos.plan import SOON
from tests.chaos.run import Run
from tests.chaos.servers import Servers, serve
from tests.chaos.verdict import Expectation, figures, findings

SAMPLE_SECONDS = 2.0
MOST_GROWTH = 1.15
"""Of memory, from the second quarter of the time to the last; the first quarter is for warming up."""
MOST_MORE_FILES = 10
FAULTY = """
[[fault]]
share = 0.2
attempts = 1
kind = "status"
status = 503

[[fault]]
share = 0.02
attempts = 1
kind = "reset-after"
"""


@dataclass
class Samples:
    """What a worker used over time: bytes of memory, open files, connections."""

    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)

    def take(self, process: psutil.Process) -> None:
        """One more sample."""
        self.memory.append(process.memory_info().rss)
        self.files.append(process.num_fds())
        self.connections.append(len(process.net_connections()))

    def growth(self) -> list[str]:
        """What grew; empty if all is flat."""
        wrong = []
        before, after = _quarter(self.memory, 1), _quarter(self.memory, 3)
        if after > before * MOST_GROWTH:
            wrong.append(f"memory grew from {before / 1e6:.0f} to {after / 1e6:.0f} MB")
        for name, values in (("open files", self.files), ("connections", self.connections)):
            before, after = _quarter(values, 1), _quarter(values, 3)
            if after > before + MOST_MORE_FILES:
                wrong.append(f"{name} grew from {before:.0f} to {after:.0f}")
        return wrong

    def __str__(self) -> str:
        return "\n".join(
            f"  {name}: {', '.join(f'{_quarter(values, index) / unit:.0f}' for index in range(4))}"
            for name, values, unit in (
                ("memory in MB, by quarter of the time", self.memory, 1e6),
                ("open files", self.files, 1),
                ("connections", self.connections, 1),
            )
        )


def _quarter(values: list[int], index: int) -> float:
    size = max(len(values) // 4, 1)
    return float(median(values[index * size : (index + 1) * size] or values[-1:]))


def main(
    minutes: Annotated[float, typer.Option(help="How long triggers are published.")] = 20.0,
    rate: Annotated[float, typer.Option(help="Triggers a second.")] = 150.0,
    every: Annotated[float, typer.Option(help="Seconds between faults.")] = 45.0,
    seed: Annotated[int | None, typer.Option(help="Of the stream and of every choice.")] = None,
    broker: Annotated[str, typer.Option(help="rabbitmq or valkey.")] = "rabbitmq",
) -> None:
    """Soak; exit code 1 if anything grew, was lost or silently doubled."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    with ended_by_sigterm(), Processes() as processes:
        servers = serve(processes, [broker])
        wrong = _soak(servers, seed, minutes * 60, rate, every)
    for text in wrong:
        typer.echo(f"FAILED: {text}")
    typer.echo(f"{'failed' if wrong else 'passed'}, seed {seed}")
    raise typer.Exit(1 if wrong else 0)


def _soak(servers: Servers, seed: int, seconds: float, rate: float, every: float) -> list[str]:
    [broker] = servers.brokers
    count = int(seconds * rate)
    with (
        tempfile.TemporaryDirectory(prefix="ajo-") as folder,
        Processes() as processes,
        servers.database() as name,
    ):
        run = Run(
            processes, Path(folder), broker, servers.postgres, name, seed=seed, count=count, seconds=seconds,
            settings=SOON,
        )  # fmt: skip
        run.begin()
        run.script(FAULTY)
        survivor, samples = run.workers[0], Samples()
        process = psutil.Process(survivor.child.pid)
        next_fault = time.monotonic() + every
        while run.stream.flowing:
            samples.take(process)
            if time.monotonic() > next_fault:
                _one_fault(run)
                next_fault = time.monotonic() + every
            run.hold(SAMPLE_SECONDS)
        run.quiet()
        typer.echo(f"{count:,} triggers in {seconds / 60:.0f} minutes; the worker that lived through it:\n{samples}")
        wrong = [*run.finish(), *samples.growth()]
        evidence = gather(run)
    typer.echo(f"{figures(evidence)}")
    return [*wrong, *findings(evidence, Expectation())]


def _one_fault(run: Run) -> None:
    """A short fault; the first worker is never the one that is killed."""
    kind = run.chance.choice(("kill", "connections", "backends"))
    typer.echo(f"  {run.done():,} done; fault: {kind}")
    if kind == "kill":
        run.kill_worker(run.workers[-1])
        run.start_worker()
    elif kind == "connections":
        brokers.close_connections(run)
    else:
        databases.terminate_backends(run)


if __name__ == "__main__":
    typer.run(main)
