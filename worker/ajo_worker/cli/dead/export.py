"""``ajo-dispatch dead export``: dead letters with their payloads, as lines of JSON."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec
import typer
from ajo_producers.contract.counted import counted
from ajo_producers.contract.sealing import Sealer
from ajo_producers.contract.writing import writing
from msgspec import Raw

from ajo_worker.cli.dead.report import MOST_NAMED, other_lines
from ajo_worker.cli.printing import cell
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import finish
from ajo_worker.deadletters.choosing import Filter, HeldLetter, dead_letters, held_letters, no_dead_letters
from ajo_worker.ledger.database import snapshot
from ajo_worker.payloads.reading import UnreadablePayload, read_payload
from ajo_worker.settings import Settings

STANDARD_OUTPUT = Path("-")
OWNER_ALONE = 0o600


@dataclass
class Exported:
    """What was written, what could not be, and what was asked for and is no dead letter."""

    letters: int = 0
    unreadable: list[str] = field(default_factory=list)
    others: dict[UUID, str] = field(default_factory=dict)


def export_letters(settings: Settings, chosen: Filter, file: Path) -> None:
    """Write them, and say what it is that was written.

    Raises:
        typer.BadParameter: the file is there already.
        typer.TyperException: nothing was found, or something could not be written.
    """
    done = finish(_export(settings, chosen, file))
    where = "standard output" if file == STANDARD_OUTPUT else cell(str(file))
    if done.letters:
        typer.echo(f"{counted(done.letters, 'dead letter')} written to {where}; it holds personal data", err=True)
    problems = [*_named(done.unreadable), *other_lines(done.others)]
    if not done.letters and not done.unreadable:
        problems.append("no dead letter fits, and nothing was written")
    if problems:
        raise typer.TyperException("\n".join(problems))


def line_of(letter: HeldLetter, sealer: Sealer) -> bytes:
    """A dead letter as a line, its trigger as the producer wrote it. Pure.

    Raises:
        UnreadablePayload: as ``read_payload``.
    """
    payload, _ = read_payload(sealer, letter.key_id, letter.payload)
    facts = {
        "request_id": letter.request_id,
        "campaign": letter.campaign,
        "state": letter.state,
        "reason": letter.reason,
        "completed_at": letter.completed_at,
        "attempts": letter.attempts,
        "trigger": Raw(payload),
    }
    return msgspec.json.encode(facts) + b"\n"


async def _export(settings: Settings, chosen: Filter, file: Path) -> Exported:
    sealer, done = Sealer.from_keys(settings.payload_keys.get_secret_value()), Exported()
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        found = await dead_letters(connection, chosen, 0)
        done.others = await no_dead_letters(connection, chosen)
        if not found.letters:
            return done
        with opened(file) as lines, progress_bar(found.letters, "dead letters") as show:
            async for letter in held_letters(connection, chosen, found.at):
                try:
                    lines.write(line_of(letter, sealer))
                    done.letters += 1
                except UnreadablePayload as fault:
                    done.unreadable.append(f"{letter.request_id} is not among them: {fault}")
                show(done.letters + len(done.unreadable))
    return done


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone; a failure takes it away again, so that no half of one is taken for the whole."""
    if file == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    except FileExistsError:
        raise typer.BadParameter(f"{cell(str(file))} exists: nothing is overwritten", param_hint="FILE") from None
    try:
        with writing(file), os.fdopen(descriptor, "wb") as lines:
            yield lines
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    if not file.stat().st_size:
        file.unlink()


def _named(unreadable: list[str]) -> list[str]:
    more = len(unreadable) - MOST_NAMED
    return [*unreadable[:MOST_NAMED], f"and {more:,} more"] if more > 0 else unreadable
