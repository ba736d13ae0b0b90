"""Writing what tools need of campaign definitions, or telling that it is out of date."""

import json
from pathlib import Path

import typer

from ajo_producers.campaigns.codegen.json_schema import json_schema
from ajo_producers.campaigns.codegen.python import python_source
from ajo_producers.campaigns.folder import Definitions
from ajo_producers.contract.writing import writing

STDOUT = Path("-")


def write_code(definitions: Definitions, python: Path | None, schema: Path | None, *, check: bool) -> None:
    """Write the files, or only compare them.

    Raises:
        typer.TyperException: a file is not what would be written.
    """
    texts: list[tuple[Path, str]] = []
    if python is not None:
        texts.append((python, python_source(definitions.values())))
    if schema is not None:
        texts.append((schema, json.dumps(json_schema(definitions.values()), indent=2, ensure_ascii=False) + "\n"))
    stale = []
    for path, text in texts:
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
                stale.append(f"{path} is not what the definitions say: write it anew, without --check")
        elif path == STDOUT:
            typer.echo(text, nl=False)
        else:
            with writing(path):
                path.write_text(text, encoding="utf-8", newline="\n")
            typer.echo(f"wrote {path} ({len(definitions)} campaign{'s' * (len(definitions) != 1)})")
    if stale:
        raise typer.TyperException("\n".join(stale))
