"""What became of the lines of a file, and how to go on where it ended before its time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_SPANS = 10
Spans = list[tuple[int, int]]
"""First and last numbers of lines that follow one another."""


@dataclass
class FileOutcome:
    """What became of the lines so far; without a publisher, ``confirmed`` are those that could be published.

    Of the lines not confirmed, those in ``doubtful_lines`` were on their way and may have arrived; the broker certainly
    has none of the others. ``left_out`` were confirmed before, or stand before the line to begin with.
    ``stopped_after`` is the last line that was looked at when somebody stopped it, or before one that can't be read.
    """

    read: int = 0
    confirmed: int = 0
    refused: int = 0
    left_out: int = 0
    keys_without_time: int = 0
    unconfirmed: int = 0
    unconfirmed_lines: Spans = field(default_factory=list)
    doubtful_lines: Spans = field(default_factory=list)
    last_line: int = 0
    stopped_after: int | None = None
    error: str | None = None

    @property
    def ended_early(self) -> bool:
        """Whether there may be lines that were not tried, or whose answer didn't come."""
        return bool(self.unconfirmed) or self.error is not None or self.stopped_after is not None

    @property
    def complete(self) -> bool:
        """Whether every line went out."""
        return not self.refused and not self.ended_early

    def give_up(self, number: int, *, doubtful: bool) -> None:
        """Count a line as not confirmed; in the order of their numbers."""
        self.unconfirmed += 1
        _add(self.unconfirmed_lines, number)
        if doubtful:
            _add(self.doubtful_lines, number)


def as_json(outcome: FileOutcome, done: str) -> dict[str, Any]:
    """The counts as JSON; what concerns an early end is there only after one."""
    counts = {"read": outcome.read, done: outcome.confirmed, "refused": outcome.refused}
    more: dict[str, Any] = {"unconfirmed": outcome.unconfirmed, "unconfirmed_lines": outcome.unconfirmed_lines}
    if outcome.doubtful_lines:
        more["doubtful_lines"] = outcome.doubtful_lines
    if outcome.left_out:
        more["left_out"] = outcome.left_out
    if outcome.stopped_after is not None:
        more["stopped_after"] = outcome.stopped_after
    return {**counts, **more, "error": outcome.error}


def early_end(outcome: FileOutcome, receipts: Path | None) -> list[str]:
    """What is not confirmed, and how to go on, in lines; ``receipts`` is the file that was written. Pure."""
    return [*_what_is_left(outcome), *_how_to_go_on(outcome, receipts)]


def _what_is_left(outcome: FileOutcome) -> Iterator[str]:
    if outcome.unconfirmed_lines:
        yield f"not confirmed: {lines(outcome.unconfirmed_lines)}"
        if not outcome.doubtful_lines:
            yield "none of them was sent"
        elif outcome.doubtful_lines == outcome.unconfirmed_lines:
            yield "they were on their way, and may have arrived"
        else:
            yield f"of these, {lines(outcome.doubtful_lines)} were on their way and may have arrived"
    if outcome.stopped_after is not None:
        yield f"nothing after line {outcome.stopped_after} was looked at"


def _how_to_go_on(outcome: FileOutcome, receipts: Path | None) -> Iterator[str]:
    if receipts is not None:
        yield f"to go on: the same command with --resume {receipts} in place of --receipts {receipts}"
        yield "it leaves out what is confirmed, and sends what may have arrived under the same request id: never twice"
        return
    first = outcome.unconfirmed_lines[0][0] if outcome.unconfirmed_lines else (outcome.stopped_after or 0) + 1
    yield f"to go on: the same command with --start-line {first}"
    if outcome.doubtful_lines:
        yield "what may have arrived is sent twice then, unless its line has a key: --receipts FILE would have known"


def lines(spans: Spans) -> str:
    """Numbers of lines for people, the first ones of many."""
    shown = [f"{first}" if first == last else f"{first}–{last}" for first, last in spans[:MOST_SPANS]]
    more = f" and {len(spans) - MOST_SPANS} more" if len(spans) > MOST_SPANS else ""
    several = len(spans) > 1 or spans[0][0] != spans[0][1]
    return f"line{'s' * several} {', '.join(shown)}{more}"


def _add(spans: Spans, number: int) -> None:
    first, last = spans[-1] if spans else (number, number - 2)
    if last == number - 1:
        spans[-1] = (first, number)
    else:
        spans.append((number, number))
