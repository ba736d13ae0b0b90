"""Keep the whole stack running on this machine, with Flower, until Ctrl-C."""

import shlex
import sys
import time

import typer
from rich.console import Console

from ajo_worker.local.ports import LOOPBACK, on_free_port
from ajo_worker.local.processes import Child, LocalStackError, ended_by_sigterm
from ajo_worker.local.stack import CAMPAIGN, START_SECONDS, Stack, local_stack

app = typer.Typer(add_completion=False)

CHECK_SECONDS = 0.5
FLOWER_COLUMNS = "uuid,args,state,result,received"
"""What Flower's list of tasks shows: a message's id, campaign and number of triggers, and what it came to."""


@app.command()
def dev() -> None:
    """Start PostgreSQL, Valkey, a simulator with a few faults, a worker and Flower, and keep them running."""
    console = Console(soft_wrap=True, highlight=False)
    try:
        with ended_by_sigterm(), local_stack() as stack:
            stack.start_worker()
            flower_url = _start_flower(stack)
            console.print(_guide(stack, flower_url), markup=False)
            while True:
                stack.processes.check()
                time.sleep(CHECK_SECONDS)
    except LocalStackError as error:
        raise typer.TyperException(str(error)) from error
    except KeyboardInterrupt:
        console.print("\nEverything is stopped.")


def _start_flower(stack: Stack) -> str:
    def start(port: int) -> Child:
        command = [sys.executable, "-m", "celery", "-A", "ajo_worker.app", "flower"]
        options = [f"--address={LOOPBACK}", f"--port={port}", f"--tasks-columns={FLOWER_COLUMNS}"]
        child = stack.processes.start("flower", [*command, *options], env=stack.env)
        child.wait_until_ready("Visit me at", timeout=START_SECONDS)
        return child

    child = on_free_port(start, "Address already in use")
    return child.wait_for_output(r"Visit me \w+ (http\S+)", timeout=START_SECONDS)[1]


def _guide(stack: Stack, flower_url: str) -> str:
    variables = "\n".join(f"  export {name}={shlex.quote(value)}" for name, value in stack.env.items())
    return f"""\
The stack is running. Its data are in temporary folders, and go with it.

  Flower     {flower_url}
  simulator  {stack.simulator_url}
  journal    {stack.journal}

In another terminal, first:

{variables}

and then for example:

  ajo-dispatch trigger {CAMPAIGN} --to ada@example.com --context orderId=A-1 \\
      --context customer.firstName=Ada --context carrier="Swift Parcels" --context eta=Monday
  ajo-dispatch status
  ajo-dispatch delays
  psql "$AJO_DATABASE_URL" -c "table audit.triggers"

Ctrl-C stops everything."""
