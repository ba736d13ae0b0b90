"""``python -m tests.chaos``: every fault of the matrix done to a stream of triggers, and the verdict by sets of ids."""

import secrets
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from ajo_local.processes import Processes, ended_by_sigterm

from tests.chaos.evidence import gather
from tests.chaos.plan import FAULTS, SOON, Fault
from tests.chaos.report import HEAD, Result, line
from tests.chaos.run import Run
from tests.chaos.servers import Servers, serve
from tests.chaos.stack import Broker
from tests.chaos.verdict import figures, findings
from tests.support.programs import WarmProcesses

WORKERS, SLOW = frozenset({1, 2}), 11
MODULES = ("workers", "brokers", "databases", "sessions", "endpoints", "tokens", "messages", "clocks", "publishers",
           "slowness", "definitions", "outboxes")  # fmt: skip
SMOKE_COUNT, SMOKE_SECONDS = 600, 4.0
ANY_BROKER = frozenset({6, 7})
"""Groups of faults beyond the worker: endpoint and token. A run does each with one broker, and another seed's with the
other one."""


@dataclass(frozen=True)
class Options:
    """What holds for all runs."""

    seed: int
    smoke: bool
    keep: Path | None
    without: str | None


def main(
    only: Annotated[list[str] | None, typer.Option(help="Names, or parts of names, of faults.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the stream and of every choice; else a new one.")] = None,
    broker: Annotated[list[str] | None, typer.Option(help="rabbitmq, valkey; else both.")] = None,
    at_once: Annotated[int, typer.Option(help="Runs side by side, of those that harm no shared server.", min=1)] = 4,
    rabbitmq: Annotated[
        Path | None, typer.Option(help="Folder with another RabbitMQ's rabbitmq-server and rabbitmqctl.")
    ] = None,
    *,
    smoke: Annotated[bool, typer.Option("--smoke", help="A few faults, with fewer triggers.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Folder that gets the logs of runs that failed.")] = None,
    without: Annotated[
        str | None, typer.Option(help="A rule that the workers lack: see tests/chaos/sabotage.py.")
    ] = None,
) -> None:
    """Run the fault matrix; exit code 1 if a run failed."""
    for module in MODULES:
        import_module(f"tests.chaos.faults.{module}")
    began = time.monotonic()
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    chosen = [one for one in FAULTS.values() if _is_chosen(one, only, smoke=smoke)]
    for one in chosen:
        if one.unless:
            typer.echo(f"left out: {one.name}: {one.unless}", err=True)
    chosen = [one for one in chosen if not one.unless]
    if not chosen:
        raise typer.BadParameter(f"no such fault; known: {', '.join(FAULTS)}", param_hint="--only")
    typer.echo(f"seed {seed}, {len(chosen)} faults\n\n{HEAD}")
    with ended_by_sigterm(), Processes() as processes:
        servers = serve(processes, broker or ("rabbitmq", "valkey"), rabbitmq)
        runs = [
            (one, server)
            for index, one in enumerate(chosen)
            for server in _brokers_of(one, servers.brokers, index + seed, smoke=smoke)
        ]
        options = Options(seed, smoke, keep, without)
        results = [_run(one, server, servers, options) for one, server in runs if one.alone]
        # The longest first, so that none is left alone at the end.
        together = sorted((pair for pair in runs if not pair[0].alone), key=lambda pair: -_wait(*pair))
        with ThreadPoolExecutor(at_once) as threads:
            results += threads.map(lambda pair: _run(pair[0], pair[1], servers, options), together)
    failed = [result for result in results if result.findings]
    minutes = (time.monotonic() - began) / 60
    typer.echo(f"\n{len(results) - len(failed)} passed, {len(failed)} failed, seed {seed}, {minutes:.0f} minutes")
    raise typer.Exit(1 if failed else 0)


def _brokers_of(one: Fault, brokers: Sequence[Broker], turn: int, *, smoke: bool) -> list[Broker]:
    """Every broker that the fault is for; one of them in turn where the fault has nothing to do with brokers."""
    fitting = [server for server in brokers if server.name in one.brokers]
    in_turn = smoke or one.group in ANY_BROKER
    return [fitting[turn % len(fitting)]] if in_turn and fitting else fitting


def _wait(one: Fault, broker: Broker) -> int:
    """Which runs wait longest: for messages of a dead worker, then for slow answers."""
    return 2 * (one.group in WORKERS and broker.name == "valkey") + (one.group == SLOW)


def _is_chosen(one: Fault, only: list[str] | None, *, smoke: bool) -> bool:
    return any(part in one.name for part in only) if only else one.smoke or not smoke


def _run(one: Fault, broker: Broker, servers: Servers, options: Options) -> Result:
    """One run from the beginning to its verdict."""
    began = time.monotonic()
    count, seconds = (SMOKE_COUNT, SMOKE_SECONDS) if options.smoke else (one.count, one.seconds)
    settings = {**SOON, **one.settings} if options.smoke else one.settings
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="ajo-chaos-") as folder,
        WarmProcesses() as processes,
        servers.database() as name,
    ):
        run = Run(
            processes, Path(folder), broker, servers.postgres, name, seed=options.seed, count=count, seconds=seconds,
            settings=settings, scenario=one.scenario, without=options.without, tls=one.tls,
            database_clock=servers.clock,
        )  # fmt: skip
        run.begin()
        try:
            one.inject(run)
        except AssertionError as fault:
            wrong.append(f"the fault was not done: {fault}")
        run.quiet()
        wrong += run.finish()
        evidence = gather(run)
        wrong += findings(evidence, one.expectation)
        if wrong and options.keep is not None:
            _keep(run, options.keep / f"{one.name}-{broker.name}", wrong)
    result = Result(one, broker.name, figures(evidence), settings, wrong, time.monotonic() - began)
    typer.echo("\n".join([line(result), *(f"    FAILED: {text}" for text in wrong)]))
    return result


def _keep(run: Run, folder: Path, wrong: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "findings.txt").write_text("\n".join(wrong) + "\n", encoding="utf-8")
    (folder / "journal.jsonl").write_bytes(run.simulator.journal.read_bytes())
    for index, worker in enumerate(run.dead):
        (folder / f"worker-{index}.log").write_text(worker.child.output(), encoding="utf-8")
    rows = run.query("select * from audit.triggers")
    (folder / "triggers.txt").write_text("\n".join(map(str, rows)), encoding="utf-8")
    attempts = run.query("select * from audit.attempts order by request_id, round, attempt")
    (folder / "attempts.txt").write_text("\n".join(map(str, attempts)), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
