"""Trigger a campaign for one recipient, or for many from a file.

``ajo-dispatch trigger NAME --to … --context k=v`` and ``ajo-dispatch trigger NAME --from FILE``
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.folder import DEFAULT_FOLDER, DefinitionError, UnknownCampaignError, load_definitions
from ajo_producers.cli.options import Folder, campaign_names
from ajo_producers.cli.trigger_file import SUFFIXES, Bulk, Format, before_start, publisher, trigger_many
from ajo_producers.cli.trigger_lines import read_texts
from ajo_producers.contract.batch import MAX_TRIGGERS
from ajo_producers.publishing.checked import CheckedTrigger, check_trigger
from ajo_producers.publishing.errors import InvalidTrigger, PublishError
from ajo_producers.publishing.outgoing import DEFAULT_BATCH_SIZE

app = typer.Typer(add_completion=False)


Pairs = list[str] | None


@app.command()
def trigger(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.", autocompletion=campaign_names)],
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
        float | None, typer.Option(min=0.01, max=1_000_000, metavar="N", help="Triggers a second at most, with --from.")
    ] = None,
    receipts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --from: writes what became of each line.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Receipts of an earlier run over this file: go on with them.")
    ] = None,
    start_line: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --from: leave the lines before it out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; publish nothing.")] = False,
    folder: Folder = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Trigger a campaign for one recipient (--to), or for many (--from).

    A file has a trigger a line: CSV with a header such as to,key,context.orderId, or JSON objects with the names to,
    user_id, key, occurred_at, expires_in, expires_at, trace_id, context, profile, channel_data, recipients. Lines
    with faults are named, and the others go out. The broker is AJO_BROKER_URL. Ctrl-C ends it with what is on its way,
    and says what is confirmed and how to go on.
    """
    plain = {"to": to, "user_id": user_id, "key": key, "occurred_at": occurred_at, "trace_id": trace_id}
    texts = {option: text for option, text in plain.items() if text is not None}
    for area, pairs in (("context", context), ("profile", profile), ("channel_data", channel_data)):
        texts |= _parse_pairs(area, pairs or [])
    defaults = {} if expires_in is None else {"expires_in": expires_in}
    if source is None:
        of_a_file = {"--receipts": receipts, "--resume": resume, "--start-line": start_line}
        for option, value in (of_a_file | {"--format": format_, "--rate": rate}).items():
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
    if receipts is not None and resume is not None:
        raise typer.BadParameter("it goes on in the file that it reads; leave out --receipts", param_hint="--resume")
    bulk = Bulk(batch_size, rate, receipts, resume, start_line or 1)
    trigger_many(_find(folder, name), source, format_, defaults, bulk, dry_run=dry_run, as_json=as_json)


def _trigger_one(
    definition: Definition, texts: dict[str, str], defaults: dict[str, Any], *, dry_run: bool, as_json: bool
) -> None:
    given, problems = read_texts(texts, definition, defaults)
    try:
        checked = check_trigger(definition, given, datetime.now(UTC), problems, before_start=before_start())
    except InvalidTrigger as error:
        lines = [f"{definition.name} can't take this trigger:", *(f"  {problem}" for problem in error.problems)]
        raise typer.TyperException("\n".join(lines)) from error
    if not dry_run:
        with publisher() as link:
            try:
                receipt = link.publish(checked)
            except PublishError as error:
                raise typer.TyperException(f"{error}\n{_not_confirmed(checked, sent=not error.unsent)}") from error
            except KeyboardInterrupt:
                typer.echo(f"error: interrupted\n{_not_confirmed(checked, sent=True)}", err=True)
                raise
        typer.echo(_receipt(checked, receipt.queue) if as_json else str(checked.request_id))
    elif as_json:
        typer.echo(json.dumps({"valid": True, "campaign": definition.name}))
    else:
        typer.echo(f"{definition.name} takes this trigger; nothing was published (dry run)")


def _not_confirmed(checked: CheckedTrigger, *, sent: bool) -> str:
    return f"not confirmed{', and perhaps sent' * sent}: {checked.request_id}"


def _receipt(checked: CheckedTrigger, queue: str) -> str:
    return json.dumps({"request_id": str(checked.request_id), "campaign": checked.trigger.campaign, "queue": queue})


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
