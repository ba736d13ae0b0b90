"""``python -m tests.trial``: thirty-eight scenarios, each with a system or two that are late; who is named for it?"""

import secrets
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from ajo_worker.local.processes import Processes, ended_by_sigterm

from tests.chaos.servers import Servers, serve
from tests.trial.judgement import mistakes
from tests.trial.scenarios import Scenario, scenarios
from tests.trial.stage import play

AT_ONCE = 3


def main(
    seed: Annotated[int | None, typer.Option(help="Of the scenarios.")] = None,
    only: Annotated[str | None, typer.Option(help="Only scenarios with this lateness.")] = None,
    most: Annotated[int, typer.Option(help="Scenarios at most.")] = 100,
) -> None:
    """Exit code 1 if a wrong system is named, or one with a delay that is more than 10 % off."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    chosen = [each for each in scenarios(seed) if only is None or only in each.amounts][:most]
    typer.echo(f"seed {seed}\n\n| | late | by, s | named | charged, s | verdict |\n|---|---|---|---|---|---|")
    with ended_by_sigterm(), Processes() as processes, ThreadPoolExecutor(AT_ONCE) as threads:
        servers = serve(processes, ())
        failed = sum(threads.map(lambda each: _one(servers, each), chosen))
    typer.echo(f"\n{len(chosen) - failed} passed, {failed} failed, seed {seed}")
    raise typer.Exit(1 if failed else 0)


def _one(servers: Servers, scenario: Scenario) -> bool:
    with tempfile.TemporaryDirectory(prefix="ajo-") as folder:
        judgement, truth = play(servers, Path(folder), scenario)
    wrong = mistakes(judgement, scenario.systems, truth)
    late = ", ".join(scenario.amounts)
    by = ", ".join(f"{seconds:.2f}" for seconds in truth.values())
    named = ", ".join(judgement.named)
    charged = ", ".join(f"{seconds:.2f}" for seconds, _ in judgement.named.values())
    typer.echo(f"| {scenario.number} | {late} | {by} | {named} | {charged} | {'; '.join(wrong) or 'right'} |")
    return bool(wrong)


typer.run(main)
