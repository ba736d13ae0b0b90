"""What ``--campaign`` says, of commands that look into the ledger for one campaign."""

from typing import Annotated

import typer

from ajo_worker.cli.authority import read_text
from ajo_worker.cli.completion import campaign_names


def _storable(name: str | None) -> str | None:
    return name if name is None else read_text(name, "--campaign")


CampaignOption = Annotated[
    str | None,
    typer.Option(
        "--campaign",
        metavar="NAME",
        help="Of this campaign alone.",
        autocompletion=campaign_names,
        callback=_storable,
    ),
]
