"""``python -m tests.chaos.outage``: 50,000 queued and 2,000 in flight, through five minutes of nothing but failures."""

import secrets
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from ajo_local.processes import Processes, ended_by_sigterm

from tests.chaos.evidence import gather
from tests.chaos.run import SENDING, Run
from tests.chaos.servers import Servers, serve
from tests.chaos.stack import Broker
from tests.chaos.stream import CAMPAIGNS
from tests.chaos.verdict import Expectation, figures, findings
from tests.support.conservation import finished, most_at_once
from tests.support.waiting import wait_until

IN_FLIGHT = 2_000
PUBLISH_SECONDS = 60
SLOW = '[[fault]]\nkind = "slow"\nseconds = 4\n'
FAILS = '[[fault]]\nkind = "outage"\n'
SETTINGS = {
    "AJO_MAX_IN_FLIGHT": str(IN_FLIGHT // 2),
    "AJO_PREFETCH": "1000",
    "AJO_VISIBILITY_TIMEOUT": "120",
}
OPEN = "select scope from ledger.circuits where state = 'open'"
LATER = 900.0
"""Seconds until everything must have been accepted once the endpoint works again."""


def main(
    seconds: Annotated[float, typer.Option(help="How long the outage lasts.")] = 300.0,
    count: Annotated[int, typer.Option(help="Triggers.")] = 52_000,
    seed: Annotated[int | None, typer.Option(help="Of the stream.")] = None,
    broker: Annotated[list[str] | None, typer.Option(help="rabbitmq or valkey; by default both.")] = None,
) -> None:
    """Exit code 1 if anything was lost, expired or silently doubled, or two probes were under way at once."""
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    with ended_by_sigterm(), Processes() as processes:
        servers = serve(processes, broker or ("rabbitmq", "valkey"))
        wrong = [text for one in servers.brokers for text in _through(servers, one, seed, count, seconds)]
    for text in wrong:
        typer.echo(f"FAILED: {text}")
    typer.echo(f"{'failed' if wrong else 'passed'}, seed {seed}")
    raise typer.Exit(1 if wrong else 0)


def _through(servers: Servers, broker: Broker, seed: int, count: int, seconds: float) -> list[str]:
    with (
        tempfile.TemporaryDirectory(prefix="ajo-") as folder,
        Processes() as processes,
        servers.database() as name,
    ):
        run = Run(
            processes, Path(folder), broker, servers.postgres, name, seed=seed, count=count, seconds=PUBLISH_SECONDS,
            settings=SETTINGS, scenario=SLOW,
        )  # fmt: skip
        run.begin()
        wait_until(lambda: len(run.query(SENDING)) > 0.9 * IN_FLIGHT, what="most places are taken", timeout=120)
        in_flight, began = len(run.query(SENDING)), time.monotonic()
        run.script(FAILS)
        run.stream.join()
        wait_until(lambda: len(run.query(OPEN)) == len(CAMPAIGNS), what="both circuits are open", timeout=120)
        wait_until(lambda: len(run.query(SENDING)) <= len(CAMPAIGNS), what="all but probes are parked", timeout=120)
        parked = run.query("select count(*) as n from ledger.triggers where state = 'parked'")[0]["n"]
        typer.echo(f"{broker.name}: {in_flight:,} were in flight; {parked:,} parked, {run.done():,} of {count:,} done")
        quiet = len(run.journal())
        run.hold(seconds / 2)
        run.kill_worker(run.workers[0])
        run.hold(began + seconds - time.monotonic())
        during = run.journal()[quiet:]
        run.script("")
        recovered = time.monotonic()
        wait_until(lambda: finished(run.database_url) >= count, what="everything has its state", timeout=LATER)
        typer.echo(f"{len(during)} probes; all were accepted {time.monotonic() - recovered:.0f} s after the outage")
        wrong = run.finish()
        evidence = gather(run)
        for path in {call["path"] for call in during}:
            at_once = most_at_once(call for call in during if call["path"] == path)
            wrong += [f"{at_once} probes at once"] if at_once > 1 else []
    found = figures(evidence)
    typer.echo(f"{found}")
    in_doubt = found.states["unconfirmed"]  # what the killed worker was probing with is not sent again unasked
    wrong += [f"{in_doubt} are unconfirmed"] if in_doubt > len(CAMPAIGNS) else []
    expected = Expectation(states=frozenset({"accepted", "unconfirmed"}))
    return [f"{broker.name}: {text}" for text in [*wrong, *findings(evidence, expected)]]


if __name__ == "__main__":
    typer.run(main)
