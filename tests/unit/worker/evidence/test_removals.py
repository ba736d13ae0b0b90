"""What retention dropped is not looked for: a partition is a day, a default partition all days up to one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from ajo_worker.evidence.chunks import Chunk, chunks_of
from ajo_worker.evidence.removals import Removals

DAY = date(2026, 11, 20)
AT = datetime(2027, 12, 31, tzinfo=UTC)
REMOVALS = Removals([("triggers", DAY, AT), ("triggers_default", DAY, AT)])
HOURS = {chunk.relation: chunk for chunk in chunks_of(DAY)[3]}


def later(days: int) -> Chunk:
    return Chunk(DAY + timedelta(days=days), "triggers_default")


@pytest.mark.parametrize(
    ("chunk", "removed"),
    [
        (HOURS["triggers"], True),
        (HOURS["attempts"], False),
        (chunks_of(DAY + timedelta(days=1))[3][0], False),
        (chunks_of(DAY - timedelta(days=1))[3][0], False),
        (later(0), True),
        (later(-1), True),
        (later(1), False),
        (Chunk(DAY, "attempts_default"), False),
        (Chunk(DAY, "operations"), False),
    ],
)
def test_a_chunk_was_dropped_or_must_be_there(chunk: Chunk, removed: bool) -> None:
    assert REMOVALS.of(chunk) == (AT if removed else None)
