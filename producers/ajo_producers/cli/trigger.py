"""Trigger a campaign for one recipient, or for many from a file.

``ajo-dispatch trigger NAME --to … --context k=v`` and ``ajo-dispatch trigger NAME --from FILE``
"""

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.folder import DefinitionError, UnknownCampaignError, load_definitions
from ajo_producers.cli.trigger_lines import BadHeader, read_csv, read_jsonl, read_texts, text_lines
from ajo_producers.cli.trigger_many import Outcome, Run
from ajo_producers.cli.trigger_progress import ProgressLine
from ajo_producers.contract.batch import MAX_TRIGGERS
from ajo_producers.publishing.checked import CheckedTrigger, check_trigger
from ajo_producers.publishing.errors import InvalidTrigger, PublishError, SettingError
from ajo_producers.publishing.outgoing import DEFAULT_BATCH_SIZE
from ajo_producers.publishing.publisher import Publisher

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    """How a file's lines are written."""

    CSV = "csv"
    JSONL = "jsonl"


SUFFIXES = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL}
Pairs = list[str] | None
MOST_SPANS = 10


@app.command()
def trigger(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")],
    *,
    to: Annotated[str | None, typer.Option(help="E-mail address or phone number.")] = None,
    user_id: Annotated[str | None, typer.Option(help="The user's id, if it is not the address.")] = None,
    context: Annotated[Pairs, typer.Option(metavar="PATH=VALUE", help="A context variable; repeat it.")] = None,
    profile: Annotated[Pairs, typer.Option(metavar="PATH=VALUE", help="A profile variable; repeat it.")] = None,
    channel_data: Annotated[Pairs, typer.Option(metavar="PATH=VALUE", help="Channel data; repeat it.")] = None,
    key: Annotated[str | None, typer.Option(help="Names the event: the same key is the same message.")] = None,
    occurred_at: Annotated[str | None, typer.Option(metavar="TIME", help="The event's time (RFC 3339).")] = None,
    expires_in: Annotated[float | None, typer.Option(metavar="SECONDS", help="No attempt starts later.")] = None,
    trace_id: Annotated[str | None, typer.Option(help="Your own id, to find it again in the ledger.")] = None,
    source: Annotated[Path | None, typer.Option("--from", metavar="FILE|-", help="CSV or JSON lines.")] = None,
    format_: Annotated[Format | None, typer.Option("--format", help="Of --from, if its name doesn't tell.")] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, max=MAX_TRIGGERS, help="Triggers a message, with --from.")
    ] = DEFAULT_BATCH_SIZE,
    rate: Annotated[
        float | None, typer.Option(min=0.01, metavar="N", help="Triggers a second at most, with --from.")
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --from: writes what became of each line.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; publish nothing.")] = False,
    folder: Annotated[
        Path, typer.Option("--dir", envvar="AJO_CAMPAIGNS", help="Folder of campaign definitions.")
    ] = Path("campaigns"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Trigger a campaign for one recipient (--to), or for many (--from).

    A file has a trigger a line: CSV with a header such as to,key,context.orderId, or JSON objects with the names to,
    user_id, key, occurred_at, expires_in, expires_at, trace_id, context, profile, channel_data, recipients. Lines
    with faults are named, and the others go out. The broker is AJO_BROKER_URL.
    """
    plain = {"to": to, "user_id": user_id, "key": key, "occurred_at": occurred_at, "trace_id": trace_id}
    texts = {option: text for option, text in plain.items() if text is not None}
    for area, pairs in (("context", context), ("profile", profile), ("channel_data", channel_data)):
        texts |= _parse_pairs(area, pairs or [])
    defaults = {} if expires_in is None else {"expires_in": expires_in}
    if source is None:
        for option, value in (("--receipts", receipts), ("--format", format_), ("--rate", rate)):
            if value is not None:
                raise typer.BadParameter("only with --from", param_hint=option)
        if to is None and user_id is None:
            raise typer.BadParameter("give a recipient, or a file with --from", param_hint="--to")
        _trigger_one(_find(folder, name), texts, defaults, dry_run=dry_run, as_json=as_json)
        return
    if texts:
        options = dict.fromkeys(f"--{text.partition('.')[0].replace('_', '-')}" for text in texts)
        raise typer.BadParameter(f"the lines say it themselves; leave out {', '.join(options)}", param_hint="--from")
    format_ = format_ or SUFFIXES.get(source.suffix.lower())
    if format_ is None:
        raise typer.BadParameter("say which, csv or jsonl: the file's name doesn't tell", param_hint="--format")
    _trigger_many(
        _find(folder, name), source, format_, defaults, batch_size, rate, receipts, dry_run=dry_run, as_json=as_json
    )


def _trigger_one(
    definition: Definition, texts: dict[str, str], defaults: dict[str, Any], *, dry_run: bool, as_json: bool
) -> None:
    given, problems = read_texts(texts, definition, defaults)
    try:
        checked = check_trigger(definition, given, datetime.now(UTC), problems)
    except InvalidTrigger as error:
        lines = [f"{definition.name} can't take this trigger:", *(f"  {problem}" for problem in error.problems)]
        raise typer.TyperException("\n".join(lines)) from error
    if not dry_run:
        with _publisher() as publisher:
            try:
                receipt = publisher.publish(checked)
            except PublishError as error:
                raise typer.TyperException(f"{error}\nnot confirmed: {checked.request_id}") from error
        typer.echo(_receipt(checked, receipt.queue) if as_json else str(checked.request_id))
    elif as_json:
        typer.echo(json.dumps({"valid": True, "campaign": definition.name}))
    else:
        typer.echo(f"{definition.name} takes this trigger; nothing was published (dry run)")


def _receipt(checked: CheckedTrigger, queue: str) -> str:
    return json.dumps({"request_id": str(checked.request_id), "campaign": checked.trigger.campaign, "queue": queue})


def _trigger_many(
    definition: Definition,
    source: Path,
    format_: Format,
    defaults: dict[str, Any],
    batch_size: int,
    rate: float | None,
    receipts: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    refused: list[dict[str, Any]] = []
    done = "valid" if dry_run else "confirmed"
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        file: BinaryIO = sys.stdin.buffer if str(source) == "-" else stack.enter_context(source.open("rb"))
        progress = stack.enter_context(ProgressLine(console, file, done))

        def show_refused(number: int, problems: tuple[str, ...]) -> None:
            if as_json:
                refused.append({"line": number, "problems": problems})
            else:
                console.print(f"line {number}: {'; '.join(problems)}", markup=False)

        lines = text_lines(progress.lines())
        try:
            found = read_csv(lines, definition, defaults) if format_ is Format.CSV else read_jsonl(lines, defaults)
        except BadHeader as error:
            shown = "standard input" if str(source) == "-" else source
            raise typer.TyperException(f"{shown}:1: {error}") from error
        run = Run(
            definition,
            publisher=None if dry_run else stack.enter_context(_publisher()),
            batch_size=batch_size,
            receipts=None if receipts is None else stack.enter_context(_open_receipts(receipts)),
            on_refused=show_refused,
            on_progress=progress.show,
            rate=rate,
        )
        outcome = run.publish(found)
    if as_json:
        counts = {"read": outcome.read, done: outcome.confirmed, "refused": outcome.refused}
        lines_left = {"unconfirmed": outcome.unconfirmed, "unconfirmed_lines": outcome.unconfirmed_lines}
        more = {**lines_left, "error": outcome.error, "refused_lines": refused}
        typer.echo(json.dumps({"campaign": definition.name, "dry_run": dry_run, **counts, **more}, indent=2))
    else:
        end = "; nothing was published (dry run)" if dry_run else f", {outcome.unconfirmed:,} not confirmed"
        typer.echo(
            f"{definition.name}: {outcome.confirmed:,} of {outcome.read:,} {done}, {outcome.refused:,} refused{end}"
        )
    if outcome.error is not None and not as_json:
        raise typer.TyperException(f"{outcome.error}\n{_left(outcome)}".rstrip())
    if not outcome.complete:
        raise typer.Exit(1)


def _left(outcome: Outcome) -> str:
    """Which lines were not confirmed, if any."""
    spans = [f"{first}" if first == last else f"{first}–{last}" for first, last in outcome.unconfirmed_lines]
    more = f" and {len(spans) - MOST_SPANS} more" if len(spans) > MOST_SPANS else ""
    return (
        f"not confirmed: line{'s' * (outcome.unconfirmed != 1)} {', '.join(spans[:MOST_SPANS])}{more}" if spans else ""
    )


def _open_receipts(path: Path) -> Any:  # noqa: ANN401 - a text file that a with statement closes
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise typer.BadParameter(f"{path} exists: receipts are never overwritten", param_hint="--receipts") from error


def _parse_pairs(area: str, pairs: list[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for pair in pairs:
        path, equals, value = pair.partition("=")
        hint = f"--{area.replace('_', '-')}"
        if not (path and equals):
            raise typer.BadParameter("must be PATH=VALUE", param_hint=hint)
        if f"{area}.{path}" in texts:
            shown = path if all(step.isidentifier() for step in path.split(".")) else "a path"
            raise typer.BadParameter(f"{shown} is given twice", param_hint=hint)
        texts[f"{area}.{path}"] = value
    return texts


def _find(folder: Path, name: str) -> Definition:
    try:
        return load_definitions(folder)[name]
    except (DefinitionError, UnknownCampaignError) as error:
        raise typer.TyperException(str(error)) from error


def _publisher() -> Publisher:
    try:
        return Publisher.from_env()
    except SettingError as error:
        raise typer.TyperException(str(error)) from error
