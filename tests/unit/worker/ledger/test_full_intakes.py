"""What a worker tells of times in which it took nothing from a queue."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ajo_worker.ledger import full_intakes
from ajo_worker.ledger.full_intakes import FullIntakes

BEGAN = datetime(2026, 11, 29, tzinfo=UTC)


class Clock:
    """The real monotonic clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def at(self, monotonic: float) -> datetime:
        return BEGAN + timedelta(seconds=monotonic)


class Connection:
    """Keeps rows, as long as it stands."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.broken = True

    async def execute(self, _: str, *row: Any) -> None:
        if self.broken:
            raise OSError
        self.rows.append(row)


async def test_a_worker_that_gets_no_time_tells_it_once_the_ledger_is_there(monkeypatch: Any) -> None:
    monkeypatch.setattr(full_intakes, "EVERY", 0.001)
    intakes: Any = FullIntakes(uuid4(), Clock())  # type: ignore[arg-type] # what it needs of one
    connection: Any = Connection()
    watching = asyncio.create_task(intakes.watch())
    await asyncio.sleep(0.01)
    time.sleep(0.5)  # noqa: ASYNC251 - the process gets no time
    await asyncio.sleep(0.01)
    watching.cancel()
    for broken in (True, False, False):
        connection.broken = broken
        try:
            await intakes.tell(connection)
        except OSError:
            assert broken
    worker, began, ended, lane, because = connection.rows[0]
    assert (lane, because, worker) == (None, "intake", intakes._worker_id)
    assert timedelta(seconds=0.4) < ended - began < timedelta(seconds=60)
    assert len({row[1] for row in connection.rows}) == len(connection.rows), "each is told once"


async def test_a_worker_that_is_present_and_does_not_take_yet_tells_that(monkeypatch: Any) -> None:
    """Frozen in the middle of its start, say: nobody else is to blame for what waits meanwhile."""
    monkeypatch.setattr(full_intakes, "EVERY", 0.001)
    intakes: Any = FullIntakes(uuid4(), Clock())  # type: ignore[arg-type] # what it needs of one
    connection: Any = Connection()
    connection.broken = False
    beat = time.monotonic() - 10
    intakes.present(beat)
    intakes.present(beat + 2)
    watching = asyncio.create_task(intakes.watch())
    await asyncio.sleep(0.01)
    watching.cancel()
    await intakes.tell(connection)
    _, began, ended, lane, because = connection.rows[0]
    assert (began, lane, because) == (Clock().at(beat), None, "intake")
    assert ended - began >= timedelta(seconds=10)
