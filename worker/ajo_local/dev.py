"""Keep the whole stack running on this machine, with Flower, until Ctrl-C."""

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from ajo_producers.campaigns.folder import DefinitionError, load_definitions
from rich.console import Console

from ajo_local.child import Child, LocalStackError
from ajo_local.ports import LOOPBACK, on_free_port
from ajo_local.processes import ended_by_sigterm
from ajo_local.stack import CAMPAIGN, PROGRAM, SCENARIO, START_SECONDS, Brought, Stack, local_stack
from ajo_local.wheel import PROGRAMS, site_of_postgres

app = typer.Typer(add_completion=False)

CHECK_SECONDS = 0.5
FLOWER_COLUMNS = "uuid,args,state,result,received"
"""What Flower's list of tasks shows: a message's id, campaign and number of triggers, and what it came to."""
SERVERS = ("postgres", "valkey", "simulator", "flower")
EXAMPLE = f"""\
ajo-dispatch trigger {CAMPAIGN} --to ada@example.com --context orderId=A-1 \\
  --context customer.firstName=Ada --context carrier="Swift Parcels" --context eta=Monday"""


def complete_port(incomplete: str) -> list[str]:
    """The servers whose port may be named, for the shell."""
    return [f"{server}=" for server in SERVERS if server.startswith(incomplete)]


@app.command()
def dev(
    *,
    campaigns: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Your own campaign definitions; without it, an example.")
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How the simulator answers (TOML); without it, a fifth meets a fault."),
    ] = None,
    port: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVER=NUMBER",
            help="Where postgres, valkey, the simulator or flower listens; repeat it. Without it, on any free port.",
            autocompletion=complete_port,
        ),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keeps data, passwords and ports for the next run.")
    ] = None,
) -> None:
    """Start PostgreSQL, Valkey, a simulator, a worker and Flower, and keep them running until Ctrl-C.

    What other terminals need is in a file whose name is told. Definitions and the scenario are read at the start.
    """
    brought = Brought(campaigns, scenario or SCENARIO, keep, read_ports(port or []))
    names = list(_load(campaigns)) if campaigns else [CAMPAIGN]
    console = Console(soft_wrap=True, highlight=False)
    try:
        with ended_by_sigterm(), local_stack(brought) as stack:
            stack.start_worker()
            flower_url = _start_flower(stack)
            console.print(_guide(stack, flower_url, names, own=campaigns is not None), markup=False)
            while True:
                stack.processes.check()
                time.sleep(CHECK_SECONDS)
    except LocalStackError as error:
        raise typer.TyperException(str(error)) from error
    except KeyboardInterrupt:
        console.print(
            "\nEverything is stopped." if keep is None else f"\nEverything is stopped; its data are in {keep}."
        )


def read_ports(options: list[str]) -> dict[str, int]:
    """The ports that a person named, by server. Pure.

    Raises:
        typer.BadParameter: no such server, or no port.
    """
    ports: dict[str, int] = {}
    for option in options:
        server, _, number = option.partition("=")
        if server not in SERVERS or not number.isdecimal() or not 0 < int(number) < 1 << 16:
            raise typer.BadParameter(
                f"must be one of {', '.join(SERVERS)}, then = and a number of 1 to 65535", param_hint="--port"
            )
        ports[server] = int(number)
    return ports


def _load(folder: Path) -> list[str]:
    try:
        names = list(load_definitions(folder))
    except DefinitionError as error:
        raise typer.TyperException(str(error)) from error
    if not names:
        raise typer.TyperException(f"{folder}: no campaign definitions; make one: ajo-dispatch campaigns import FILE")
    return names


def _start_flower(stack: Stack) -> str:
    def start(port: int) -> Child:
        command = [sys.executable, "-m", "celery", "-A", "ajo_worker.app", "flower"]
        options = [f"--address={LOOPBACK}", f"--port={port}", f"--tasks-columns={FLOWER_COLUMNS}"]
        child = stack.processes.start("flower", [*command, *options], env=stack.env)
        child.wait_until_ready("Visit me at", timeout=START_SECONDS)
        return child

    port = stack.home.port("flower")
    child = start(port) if port else on_free_port(start)
    url = child.wait_for_output(r"Visit me \w+ (http\S+)", timeout=START_SECONDS)[1]
    stack.home.note_port("flower", int(url.rpartition(":")[2].strip("/")))
    return url


def _guide(stack: Stack, flower_url: str, names: list[str], *, own: bool) -> str:
    programs = os.pathsep.join([str(PROGRAM.parent), str(site_of_postgres() / PROGRAMS)])
    file = stack.home.write_env(stack.env, programs)
    data = stack.home.folder if stack.home.kept else "temporary folders, and go with it"
    example = EXAMPLE
    if own:
        example = json.loads(stack.run("campaigns", "show", names[0], "--json"))["example"]
    indented = example.replace("\n", "\n  ")
    return f"""\
The stack is running. Its data are in {data}.

  Flower     {flower_url}
  simulator  {stack.simulator_url}
  journal    {stack.journal}
  campaigns  {", ".join(names)}

In another terminal, first:

  . {shlex.quote(str(file))}

and then for example:

  {indented}
  ajo-dispatch status
  ajo-dispatch delays
  psql "$AJO_DATABASE_URL" -c "table audit.triggers"

Ctrl-C stops everything."""
