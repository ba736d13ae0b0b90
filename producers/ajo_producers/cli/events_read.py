"""``events read``: events from a file or standard input."""

import json
import queue
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ajo_producers.campaigns.folder import DEFAULT_FOLDER
from ajo_producers.cli.events_loading import DEFAULT_FILE, File, Rules, load
from ajo_producers.cli.options import Folder
from ajo_producers.cli.stopping import Stop
from ajo_producers.cli.trigger_file import publisher
from ajo_producers.contract.counted import counted
from ajo_producers.events.dead_letters import DeadLetterFile
from ajo_producers.events.event import BadEvent, Event
from ajo_producers.events.lines import UnreadableLine, read_lines
from ajo_producers.events.portion import Portion, Streaming
from ajo_producers.events.translation import STATUSES

T = TypeVar("T")

MOST_AT_ONCE = 1000
"""Events that are published together; fewer where no more have come yet."""


class _Nowhere:
    """A dry run's publisher."""

    def publish_stream(self, triggers: Iterable[Any], /) -> Iterator[Any]:
        """Take them, and do nothing."""
        yield tuple(triggers)


def read_events(
    source: Annotated[Path, typer.Argument(metavar="FILE|-", help="JSON lines, or one JSON array.")],
    *,
    file: File = DEFAULT_FILE,
    folder: Folder = DEFAULT_FOLDER,
    dead_letters: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what is refused, with the reasons (personal data).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; publish nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take CloudEvents from a file or standard input: an event a line, or a JSON array; or a file of dead letters.

    Events with faults are named by line, and the others go out; the exit code is 1 then. What comes over a pipe is
    published as it comes. After an interruption, read the file again: the same events are no second messages.
    """
    rules = load(file, folder)
    with ExitStack() as stack:
        stream: Any = sys.stdin.buffer if str(source) == "-" else stack.enter_context(source.open("rb"))
        run = _Run(
            rules,
            _Nowhere() if dry_run else stack.enter_context(publisher()),
            DeadLetterFile(dead_letters) if dead_letters is not None and not dry_run else None,
            as_json=as_json,
        )
        stop = stack.enter_context(Stop())
        with suppress(KeyboardInterrupt):
            run.publish(stop.items(_portions(read_lines(stream))))
    run.tell(str(source), dry_run=dry_run)
    if stop.asked is not None and stop.cut:
        raise typer.Exit(128 + stop.asked)
    if run.error is not None or run.refused_lines:
        raise typer.Exit(1)


class _Run:
    """What became of the events of one stream."""

    def __init__(
        self, rules: Rules, publisher: Streaming, dead_letters: DeadLetterFile | None, *, as_json: bool
    ) -> None:
        self._rules, self._publisher, self._dead_letters, self._as_json = rules, publisher, dead_letters, as_json
        self.counts: Counter[str] = Counter()
        self.confirmed = self.refused_lines = 0
        self.refused: list[dict[str, Any]] = []  # for JSON alone: a stream may go on for long
        self.not_confirmed: list[int] = []
        self.error: str | None = None

    def publish(self, portions: Iterator[list[tuple[int, Event | BadEvent]]]) -> None:
        """Publish until the end, or until the broker doesn't confirm."""
        try:
            for lines in portions:
                portion = Portion([event for _, event in lines], self._rules.translate)
                failure = portion.publish(self._publisher)
                self.counts += portion.counts()
                self.confirmed += portion.confirmed
                for place, (number, _) in enumerate(lines):
                    if portion.found[place].faults:
                        self._refuse(number, [str(fault) for fault in portion.found[place].faults])
                    if not portion.is_done(place):
                        self.not_confirmed.append(number)
                if self._dead_letters is not None and portion.refused:
                    self._dead_letters.keep(portion.refused, "file")
                if failure is not None:
                    self.error = str(failure)
                    return
        except UnreadableLine as error:
            self.error = f"line {error.line}: {error}; nothing after that was read"

    def tell(self, source: str, *, dry_run: bool) -> None:
        """Print the outcome."""
        done = "could be sent" if dry_run else "confirmed"
        counts: dict[str, int] = {status: self.counts[status] for status in STATUSES}
        if self._as_json:
            told = {"read": self.counts.total(), **counts, "triggers": self.confirmed, "dry_run": dry_run}
            lines = {"refused_lines": self.refused, "not_confirmed_lines": self.not_confirmed, "error": self.error}
            typer.echo(json.dumps({**told, **lines}, indent=2))
            return
        shown = ", ".join(f"{count:,} {status}" for status, count in counts.items() if count) or "none"
        events, triggers = counted(self.counts.total(), "event"), counted(self.confirmed, "trigger")
        typer.echo(f"{source}: {events} ({shown}); {triggers} {done}")
        if self.error is not None:
            again = "read the file again: what is confirmed is not sent a second time"
            at = f"; not confirmed from line {self.not_confirmed[0]} on, {again}" if self.not_confirmed else ""
            typer.echo(f"error: {self.error}{at}", err=True)

    def _refuse(self, number: int, faults: list[str]) -> None:
        self.refused_lines += 1
        if self._as_json:
            self.refused.append({"line": number, "faults": faults})
        else:
            typer.echo(f"line {number}: {'; '.join(faults)}", err=True)


def _portions(items: Iterator[T]) -> Iterator[list[T]]:
    """What has come, in portions: whoever writes into a pipe slowly doesn't wait for a portion to fill."""
    come: queue.Queue[T | BaseException | None] = queue.Queue(MOST_AT_ONCE)

    def read() -> None:
        end: BaseException | None = None
        try:
            for item in items:
                come.put(item)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            end = error
        come.put(end)

    threading.Thread(target=read, daemon=True).start()
    while True:
        portion = [come.get()]
        with suppress(queue.Empty):
            while portion[-1] is not None and len(portion) < MOST_AT_ONCE:
                portion.append(come.get_nowait())
        ended = portion[-1] is None or isinstance(portion[-1], BaseException)
        whole: list[Any] = portion[:-1] if ended else portion
        if whole:
            yield whole
        if ended:
            if isinstance(portion[-1], BaseException):
                raise portion[-1]
            return
