"""Where a command listens: what ``--host`` says; it needs typer, as every command does."""

from typing import Annotated

import typer

LOOPBACK = "127.0.0.1"


def address(host: str) -> str:
    """What ``--host`` says. An empty one, of a variable that isn't set, would be every address of this machine.

    Raises:
        typer.BadParameter: it is no address, and no name of a host.
    """
    try:
        name = host.strip().encode("idna")
    except UnicodeError:
        name = b""
    if not name:
        raise typer.BadParameter("must be an address of this machine, or a name that has one")
    return host


Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.", callback=address)]
