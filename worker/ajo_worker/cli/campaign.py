"""What ``--campaign`` says, of commands that look into the ledger for one campaign."""

from typing import Annotated

import typer
from ajo_producers.contract.masking import has_address

from ajo_worker.cli.authority import read_text
from ajo_worker.cli.completion import campaign_names


def read_campaign(name: str) -> str:
    """The name of a campaign, perhaps of one that nobody defines any more: reports repeat it.

    Raises:
        typer.BadParameter: the ledger can't hold it, or it is an address in a name's place.
    """
    if has_address(name):
        raise typer.BadParameter("must be a campaign's name, and no address", param_hint="--campaign")
    return read_text(name, "--campaign")


def _read(name: str | None) -> str | None:
    return name if name is None else read_campaign(name)


CampaignOption = Annotated[
    str | None,
    typer.Option(
        "--campaign",
        metavar="NAME",
        help="Of this campaign alone.",
        autocompletion=campaign_names,
        callback=_read,
    ),
]
