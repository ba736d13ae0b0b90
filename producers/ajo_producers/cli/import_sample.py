"""The import of a cURL sample, as the command does it: read, write atomically, tell what changed."""

import codecs
import difflib
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from ajo_producers.campaigns.curl.problem import SampleError
from ajo_producers.campaigns.curl.sample import Imported, name_from, read_sample
from ajo_producers.campaigns.definition import AREAS
from ajo_producers.campaigns.file import Merged, merge, render
from ajo_producers.campaigns.folder import DefinitionError
from ajo_producers.campaigns.rules import NAME_RULE, is_name
from ajo_producers.contract.reading import MOST_BYTES, read_text
from ajo_producers.contract.writing import writing

STDIN = Path("-")
STYLES = {"+": "green", "-": "red", "@": "cyan"}


def import_sample(
    source: Path, name: str | None, one_of: Sequence[str], folder: Path, console: Console, *, dry_run: bool
) -> None:
    """Import one sample; on any fault nothing is written.

    Raises:
        typer.TyperException: the sample or the existing definition is faulty; each fault is a line of its own.
    """
    if name is not None and not is_name(name):
        raise typer.BadParameter(f"a name is {NAME_RULE}", param_hint="--name")
    shown = "standard input" if source == STDIN else str(source)
    imported = _read(source, name, one_of, shown)
    path = folder / f"{imported.definition.name}.toml"
    try:
        before = read_text(path) if path.exists() else None
        merged = (
            Merged(render(imported.definition), [], []) if before is None else merge(path, before, imported.definition)
        )
    except UnicodeDecodeError:
        raise typer.TyperException(f"{path}: not UTF-8 text; nothing was written") from None
    except DefinitionError as error:
        raise typer.TyperException(f"{error}\nnothing was written") from error
    if merged.text != before and not dry_run:
        _write(path, merged.text)
    _tell(path, before, merged, imported, console, dry_run=dry_run)


def _read(source: Path, name: str | None, one_of: Sequence[str], shown: str) -> Imported:
    with nullcontext(sys.stdin.buffer) if source == STDIN else source.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise typer.TyperException(f"{shown}: too long for a sample, above {MOST_BYTES:,} bytes; nothing was written")
    # PowerShell's > writes UTF-16 with a byte order mark.
    encoding = "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise typer.TyperException(f"{shown}: not text (UTF-8); nothing was written") from None
    wanted = name or (None if source == STDIN else name_from(source.stem)) or None
    try:
        return read_sample(text, wanted, one_of)
    except SampleError as error:
        places = (f"{shown}{f':{problem.line}' if problem.line else ''}: {problem.text}" for problem in error.problems)
        raise typer.TyperException("\n".join([*places, "nothing was written"])) from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
    try:
        with writing(path), os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # A temporary file is private; a definition is as readable as any other file of the repository.
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _tell(
    path: Path, before: str | None, merged: Merged, imported: Imported, console: Console, *, dry_run: bool
) -> None:
    if before is None:
        console.print(Text(f"{'would write' if dry_run else 'wrote'} {path}"), Text(_contents(imported)))
        if dry_run:
            console.print(Text(merged.text))
    elif merged.text == before:
        console.print(Text(f"{path} is up to date: the sample brings nothing new"))
    else:
        lines = difflib.unified_diff(before.splitlines(), merged.text.splitlines(), str(path), str(path), lineterm="")
        for line in lines:
            console.print(Text(line, STYLES.get(line[:1], "")))
        console.print(Text(f"{'would update' if dry_run else 'updated'} {path}"))
        for verb, names in (("new", merged.added), ("no longer in the sample, so removed", merged.removed)):
            if names:
                console.print(Text(f"{verb}: {', '.join(names)}"))
    if imported.mended:
        console.print(Text(f"mended in the sample: {'; '.join(imported.mended)}; look the definition through"))
    console.print(Text(f"dropped from the sample: {'; '.join(imported.dropped)}"))


def _contents(imported: Imported) -> str:
    definition = imported.definition
    counts = ((area.replace("_", " "), len(getattr(definition, area))) for area in AREAS)
    variables = ", ".join(f"{count} in {area}" for area, count in counts if count)
    return f"({definition.lane} lane; variables: {variables or 'none'})"
