"""``ajo-dispatch dead redrive`` and ``ajo-dispatch dead discard``: what changes dead letters."""

import sys
from typing import Annotated
from uuid import UUID

import typer
from ajo_producers.contract.counted import counted

from ajo_worker.cli.authority import Operator, read_authority
from ajo_worker.cli.dead.choosing import takes_filter
from ajo_worker.cli.dead.report import DONE, left_out_lines, other_lines, pace, show_plan
from ajo_worker.cli.printing import make_console
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.deadletters import redriving
from ajo_worker.deadletters.choosing import Filter, no_dead_letters
from ajo_worker.deadletters.redriving import CarriedOut, Order, Plan
from ajo_worker.ledger.database import connected, snapshot
from ajo_worker.ledger.ledger import PLANNER
from ajo_worker.ledger.operations import Authority

All = Annotated[bool, typer.Option("--all", help="All dead letters: instead of a filter.")]
Why = Annotated[str | None, typer.Option(metavar="TEXT", help="Why you do it: kept in the ledger; required.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
SLOWEST, FASTEST = 0.01, 100_000


@takes_filter
def redrive(
    *,
    chosen: Filter,
    everything: All = False,
    rate: Annotated[
        float, typer.Option(min=SLOWEST, max=FASTEST, metavar="N", help="So many go on a second at most.")
    ] = 50,
    unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Unconfirmed ones too, though they may be sent twice.")
    ] = False,
    why: Why = None,
    operator: Operator = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Have dead letters sent again, in a new round.

    The request id stays the same, the budget is a new one. Workers send them at --rate, as soon as nothing keeps their
    campaign back.

    It may be interrupted and repeated at any time: what is done stays done, and nothing is redriven twice.
    """
    order = Order("redrive", _not_by_accident(chosen, everything=everything), unconfirmed, rate)
    _run(order, why, operator, dry_run=dry_run, yes=yes)


@takes_filter
def discard(
    *,
    chosen: Filter,
    everything: All = False,
    why: Why = None,
    operator: Operator = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Delete the payloads of dead letters for good.

    They can never be sent again. Their triggers, attempts, states and reasons stay in the ledger.
    """
    order = Order("discard", _not_by_accident(chosen, everything=everything))
    _run(order, why, operator, dry_run=dry_run, yes=yes)


def _not_by_accident(chosen: Filter, *, everything: bool) -> Filter:
    if everything and chosen != Filter():
        raise typer.BadParameter("either all dead letters, or those that a filter takes", param_hint="--all")
    if not everything and chosen == Filter():
        raise typer.BadParameter("say which dead letters (ids, --campaign, …), or --all", param_hint="REQUEST_ID")
    return chosen


def _run(order: Order, why: str | None, operator: str | None, *, dry_run: bool, yes: bool) -> None:
    by = None if dry_run else read_authority(why, operator)
    if by is not None and not yes and not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on: give --yes, or --dry-run first", param_hint="--yes")
    url = read_settings().database_url.get_secret_value()
    plan, others = finish(_plan(url, order))
    problems = other_lines(others)
    if not plan.kinds:
        raise typer.TyperException("\n".join([*problems, "no dead letter fits"]))
    if by is None or not yes:
        show_plan(plan, order, make_console())
    if by is None:
        typer.echo("Nothing was changed (dry run)")
    elif plan.letters:
        if not yes:
            typer.confirm(f"{order.action.capitalize()} {counted(plan.letters, 'dead letter')}?", abort=True, err=True)
        problems += _change(url, order, plan, by)
    elif yes:
        _echo_left_out(plan)
    if not plan.letters:
        problems.append(f"nothing to {order.action}: all that fit are left out")
    if problems:
        raise typer.TyperException("\n".join(problems))


def _change(url: str, order: Order, plan: Plan, by: Authority) -> list[str]:
    """Do it and say what was done; returns what could not be done."""
    done = CarriedOut()
    try:
        left = finish(_carry_out(url, order, plan, by, done))
    except (KeyboardInterrupt, typer.TyperException):
        if done.letters:
            so_far = f"{counted(done.letters, 'dead letter')} {DONE[order.action]} so far"
            typer.echo(f"{so_far}, in operation {done.operation_id}; the same command does the rest", err=True)
        raise
    which = f" in operation {done.operation_id}" if done.operation_id is not None else ""
    typer.echo(f"{counted(done.letters, 'dead letter')} {DONE[order.action]}{which}{pace(order, done.letters)}")
    _echo_left_out(left)
    if left.letters:
        return [f"{counted(left.letters, 'dead letter')} locked by somebody for long, and left as found: repeat it"]
    return []


def _echo_left_out(plan: Plan) -> None:
    for line in left_out_lines(plan):
        typer.echo(line)


async def _plan(url: str, order: Order) -> tuple[Plan, dict[UUID, str]]:
    async with snapshot(url) as connection:
        return await redriving.plan(connection, order), await no_dead_letters(connection, order.chosen)


async def _carry_out(url: str, order: Order, plan: Plan, by: Authority, done: CarriedOut) -> Plan:
    async with connected(url, PLANNER) as connection:
        with progress_bar(plan.letters, "dead letters") as show:
            return await redriving.carry_out(connection, order, plan.at, by, done, show)
