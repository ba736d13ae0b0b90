"""What the producers' commands share: where definitions lie, and what the shell completes."""

from pathlib import Path
from typing import Annotated

import typer

from ajo_producers.campaigns.folder import DEFAULT_FOLDER, names_in

Folder = Annotated[Path, typer.Option("--dir", envvar="AJO_CAMPAIGNS", help="Folder of campaign definitions.")]


def campaign_names(context: typer.Context, incomplete: str) -> list[str]:
    """The campaigns of the folder that the line names (``--dir``, else AJO_CAMPAIGNS)."""
    return names_in(context.params.get("folder") or DEFAULT_FOLDER, incomplete)
