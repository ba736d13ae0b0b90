"""What waits in an outbox and since when: for people, for scripts and for Prometheus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ajo_producers.outbox import statements
from ajo_producers.outbox.database import connected
from ajo_producers.outbox.settings import RelaySettings


@dataclass(frozen=True)
class Way:
    """What waits of a lane and a priority; ``oldest_seconds`` is None if nothing does."""

    lane: str
    priority: str
    waiting: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Lag:
    """The state of an outbox. ``faulty`` rows can't be published; ``faults`` are the first of them."""

    ways: Sequence[Way]
    kept: int
    faulty: int
    faults: Sequence[Mapping[str, Any]]

    @property
    def waiting(self) -> int:
        """How many triggers wait."""
        return sum(way.waiting for way in self.ways)

    @property
    def oldest_seconds(self) -> float:
        """For how long the oldest one has been waiting; 0 if none does."""
        return max((way.oldest_seconds or 0.0 for way in self.ways), default=0.0)


async def look(settings: RelaySettings) -> Lag:
    """The state of an outbox now, over a connection of its own.

    Raises:
        OutboxUnavailable: it can't be read.
    """
    table = settings.table
    async with connected(settings) as connection:
        ways = [Way(*row) for row in await connection.fetch(statements.LAG.format(table=table))]
        kept = await connection.fetchval(statements.KEPT.format(table=table)) if settings.keep else 0
        faulty = await connection.fetchval(statements.FAULTY.format(table=table))
        faults = [dict(row) for row in await connection.fetch(statements.FAULTS.format(table=table))] if faulty else []
    return Lag(ways, kept, faulty, faults)


def metrics(lag: Lag | None, *, published: int, broker: bool, late: float) -> str:
    """The state of an outbox in Prometheus' text format; None if its database can't be read. Pure."""
    return "\n".join(_lines(lag, published, broker, late)) + "\n"


def _lines(lag: Lag | None, published: int, broker: bool, late: float) -> Iterator[str]:
    def family(name: str, kind: str, means: str) -> Iterator[str]:
        yield f"# HELP {name} {means}"
        yield f"# TYPE {name} {kind}"

    yield from family("ajo_outbox_up", "gauge", "1 if the outbox's database can be read.")
    yield f"ajo_outbox_up {int(lag is not None)}"
    yield from family("ajo_outbox_broker_up", "gauge", "0 if the broker did not confirm the last round.")
    yield f"ajo_outbox_broker_up {int(broker)}"
    yield from family("ajo_outbox_published_total", "counter", "Triggers that this relay has published.")
    yield f"ajo_outbox_published_total {published}"
    if lag is None:
        return
    yield from family("ajo_outbox_waiting", "gauge", "Triggers that wait in the outbox.")
    for way in lag.ways:
        yield f'ajo_outbox_waiting{{lane="{way.lane}",priority="{way.priority}"}} {way.waiting}'
    yield from family("ajo_outbox_oldest_seconds", "gauge", "For how long the oldest of them has waited; 0 if none.")
    for way in lag.ways:
        yield f'ajo_outbox_oldest_seconds{{lane="{way.lane}",priority="{way.priority}"}} {way.oldest_seconds or 0:g}'
    yield from family("ajo_outbox_late", "gauge", "1 if that is above AJO_OUTBOX_LATE.")
    yield f"ajo_outbox_late {int(lag.oldest_seconds > late)}"
    yield from family("ajo_outbox_faulty", "gauge", "Rows that can't be published.")
    yield f"ajo_outbox_faulty {lag.faulty}"
