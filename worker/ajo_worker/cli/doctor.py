"""Check everything that a worker needs: settings, campaigns, broker, database, token, endpoints, clocks.

``ajo-dispatch doctor [--flower URL] [--timeout SECONDS]``
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from ajo_producers.contract.counted import counted
from rich.console import Console
from rich.text import Text

from ajo_worker.cli.printing import cell, make_console, print_json
from ajo_worker.doctor.check import Check, exit_code
from ajo_worker.doctor.examination import examine
from ajo_worker.doctor.flower import is_web_address

app = typer.Typer(add_completion=False)

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}
STATUS_WIDTH = 9
LONGEST = 3600.0


@app.command()
def doctor(
    *,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="What each check may take at most.")] = 10,
    flower: Annotated[
        str | None, typer.Option(metavar="URL", help="Flower, to be checked as well: http://USER:PASSWORD@HOST:PORT.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check all that a worker needs, and say what to do about what is wrong; nothing is changed or sent.

    The exit code is 1 if a check failed, and 0 if there are warnings only.
    """
    if not 0 < timeout <= LONGEST:
        raise typer.BadParameter(f"must be above 0 and at most {LONGEST:,.0f} seconds", param_hint="--timeout")
    if flower is not None and not is_web_address(flower):
        raise typer.BadParameter("must be http(s)://[USER:PASSWORD@]HOST[:PORT][/PATH]", param_hint="--flower")
    console = make_console()

    def tell(check: Check) -> None:
        if not as_json:
            show(check, console)

    checks = asyncio.run(examine(tell, seconds=timeout, flower=flower))
    if as_json:
        print_json(checks)
    else:
        console.print(f"\n{summary(checks)}", markup=False)
    raise typer.Exit(exit_code(checks))


def show(check: Check, console: Console) -> None:
    """Print a check on one line, and below it what to do."""
    line = Text.assemble(
        (f"{check.status:<{STATUS_WIDTH}}", STYLES[check.status]),
        (cell(check.check).plain, "bold"),
        ": ",
        cell(check.found),
    )
    console.print(line, soft_wrap=True)
    if check.advice:
        console.print(Text.assemble(" " * STATUS_WIDTH, "→ ", cell(check.advice)), soft_wrap=True)


def summary(checks: Sequence[Check]) -> str:
    """How many checks there were, and how they ended. Pure."""
    by_status = Counter[str](check.status for check in checks)
    return f"{counted(len(checks), 'check')}: " + ", ".join(
        f"{by_status[status]} {status}" for status in STYLES if by_status[status]
    )
