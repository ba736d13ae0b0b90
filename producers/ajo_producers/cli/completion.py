"""What the shell completes in the producers' commands."""

from pathlib import Path

import typer

from ajo_producers.campaigns.folder import names_in


def campaign_names(context: typer.Context, incomplete: str) -> list[str]:
    """The campaigns of the folder that the line names (``--dir``, else AJO_CAMPAIGNS)."""
    return names_in(context.params.get("folder") or Path("campaigns"), incomplete)
