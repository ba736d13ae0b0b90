"""What a parent does when one of its workers has ended: decisions, from values to values."""

from dataclasses import dataclass

from ajo_worker.cli.running import WrongSettings

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0
SETTLED_SECONDS = 30.0
"""Whoever has lived for so long could start: its end is news, and not the same fault again."""
MOST_TRIES = 5
"""So many ends in a row of a worker that never settled."""


@dataclass(frozen=True)
class Again:
    """Start it again, in so many seconds."""

    pause: float


@dataclass(frozen=True)
class Stay:
    """It has ended in good order by itself, as remote control asks of it: let it be."""


@dataclass(frozen=True)
class GiveUp:
    """Stop the others as well, and end with this code."""

    code: int


def after(code: int, *, lived: float, in_a_row: int, others_settled: bool) -> Again | Stay | GiveUp:
    """What follows on an end that nobody asked the parent for. Pure.

    Args:
        code: the worker's exit code, negative for a signal.
        lived: seconds that it ran.
        in_a_row: how many times it has ended without having settled in between, this time included.
        others_settled: whether any other worker runs that has settled, so that the fault is not everybody's.
    """
    if code == 0:
        return Stay()
    if code == WrongSettings.exit_code:
        return GiveUp(code)
    if lived >= SETTLED_SECONDS:
        return Again(FIRST_PAUSE_SECONDS)
    if in_a_row >= MOST_TRIES and not others_settled:
        return GiveUp(1)
    return Again(pause_after(in_a_row))


def pause_after(in_a_row: int) -> float:
    """Seconds until a worker is started again that didn't start, or didn't settle, so many times in a row. Pure."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(in_a_row - 1, 10))


def numbered(name: str, number: int) -> str:
    """The name of a parent's worker: its number stands before the host's, since Flower knows workers by their names.

    Pure.
    """
    own, at, host = name.partition("@")
    return f"{own}-{number}{at}{host}"
