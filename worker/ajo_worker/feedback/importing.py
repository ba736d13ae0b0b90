"""Importing exports of the message feedback dataset: batch by batch, each committed, harmless when repeated."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import asyncpg

from ajo_worker.feedback.correlation import Kind
from ajo_worker.feedback.numbered_rows import NumberedRow, UnreadableFile, UnreadableRow
from ajo_worker.feedback.reading import UnreadableFeedback, read_row
from ajo_worker.feedback.storing import FeedbackRow, row_of, store

BATCH = 1000
"""Rows that are read, and those of them that are good committed, together."""


@dataclass
class Imported:
    """What became of the rows so far; ``refused`` has the first ones by number, with the reason."""

    read: int = 0
    new: int = 0
    known: int = 0
    refused_rows: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    kinds: Counter[Kind] = field(default_factory=Counter)


async def import_rows(
    connection: asyncpg.Connection,
    rows: Iterable[NumberedRow],
    hash_key: bytes,
    most_refused: int,
    done: Imported,
    progress: Callable[[], None],
) -> None:
    """Store all rows that can be read; ``done`` grows with each batch, and keeps ``most_refused`` of the others.

    Raises:
        UnreadableFile: the rest of the file can't be read; what came before is stored.
    """
    arrived = datetime.now(UTC)
    rest, fault = iter(rows), None
    while fault is None:
        some: list[NumberedRow] = []
        try:
            some.extend(islice(rest, BATCH))  # it keeps what came before a fault
        except UnreadableFile as unreadable:
            fault = unreadable
        if not some:
            break
        batch = list(_readable(some, hash_key, most_refused, done, arrived))
        for stored in await store(connection, batch) if batch else ():
            if stored.new and stored.match is not None:
                done.new += 1
                done.kinds[stored.match] += 1
            else:
                done.known += 1
        progress()
        await asyncio.sleep(0)  # Ctrl-C is heeded here, also where no row is good
    if fault is not None:
        raise fault


def _readable(
    rows: Iterable[NumberedRow], hash_key: bytes, most_refused: int, done: Imported, arrived: datetime
) -> Iterator[FeedbackRow]:
    for row in rows:
        done.read += 1
        try:
            if isinstance(row.content, UnreadableRow):
                raise row.content
            yield row_of(read_row(row.content, hash_key), "import", arrived)
        except (UnreadableRow, UnreadableFeedback) as fault:
            done.refused_rows += 1
            if len(done.refused) < most_refused:
                done.refused.append((row.number, str(fault)))
