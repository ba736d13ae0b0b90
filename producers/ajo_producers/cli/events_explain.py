"""``events test``: what would be sent for an event, and why; and ``events check`` of the mapping file alone."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ajo_producers.campaigns.folder import DEFAULT_FOLDER
from ajo_producers.cli.events_loading import DEFAULT_FILE, File, load
from ajo_producers.cli.options import Folder
from ajo_producers.contract.counted import counted
from ajo_producers.events.answers import explanation_of
from ajo_producers.events.event import BadEvent
from ajo_producers.events.lines import UnreadableLine, read_lines

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check(*, file: File = DEFAULT_FILE, folder: Folder = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """Check the mapping file against the campaigns; every fault with file, line and field."""
    mappings = load(file, folder).mappings.mappings
    if as_json:
        typer.echo(json.dumps({"ok": True, "mappings": {one.name: one.campaign for one in mappings}}, indent=2))
    else:
        typer.echo(f"{counted(len(mappings), 'mapping')} in {file}: no faults")


def explain(
    event: Annotated[Path, typer.Argument(metavar="EVENT.json", help="An event, or several; - for standard input.")],
    *,
    file: File = DEFAULT_FILE,
    folder: Folder = DEFAULT_FOLDER,
    payload: Annotated[bool, typer.Option("--payload", help="With the values: they are personal data.")] = False,
    as_json: Json = False,
) -> None:
    """Show what would be sent for an event, and why: which mapping takes it, by which conditions. Publishes nothing.

    The exit code is 1 if an event is refused, or taken by no mapping.
    """
    rules = load(file, folder)
    stream = sys.stdin.buffer if str(event) == "-" else event.open("rb")
    told = []
    try:
        with stream:
            for _, one in read_lines(stream):
                told.append(explanation_of(one if isinstance(one, BadEvent) else rules.translate(one), payload=payload))
    except UnreadableLine as error:
        raise typer.TyperException(f"{event}:{error.line}: {error}") from error
    if not told:
        raise typer.TyperException(f"{event}: no event in it")
    if as_json:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n\n".join("\n".join(_lines(one)) for one in told))
        typer.echo("\nnothing was published (events test)")
    if any(one["status"] in ("refused", "unmatched") for one in told):
        raise typer.Exit(1)


def _lines(told: dict[str, Any]) -> Iterator[str]:
    if "mappings" not in told:
        yield f"event {told['id'] or '(without an id that can be shown)'}: refused"
        yield from (f"  {fault['path']} {fault['error']}" for fault in told["faults"])
        return
    yield _printable(f"event {told['id']} of {told['source']}, {told['type']}: {told['status']}")
    for one in told["mappings"]:
        yield f"  {one['mapping']}: {'matched' if one['matched'] else 'not matched'}"
        for condition in one["conditions"]:
            yield f"    {'yes' if condition['holds'] else 'no '}  {condition['condition']}"
        if "skipped" in one:
            yield f"    sends nothing: {one['skipped']}"
        for fault in one.get("faults", ()):
            yield f"    fault: {fault['path']} {fault['error']}".replace(":  ", ": ")
        if "trigger" in one:
            yield f"    sends {one['campaign']} {one['trigger']['request_id']}"
            yield from (_printable(f"      {name:<12} {value}") for name, value in _facts(one["trigger"]))
    for fault in told["faults"]:
        if "mapping" not in fault:
            yield f"  {fault['path']} {fault['error']}"


def _facts(trigger: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in trigger.items():
        if (name != "request_id" and value not in (None, {}, "…")) or name == "user_id":
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    """Without characters that steer a terminal: what stands in an event comes from outside."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
