"""Who does something to the ledger by hand, and why: both are kept there."""

import getpass
from typing import Annotated

import typer
from ajo_producers.contract.trigger import MAX_TEXT, is_text

from ajo_worker.ledger.operations import Authority

Operator = Annotated[str | None, typer.Option(metavar="NAME", help="Who does it.", show_default="your login name")]


def read_authority(why: str | None, operator: str | None) -> Authority:
    """What ``--why`` and ``--operator`` say; without the latter it is the login name.

    Raises:
        typer.BadParameter: no reason, no login name, or what the ledger can't hold.
    """
    if why is None:
        raise typer.BadParameter("say why: it is kept in the ledger", param_hint="--why")
    if operator is None:
        try:
            operator = getpass.getuser()
        except (KeyError, OSError):
            raise typer.BadParameter("you have no login name here: say who you are", param_hint="--operator") from None
    return Authority(read_text(operator, "--operator"), read_text(why, "--why"))


def read_text(text: str, option: str) -> str:
    """Text that the ledger can hold.

    Raises:
        typer.BadParameter: it is blank, too long, or no text.
    """
    if not text.strip() or not is_text(text):
        raise typer.BadParameter(f"must be a text of 1 to {MAX_TEXT} characters", param_hint=option)
    return text
