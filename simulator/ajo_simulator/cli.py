"""Stand in for Journey Optimizer over HTTP(S), with scripted faults."""

import asyncio
import os
import resource
import signal
import ssl
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from msgspec import structs

from ajo_simulator.certificates import Certificate, server_context
from ajo_simulator.feedback.dataset import FORMS, Form, encode
from ajo_simulator.journal import Journal
from ajo_simulator.scenario import BadScenario, Scenario, load_scenario
from ajo_simulator.server import Simulator
from ajo_simulator.tokens import Tokens

app = typer.Typer(add_completion=False)


def _address(host: str) -> str:
    """An empty one, of a variable that isn't set, would be every address of this machine."""
    try:
        name = host.strip().encode("idna")
    except UnicodeError:
        name = b""
    if not name:
        raise typer.BadParameter("must be an address of this machine, or a name that has one")
    return host


@app.command()
def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.", callback=_address)] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for a free one.", min=0, max=65_535)] = 8080,
    scenario: Annotated[Path | None, typer.Option(help="TOML file of latencies and faults.", dir_okay=False)] = None,
    journal: Annotated[Path | None, typer.Option(help="File that gets a JSON line for each call.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draws the faults anew; else the scenario's own.")] = None,
    *,
    tls: Annotated[bool, typer.Option("--tls", help="Serve HTTPS, with a certificate made for this run.")] = False,
    certificate: Annotated[Certificate, typer.Option(help="What the certificate is like, with --tls.")] = "valid",
    ca_out: Annotated[Path | None, typer.Option(help="Where to write the CA's certificate, with --tls.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="Keeps the CA with its key, with --tls: later runs are trusted alike.")
    ] = None,
    feedback_export: Annotated[
        Path | None, typer.Option(help="File of the feedback told, written at the end: .jsonl, .csv or .parquet.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="The only client id that gets a token.")] = None,
    client_secret: Annotated[
        str | None, typer.Option(envvar="AJO_SIMULATOR_CLIENT_SECRET", help="The only secret that gets a token.")
    ] = None,
) -> None:
    """Stand in for Journey Optimizer: token, execution, health and campaign endpoints, with scripted faults.

    Prints “listening on URL” once it does, and ends at SIGTERM or Ctrl-C.
    """
    with_tls = {"--ca-out": ca_out, "--authority": authority, "--certificate": certificate != "valid"}
    if not tls and (alone := [option for option, given in with_tls.items() if given]):
        raise typer.BadParameter("needs --tls", param_hint=alone[0])
    try:
        rules = load_scenario(scenario) if scenario else Scenario()
    except BadScenario as bad:
        raise typer.TyperException(str(bad)) from None
    form = _form_of(feedback_export) if feedback_export else None
    if seed is not None:
        rules = structs.replace(rules, seed=seed)
    _allow_many_connections()
    simulator = Simulator(
        rules,
        host=host,
        port=port,
        tls=_context(host, certificate, ca_out, authority) if tls else None,
        journal=Journal(journal),
        tokens=Tokens(client_id, client_secret),
    )
    uvloop.run(_serve(simulator, f"{host}:{port}"))
    if feedback_export and form:
        feedback_export.write_bytes(encode(simulator.feedback.told(time.time()), form))


def _form_of(export: Path) -> Form:
    """The form of an export by its name; what can't be written ends the command before it begins."""
    form = next((one for one in FORMS if export.suffix == f".{one}"), None)
    if form is None:
        raise typer.BadParameter("ends with .jsonl, .csv or .parquet", param_hint="--feedback-export")
    export.write_bytes(encode([], form))
    return form


def _context(host: str, certificate: Certificate, ca_out: Path | None, authority: Path | None) -> ssl.SSLContext:
    try:
        return server_context(host, certificate, ca_out, authority)
    except ValueError:
        raise typer.TyperException(f"{authority}: holds no certificate authority with its key") from None


async def _serve(simulator: Simulator, address: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(simulator)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise typer.TyperException(f"can't listen on {address}: {reason}") from None
        typer.echo(f"listening on {simulator.url}")
        await stop.wait()


def _allow_many_connections() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS has a hard limit that it then refuses
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
