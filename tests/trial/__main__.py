"""``python -m tests.trial``: scenarios with a system or two that are late; who is named for it, and with how much?"""

import secrets
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from ajo_local.processes import Processes, ended_by_sigterm

from tests.chaos.servers import Servers, serve
from tests.trial.judgement import Judgement, Truth, mistakes
from tests.trial.play import play
from tests.trial.scenarios import Scenario, scenarios

AT_ONCE = 3
HEAD = "| | late | by, s | named | charged, s | shares of all seconds | other p99, s | verdict |"


def main(
    seed: Annotated[int | None, typer.Option(help="Of the scenarios.")] = None,
    only: Annotated[str | None, typer.Option(help="Only scenarios with this lateness.")] = None,
    most: Annotated[int, typer.Option(help="Scenarios at most.")] = 100,
    *,
    phases: Annotated[bool, typer.Option("--phases", help="Tell each phase's seconds too.")] = False,
) -> None:
    """Exit code 1 if a wrong system is named, or its seconds are not those that it was late."""
    began = time.monotonic()
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    chosen = [each for each in scenarios(seed) if only is None or only in each.amounts][:most]
    chosen.sort(key=lambda each: each.number if not each.alone else 0)
    typer.echo(f"seed {seed}\n\n{HEAD}\n|---|---|---|---|---|---|---|---|")
    with ended_by_sigterm(), Processes() as processes, ThreadPoolExecutor(AT_ONCE) as threads:
        servers = serve(processes, ())
        failed = sum(_one(servers, each, phases=phases) for each in chosen if each.alone)
        together = [each for each in chosen if not each.alone]
        failed += sum(threads.map(lambda each: _one(servers, each, phases=phases), together))
    minutes = (time.monotonic() - began) / 60
    typer.echo(f"\n{len(chosen) - failed} passed, {failed} failed, seed {seed}, {minutes:.0f} minutes")
    raise typer.Exit(1 if failed else 0)


def _one(servers: Servers, scenario: Scenario, *, phases: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="ajo-") as folder:
        try:
            judgement, truth = play(servers, Path(folder), scenario)
        except AssertionError as fault:  # one that never came to its end is no reason not to play the others
            judgement, truth, wrong = Judgement(0, {}), Truth(), [str(fault)]
        else:
            wrong = mistakes(judgement, truth)
    cells = (
        str(scenario.number),
        ", ".join(scenario.amounts),
        ", ".join(f"{seconds:.2f}" for seconds in (truth.typical or scenario.amounts).values()),
        ", ".join(judgement.named),
        ", ".join(f"{seconds:.2f}" for seconds, _ in judgement.named.values()),
        ", ".join(f"{system} {share}" for system, share in _shares(judgement)),
        f"{judgement.other:.3f}",
        "; ".join(wrong) or ("right, without a processor at times" if truth.crowded else "right"),
    )
    typer.echo(f"| {' | '.join(cells)} |")
    if phases:
        typer.echo("    " + ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in judgement.phases.items()))
    return bool(wrong)


def _shares(judgement: Judgement) -> list[tuple[str, str]]:
    """Each system's share of all seconds up to the end, where it is to be seen."""
    total = sum(judgement.spent.values()) or 1.0
    found = sorted(judgement.spent.items(), key=lambda one: -one[1])
    return [(system, f"{seconds / total:.0%}") for system, seconds in found if seconds / total >= 0.005]


typer.run(main)
