"""Make, list and rotate the keys that held payloads are encrypted with."""

from collections.abc import Iterator
from typing import Annotated

import typer
from ajo_producers.contract.counted import counted
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key

from ajo_worker.cli.printing import cell, make_console, make_table, print_json
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.ledger.database import connected, snapshot
from ajo_worker.payloads import rotation
from ajo_worker.payloads.rotation import KeyInUse, Rotation

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Make, list and rotate the keys of payloads that are held."
)

MOST_NAMED = 10
"""Payloads that a message names one by one."""


@app.command()
def new() -> None:
    """Print a fresh key. What to do with it, and its id, go to the error stream."""
    key = new_key()
    typer.echo(key)
    typer.echo(f"That is key {key_id_of(key)}. Of AJO_PAYLOAD_KEYS the first one encrypts. Keep a copy.", err=True)


@app.command("list")
def list_(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List all keys by their ids, those of the settings and those of held payloads, and how many payloads each has."""
    settings = read_settings()
    sealer = Sealer.from_keys(settings.payload_keys.get_secret_value())
    found = finish(_list(settings.database_url.get_secret_value(), sealer))
    if as_json:
        print_json(found)
    elif not found:
        make_console().print("No payload is held, and AJO_PAYLOAD_KEYS is not set.")
    else:
        _show_list(found)


@app.command()
def rotate() -> None:
    """Encrypt all held payloads with the newest key: those under older keys, and plain ones.

    Workers may go on meanwhile. It may be interrupted and repeated at any time: what is done stays done. The exit code
    is 1 if payloads are left that it could not take over.
    """
    settings = read_settings()
    sealer = Sealer.from_keys(settings.payload_keys.get_secret_value())
    if sealer.newest is None:
        raise WrongSettings("AJO_PAYLOAD_KEYS is not set, so there is no key to rotate to: 'keys new' makes one")
    done = finish(_rotate(settings.database_url.get_secret_value(), sealer))
    typer.echo(f"{counted(done.resealed, 'payload')} brought under key {sealer.newest}")
    if faults := list(remainders(done)):
        raise typer.TyperException("\n".join(faults))


def remainders(done: Rotation) -> Iterator[str]:
    """What a rotation could not bring under the newest key, why, and what to do; a line each. Pure."""
    for key_id, payloads in done.unknown.items():
        yield (
            f"{counted(payloads, 'payload')} under key {cell(key_id)}, which AJO_PAYLOAD_KEYS does not have: "
            "add that key at its end and repeat"
        )
    if done.broken:
        named = ", ".join(map(str, done.broken[:MOST_NAMED])) + (", …" if len(done.broken) > MOST_NAMED else "")
        yield f"{counted(len(done.broken), 'payload')} with bytes that the key doesn't open, left as found: {named}"
    if done.left:
        yield (
            f"{counted(done.left, 'payload')} left, locked by somebody or written just now by a worker without the "
            "newest key: restart such workers and repeat"
        )


async def _list(url: str, sealer: Sealer) -> list[KeyInUse]:
    async with snapshot(url) as connection:
        return rotation.keys_in_use(sealer, await rotation.payloads_by_key(connection))


async def _rotate(url: str, sealer: Sealer) -> Rotation:
    async with connected(url) as connection:
        with progress_bar(await rotation.count_older(connection, sealer, []), "payloads") as show:
            return await rotation.rotate(connection, sealer, show)


def _show_list(found: list[KeyInUse]) -> None:
    table = make_table("Key", "In AJO_PAYLOAD_KEYS", "Payloads", numbers=1)
    for key in found:
        known = "newest" if key.newest else "yes" if key.in_settings else "no"
        row = ("(plain)", "") if key.key_id is None else (key.key_id, known)
        table.add_row(*map(cell, row), f"{key.payloads:,}")
    make_console().print(table)
