"""What the commands say of feedback that was stored or matched."""

from collections import Counter

import typer
from ajo_producers.contract.counted import counted

from ajo_worker.feedback.correlation import Kind
from ajo_worker.feedback.matching import Matched

FOUND: tuple[Kind, ...] = ("execution-id", "request-id", "recipient")


def show_matched(matched: Matched) -> None:
    """Print what was looked at, and what was found."""
    if matched.looked_at:
        typer.echo(f"{counted(matched.looked_at, 'feedback')} looked at: {kinds_text(matched.kinds)}")
    else:
        typer.echo("No feedback without its trigger")
    if matched.confirmed:
        typer.echo(f"{counted(matched.confirmed, 'unconfirmed trigger')} confirmed")


def kinds_text(kinds: Counter[Kind]) -> str:
    """How many were matched in which way, ambiguous, unmatched, and of others' campaigns. Pure."""
    ways = ", ".join(f"{kinds[kind]:,} by {kind.replace('-', ' ')}" for kind in FOUND if kinds[kind])
    found = sum(kinds[kind] for kind in FOUND)
    how, apart = f" ({ways})" if ways else "", f", {kinds['apart']:,} of others" if kinds["apart"] else ""
    return f"{found:,} matched{how}, {kinds['ambiguous']:,} ambiguous, {kinds['none']:,} unmatched{apart}"
