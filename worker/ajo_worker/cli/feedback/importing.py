"""``feedback import``: files one after another, then the search for the triggers of what carries no id of ours."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import typer
from ajo_producers.contract.counted import counted
from ajo_producers.contract.reading import check_regular

from ajo_worker.cli.feedback.report import FOUND, kinds_text
from ajo_worker.cli.printing import print_json
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import finish
from ajo_worker.feedback.files import Format, format_of, open_rows
from ajo_worker.feedback.importing import Imported, import_rows
from ajo_worker.feedback.matching import Matched, Rules, match_unmatched
from ajo_worker.feedback.numbered_rows import UnreadableFile
from ajo_worker.ledger.database import LedgerConnection, connected
from ajo_worker.ledger.ledger import PLANNER
from ajo_worker.recipients import hashing_key
from ajo_worker.settings import Settings


def import_files(
    settings: Settings, files: Sequence[Path], form: Format | None, limit: int, *, as_json: bool, skip_refused: bool
) -> bool:
    """Import all files and print what became of their rows; True if nothing failed.

    Raises:
        typer.BadParameter: a file's name doesn't say what it holds.
        OSError: a file is none that can be read twice, as a pipe or a device.
        typer.TyperException: the ledger can't be used.
    """
    forms = [form or format_of(file) for file in files]
    for file, found in zip(files, forms, strict=True):
        if found is None:
            raise typer.BadParameter(
                f"{file}: is it csv, jsonl or parquet? its name doesn't say", param_hint="--format"
            )
    for file in files:
        check_regular(file)
    known = [(file, found) for file, found in zip(files, forms, strict=True) if found is not None]
    return finish(_import(settings, known, limit, as_json, skip_refused))


async def _import(
    settings: Settings, files: Sequence[tuple[Path, Format]], limit: int, as_json: bool, skip_refused: bool
) -> bool:
    rules = Rules(timedelta(seconds=settings.feedback_window), timedelta(days=settings.feedback_match_days))
    reports, good = [], True
    async with connected(settings.database_url.get_secret_value(), PLANNER) as connection:
        for file, form in files:
            done, number_is, fault = await _one(connection, settings, file, form, limit)
            good = good and fault is None and (skip_refused or not done.refused_rows)
            reports.append(_report(file, done, fault))
            if not as_json:
                _show(file, done, number_is, fault)
        matched = await match_unmatched(connection, rules)
    if as_json:
        print_json({"files": reports, "matching": {"kinds": dict(matched.kinds), "confirmed": matched.confirmed}})
    elif found := _found_later(matched):
        typer.echo(found)
    return good


async def _one(
    connection: LedgerConnection, settings: Settings, file: Path, form: Format, limit: int
) -> tuple[Imported, str, str | None]:
    done, key = Imported(), hashing_key(settings.hash_key.get_secret_value())
    with file.open("rb") as raw:
        try:
            source = open_rows(raw, form)
            unit = "bytes" if source.number_is == "line" else "rows"
            with progress_bar(source.total, f"{unit} of {file.name}") as show:
                await import_rows(connection, source.rows, key, limit, done, lambda: show(source.done()))
        except UnreadableFile as fault:
            return done, "row", str(fault)
    return done, source.number_is, None


def _report(file: Path, done: Imported, fault: str | None) -> dict[str, object]:
    return {
        "file": str(file),
        "read": done.read,
        "new": done.new,
        "known": done.known,
        "refused": done.refused_rows,
        "refusals": [{"number": number, "reason": reason} for number, reason in done.refused],
        "kinds": dict(done.kinds),
        "fault": fault,
    }


def _show(file: Path, done: Imported, number_is: str, fault: str | None) -> None:
    counts = f"{done.new:,} new, {done.known:,} known already, {done.refused_rows:,} refused"
    typer.echo(f"{file}: {counted(done.read, 'row')}: {counts}")
    if done.new:
        typer.echo(f"  {kinds_text(done.kinds)}")
    for number, reason in done.refused:
        typer.echo(f"  {number_is} {number}: {reason}", err=True)
    if (more := done.refused_rows - len(done.refused)) > 0:
        typer.echo(f"  … and {counted(more, 'refused row')} more (--limit)", err=True)
    if fault is not None:
        typer.echo(f"error: {file}: {fault}", err=True)


def _found_later(matched: Matched) -> str | None:
    found = sum(matched.kinds[kind] for kind in FOUND)
    if not found and not matched.kinds["ambiguous"]:
        return None
    return f"Of those without an id of ours: {kinds_text(matched.kinds)}"
