"""``ajo-dispatch trigger --from``: from a file to what is told of it in the end."""

import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import typer
from rich.console import Console

from ajo_producers.campaigns.definition import BeforeStart, Definition
from ajo_producers.cli.stopping import Stop
from ajo_producers.cli.trigger_csv import read_csv
from ajo_producers.cli.trigger_jsonl import read_jsonl
from ajo_producers.cli.trigger_keys import Clash, clashes, following
from ajo_producers.cli.trigger_lines import Line
from ajo_producers.cli.trigger_many import Run
from ajo_producers.cli.trigger_outcome import as_json as outcome_as_json
from ajo_producers.cli.trigger_outcome import early_end
from ajo_producers.cli.trigger_progress import ProgressLine
from ajo_producers.cli.trigger_receipts import open_receipts
from ajo_producers.cli.trigger_text import BadFile, lines_of, look_through
from ajo_producers.cli.usage import WrongUsage
from ajo_producers.publishing.environment import read_before_start
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.publisher import Publisher


class Format(StrEnum):
    """How a file's lines are written."""

    CSV = "csv"
    JSONL = "jsonl"


SUFFIXES = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
}
NO_TIME = (
    "note: {:,} with a key and no occurred_at: the key then means this message whenever it comes again, and how late "
    "the event was can't be told; give the event's own time in occurred_at"
)


class Bulk(NamedTuple):
    """How a file's triggers are published."""

    batch_size: int
    rate: float | None
    receipts: Path | None
    resume: Path | None
    start_line: int


def trigger_many(
    definition: Definition,
    source: Path,
    format_: Format,
    defaults: dict[str, Any],
    bulk: Bulk,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Publish a file's triggers, and tell what became of them.

    Raises:
        typer.Exit: not every line went out.
        typer.TyperException: nothing was published: the file's head can't be used.
        WrongUsage: a setting can't.
    """
    refused: list[dict[str, Any]] = []
    done = "valid" if dry_run else "confirmed"
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        file: Any = sys.stdin.buffer if str(source) == "-" else stack.enter_context(source.open("rb"))
        progress = stack.enter_context(ProgressLine(console, file, done))

        def show_refused(number: int, problems: tuple[str, ...]) -> None:
            if as_json:
                refused.append({"line": number, "problems": problems})
            else:
                console.print(f"line {number}: {'; '.join(problems)}", markup=False)

        def read() -> Iterator[Line]:
            lines = lines_of(file)
            return read_csv(lines, definition, defaults) if format_ is Format.CSV else read_jsonl(lines, defaults)

        try:
            clash = _look_through(file, read)
            found = read()
        except BadFile as error:
            shown = "standard input" if str(source) == "-" else source
            raise typer.TyperException(f"{shown}:{error.line}: {error}; nothing was published") from error
        run = Run(
            definition,
            publisher=None if dry_run else stack.enter_context(publisher()),
            batch_size=bulk.batch_size,
            receipts=stack.enter_context(open_receipts(bulk.receipts, bulk.resume)),
            on_refused=show_refused,
            on_progress=progress.show,
            stop=stack.enter_context(Stop()),
            rate=bulk.rate,
            start_line=bulk.start_line,
            before_start=before_start(),
            clash=clash,
        )
        with suppress(KeyboardInterrupt):  # the outcome says what is in doubt
            run.publish(found)
    _tell(definition, run, bulk.receipts or bulk.resume, refused, dry_run=dry_run, as_json=as_json)


def _look_through(file: Any, read: Callable[[], Iterable[Line]]) -> Clash:  # noqa: ANN401 - a buffered reader
    """Look through what can be read twice, before anything of it is published.

    Raises:
        BadFile: it can't be read as a whole.
    """
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return following()
    begin = file.tell()
    has_keys = look_through(file, "key")
    file.seek(begin)
    clash = clashes(read()) if has_keys else following()
    file.seek(begin)
    return clash


def _tell(
    definition: Definition,
    run: Run,
    receipts: Path | None,
    refused: list[dict[str, Any]],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    outcome, done = run.outcome, "valid" if dry_run else "confirmed"
    if as_json:
        facts = {"campaign": definition.name, "dry_run": dry_run, **outcome_as_json(outcome, done)}
        typer.echo(json.dumps({**facts, "refused_lines": refused}, indent=2))
    else:
        end = "; nothing was published (dry run)" if dry_run else f", {outcome.unconfirmed:,} not confirmed"
        left_out = f", {outcome.left_out:,} left out" if outcome.left_out else ""
        counts = f"{outcome.confirmed:,} of {outcome.read:,} {done}, {outcome.refused:,} refused"
        typer.echo(f"{definition.name}: {counts}{left_out}{end}")
        if outcome.keys_without_time and not dry_run and sys.stderr.isatty():  # advice for people, and no fault
            typer.echo(NO_TIME.format(outcome.keys_without_time), err=True)
        if outcome.ended_early:
            texts = [outcome.error or "interrupted", *([] if dry_run else early_end(outcome, receipts))]
            typer.echo("error: " + "\n".join(texts), err=True)
    if run.stop.asked is not None and outcome.ended_early:
        raise typer.Exit(128 + run.stop.asked)
    if not outcome.complete:
        raise typer.Exit(1)


def before_start() -> BeforeStart:
    """``AJO_BEFORE_START``.

    Raises:
        WrongUsage: it says neither.
    """
    try:
        return read_before_start(os.environ)
    except SettingError as error:
        raise WrongUsage(str(error)) from error


def publisher() -> Publisher:
    """The publisher of the environment.

    Raises:
        WrongUsage: a setting can't be used.
    """
    try:
        return Publisher.from_env()
    except SettingError as error:
        raise WrongUsage(str(error)) from error
