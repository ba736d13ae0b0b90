"""Importing exports of the message feedback dataset: batch by batch, each committed, harmless when repeated."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

import asyncpg

from ajo_worker.feedback.correlation import Kind
from ajo_worker.feedback.numbered_rows import NumberedRow, UnreadableRow
from ajo_worker.feedback.reading import UnreadableFeedback, read_row
from ajo_worker.feedback.storing import FeedbackRow, row_of, store

T = TypeVar("T")

BATCH = 1000
"""Rows that are committed together."""


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
    readable = _readable(rows, hash_key, most_refused, done, arrived)
    for batch in _batches(readable, BATCH):
        for stored in await store(connection, batch):
            if stored.new and stored.match is not None:
                done.new += 1
                done.kinds[stored.match] += 1
            else:
                done.known += 1
        progress()


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


def _batches(rows: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(rows, size)):
        yield batch
