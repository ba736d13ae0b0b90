"""See what is kept back and why, keep it back, let it go on.

``ajo-dispatch outage list|show|probe|hold|resume``
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import typer
from ajo_producers.campaigns.folder import load_definitions
from msgspec import structs

from ajo_worker.api.tls import tls_context
from ajo_worker.cli import completion
from ajo_worker.cli.asked_broker import complete
from ajo_worker.cli.authority import Operator, read_authority
from ajo_worker.cli.outage.report import Listed, Shown, show_list, show_one
from ajo_worker.cli.outage.until import parse_until
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.doctor.token import fetch_token
from ajo_worker.ledger import operations
from ajo_worker.ledger.database import connected, snapshot
from ajo_worker.ledger.operations import Authority
from ajo_worker.outages import circuits, history, token_circuit
from ajo_worker.outages.history import Detail
from ajo_worker.outages.known_scopes import UnknownScope, campaigns_in, scopes_named
from ajo_worker.outages.runbook import runbook
from ajo_worker.outages.scope import is_token, lane_of, scope_of_token
from ajo_worker.queues.lengths import queue_lengths
from ajo_worker.settings import Settings
from ajo_worker.triggers.campaign import KnownCampaign, campaigns_of
from ajo_worker.views.backlog import backlog as read_backlog
from ajo_worker.words import instant

app = typer.Typer(add_completion=False, no_args_is_help=True)

Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE", help="A lane, a campaign's name, or a scope as listed.", autocompletion=completion.scopes
    ),
]
Why = Annotated[str, typer.Option("--why", help="Why; it is recorded.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

POLL = 0.25
NOTED_SECONDS = 2.0
TOKEN_SECONDS = 20.0


@app.command("list")
def list_(
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Also those that began in the last 12h, 7d.")] = "7d",
    as_json: AsJson = False,
) -> None:
    """List what is slowed or kept back now and how much waits, the outages that last, and those of a while."""
    duration, settings = read_since(since), read_settings()
    found = finish(_list(settings, duration))
    found = structs.replace(found, backlog=complete(found.backlog, settings))
    if as_json:
        print_json(found)
    else:
        show_list(found, since, make_console())


@app.command()
def show(
    scope: Annotated[str, typer.Argument(metavar="SCOPE|NUMBER", autocompletion=completion.scopes)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one outage: since when and why, what waits, the last answers, and what to do.

    With a scope, its latest one.
    """
    settings = read_settings()
    campaigns = _campaigns(settings)
    found = finish(_detail(settings, scope, campaigns))
    if found is None:
        raise typer.TyperException(f"no outage of {scope} is on record")
    queued, unknown = _queued(settings, found.outage.scope)
    shown = Shown(found, queued, unknown, runbook(found))
    if as_json:
        print_json(shown)
    else:
        show_one(shown, make_console())


@app.command()
def probe(
    scope: Scope, *, wait: Annotated[float, typer.Option(min=1, help="Seconds to wait for its answer.")] = 90
) -> None:
    """Have the API called again now, with one parked trigger, and say what it answered.

    Of a token endpoint: ask for a token from here.
    """
    settings = read_settings()
    (one,) = _scopes(scope, settings)[:1]
    if is_token(one):
        _ask_for_token(one, settings)
        return
    found = finish(_probe(settings, one, wait))
    if found is None:
        ended = "ajo-dispatch outage list says if one has just ended"
        raise typer.TyperException(f"{one} has no outage that could be probed; {ended}")
    state, answers = found
    for answer in answers:
        typer.echo(f"{answer.probed_at:%H:%M:%S} UTC: {answer.found} ({answer.request_id})")
    if state == "open":
        why = "" if answers else f": no probe within {wait:g} s (is a worker running, and is anything parked?)"
        raise typer.TyperException(f"{one} is still open{why}")
    typer.echo(f"{one} is {state}: its triggers go on")


@app.command()
def hold(
    scope: Scope,
    *,
    why: Why,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME|DURATION", help="It ends by itself then: 2h, or 2026-11-25T14:00, which is UTC."),
    ] = None,
    operator: Operator = None,
) -> None:
    """Keep a lane, a campaign or (the token endpoint) everything back: not even a probe goes.

    It ends with --until, or once it is resumed. Of what is held already, --until sets another end.
    """
    by, settings = read_authority(why, operator), read_settings()
    end = None if until is None else _read_until(until, settings)
    for one in _scopes(scope, settings):
        typer.echo(f"{one}: {finish(_hold(settings, one, by, end))}")


@app.command()
def resume(scope: Scope, *, why: Why, operator: Operator = None) -> None:
    """Let a lane or a campaign go on, in growing numbers, whatever the last probe found."""
    by, settings, resumed = read_authority(why, operator), read_settings(), False
    for one in _scopes(scope, settings):
        if is_token(one) and finish(_state(settings, one)) == "open":
            raise typer.TyperException(
                f"{one}: nothing to resume: workers without a token ask for one, and go on with it by themselves"
            )
        number = finish(_resume(settings, one, by))
        typer.echo(f"{one}: {'nothing kept it back' if number is None else f'goes on (outage {number} is over)'}")
        resumed = resumed or number is not None
    if not resumed:
        raise typer.Exit(1)


def _campaigns(settings: Settings) -> Mapping[str, KnownCampaign]:
    try:
        return campaigns_of(load_definitions(settings.campaigns), settings)
    except ValueError as bad:
        raise WrongSettings(str(bad)) from None


def _scopes(word: str, settings: Settings) -> list[str]:
    return _named(word, _campaigns(settings), finish(_kept_back(settings)), settings)


def _named(word: str, campaigns: Mapping[str, KnownCampaign], kept_back: list[str], settings: Settings) -> list[str]:
    try:
        return scopes_named(word, campaigns, kept_back, scope_of_token(settings.token_url))
    except UnknownScope as unknown:
        raise typer.BadParameter(str(unknown), param_hint="SCOPE") from None


def _queued(settings: Settings, scope: str) -> tuple[int | None, str | None]:
    try:
        lengths = queue_lengths(settings)
    except OSError as fault:
        return None, f"the broker can't be asked: {fault}"
    lane = lane_of(scope)
    return sum(lengths.values()) if is_token(scope) else lengths.get(lane) if lane else None, None


async def _list(settings: Settings, since: timedelta) -> Listed:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return Listed(await history.outages(connection, since), await read_backlog(connection))


async def _kept_back(settings: Settings) -> list[str]:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await circuits.kept_back(connection)


async def _detail(settings: Settings, word: str, campaigns: Mapping[str, KnownCampaign]) -> Detail | None:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        if word.isdecimal():
            outage = await history.numbered(connection, int(word))
        else:
            scopes = _named(word, campaigns, await circuits.kept_back(connection), settings)
            latest = [one for scope in scopes if (one := await history.latest(connection, scope))]
            outage = max(latest, key=lambda one: one.opened_at, default=None)
        if outage is None:
            return None
        found = await history.detail(connection, outage, campaigns_in(outage.scope, campaigns))
        if is_token(outage.scope) and outage.ended_at is None:
            return structs.replace(found, without_token=await history.without_token(connection))
        return found


def _ask_for_token(scope: str, settings: Settings) -> None:
    found = asyncio.run(fetch_token(settings, tls_context(settings), TOKEN_SECONDS)).check
    typer.echo(f"asked from here: {found.found}")
    if found.status == "failed":
        raise typer.TyperException(found.advice or found.status)
    if finish(_state(settings, scope)) in ("open", "held"):
        typer.echo(f"{scope}: each worker asks by itself, and goes on with its first token")


async def _state(settings: Settings, scope: str) -> str:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        circuit = (await circuits.read(connection)).get(scope)
        return circuit.state if circuit else "closed"


async def _probe(settings: Settings, scope: str, wait: float) -> tuple[str, list[history.TriggerProbe]] | None:
    async with connected(settings.database_url.get_secret_value()) as connection:
        number = await circuits.probe_now(connection, scope)
        if number is None:
            return None
        before = {one.probed_at for one in await history.probes(connection, number)}
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            new = [one for one in await history.probes(connection, number) if one.probed_at not in before]
            state = (await circuits.read(connection))[scope].state
            if new or asyncio.get_running_loop().time() > deadline:
                return state, new
            if state != "open":  # it is over; what the probe found is written next
                deadline = min(deadline, asyncio.get_running_loop().time() + NOTED_SECONDS)
            await asyncio.sleep(POLL)


def _read_until(text: str, settings: Settings) -> datetime:
    now = finish(_now(settings))  # this machine's clock may be wrong, and workers go by the ledger's
    try:
        return parse_until(text, now)
    except ValueError as bad:
        raise typer.BadParameter(str(bad), param_hint="--until") from None


async def _now(settings: Settings) -> datetime:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        now: datetime = await connection.fetchval("SELECT now()")
        return now


async def _hold(settings: Settings, scope: str, by: Authority, until: datetime | None) -> str:
    """Hold it, or put off the end of what is held; what is to be said of it."""
    async with connected(settings.database_url.get_secret_value()) as connection, connection.transaction():
        number = await circuits.hold(connection, scope, by.why, by.operator, until)
        held = "held" if number is not None else "was held already, now"
        if number is None and (
            until is None or (number := await circuits.put_off_end(connection, scope, until)) is None
        ):
            return "was held already"
        ends = {} if until is None else {"until": until}
        await operations.note(connection, by, "hold", {"scope": scope, "outage": number, **ends})
        return f"{held} {f'until {instant(until)}' if until else 'until it is resumed'} (outage {number})"


async def _resume(settings: Settings, scope: str, by: Authority) -> int | None:
    async with connected(settings.database_url.get_secret_value()) as connection, connection.transaction():
        recover = token_circuit.let_go if is_token(scope) else circuits.recover
        number = await recover(connection, scope, by.operator)
        if number is not None:
            await operations.note(connection, by, "resume", {"scope": scope, "outage": number})
        return number
