"""``ajo-dispatch outage probe``, ``hold`` and ``resume``: what changes what is kept back."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from ajo_worker.api.tls import tls_context
from ajo_worker.cli.authority import Operator, read_authority
from ajo_worker.cli.outage.asked import Scope, scopes_meant
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import parse_duration
from ajo_worker.doctor.token import fetch_token
from ajo_worker.ledger import operations
from ajo_worker.ledger.database import connected, snapshot
from ajo_worker.ledger.operations import Authority
from ajo_worker.outages import circuits, history, probe_rights, token_circuit
from ajo_worker.outages.scope import is_token
from ajo_worker.settings import Settings
from ajo_worker.words import instant

Why = Annotated[str, typer.Option("--why", help="Why; it is recorded.")]
POLL = 0.25
NOTED_SECONDS = 2.0
TOKEN_SECONDS = 20.0


def probe(
    scope: Scope, *, wait: Annotated[float, typer.Option(min=1, help="Seconds to wait for its answer.")] = 90
) -> None:
    """Have the API called again now, with one parked trigger, and say what it answered.

    Of a token endpoint: ask for a token from here.
    """
    settings = read_settings()
    (one,) = scopes_meant(scope, settings)[:1]
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
    for one in scopes_meant(scope, settings):
        typer.echo(f"{one}: {finish(_hold(settings, one, by, end))}")


def resume(scope: Scope, *, why: Why, operator: Operator = None) -> None:
    """Let a lane or a campaign go on, in growing numbers, whatever the last probe found."""
    by, settings, resumed = read_authority(why, operator), read_settings(), False
    for one in scopes_meant(scope, settings):
        if is_token(one) and finish(_state(settings, one)) == "open":
            raise typer.TyperException(
                f"{one}: nothing to resume: workers without a token ask for one, and go on with it by themselves"
            )
        number = finish(_resume(settings, one, by))
        typer.echo(f"{one}: {'nothing kept it back' if number is None else f'goes on (outage {number} is over)'}")
        resumed = resumed or number is not None
    if not resumed:
        raise typer.Exit(1)


def _ask_for_token(scope: str, settings: Settings) -> None:
    found = asyncio.run(fetch_token(settings, tls_context(settings), TOKEN_SECONDS)).check
    typer.echo(f"asked from here: {found.found}")
    if found.status == "failed":
        raise typer.TyperException(found.advice or found.status)
    if finish(_state(settings, scope)) in circuits.NOTHING_SENT:
        typer.echo(f"{scope}: each worker asks by itself, and goes on with its first token")


async def _state(settings: Settings, scope: str) -> str:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        circuit = (await circuits.read(connection)).get(scope)
        return circuit.state if circuit else "closed"


async def _probe(settings: Settings, scope: str, wait: float) -> tuple[str, list[history.TriggerProbe]] | None:
    async with connected(settings.database_url.get_secret_value()) as connection:
        number = await probe_rights.probe_now(connection, scope)
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


def parse_until(text: str, now: datetime) -> datetime:
    """The moment that ``2026-11-25T14:00`` (UTC, unless it says otherwise) or ``2h`` means, in UTC. Pure.

    Raises:
        ValueError: it is neither, or lies not ahead.
    """
    try:
        return now + parse_duration(text)
    except ValueError as no_duration:
        if text.strip()[:1].isdigit() and "-" in text:
            return _moment(text, now)
        raise ValueError(f"{no_duration}, or a time such as 2026-11-25T14:00 (UTC)") from None


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a time such as 2026-11-25T14:00 (UTC), or a duration such as 2h") from None
    if moment <= now:
        raise ValueError(f"{moment:%Y-%m-%d %H:%M:%S} UTC is over: it is {now:%Y-%m-%d %H:%M:%S} UTC")
    return moment
