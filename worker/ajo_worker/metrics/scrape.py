"""One scrape: every figure that the ledger gives in time. It never fails; what is missing is told."""

import asyncio
import time
from dataclasses import dataclass, field

import asyncpg
from prometheus_client.core import GaugeMetricFamily, Metric

from ajo_worker.ledger.database import READER, DatabaseError, connected
from ajo_worker.metrics.figures import FIGURES

SHARE = 0.5
"""The part of the time that is left that a figure may take: a late one never takes that of all others."""


@dataclass(slots=True)
class Scrape:
    """What was read; ``fault`` says why the ledger can't be used, ``late`` which figures took too long.

    ``refused`` has those that can't be computed of what is in the ledger, and why.
    """

    families: list[Metric] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    fault: str | None = None


async def scrape(url: str, seconds: float) -> Scrape:
    """Ask for all figures, on one connection, within so many seconds."""
    found, until = Scrape(), time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds), connected(url, READER) as connection:
            for figure in FIGURES:
                try:
                    rows = await connection.fetch(figure.sql, timeout=SHARE * (until - time.monotonic()))
                except TimeoutError:
                    found.late.append(figure.name)
                except asyncpg.DataError as fault:  # a value that somebody wrote: it concerns this figure alone
                    found.refused[figure.name] = fault.message or type(fault).__name__
                else:
                    found.families += figure.families(rows)
                    found.read.append(figure.name)
    except DatabaseError as problem:
        found.fault = str(problem)
    except TimeoutError:
        found.fault = f"the ledger gave no answer within {seconds:g} s"
    except asyncpg.PostgresError as fault:
        found.fault = f"the ledger refuses: {fault.message}"
    except Exception as fault:  # noqa: BLE001 - a scrape that failed would hide what could be read
        found.fault = f"the ledger can't be read: {type(fault).__name__}"
    return found


def told(found: Scrape) -> list[Metric]:
    """All metrics of a scrape, with those that say what is missing. Pure."""
    up = GaugeMetricFamily("ajo_ledger_up", "1 if the ledger could be read at this scrape, else 0.")
    up.add_metric([], 0.0 if found.fault else 1.0)
    complete = GaugeMetricFamily(
        "ajo_figure_read",
        "1 for a figure that was read in time at this scrape; of one with 0, no metric is shown.",
        labels=["figure"],
    )
    for figure in FIGURES:
        complete.add_metric([figure.name], float(figure.name in found.read))
    return [up, complete, *found.families]


def missing(found: Scrape) -> str | None:
    """What is to be said of a scrape that is not whole, for people. Pure."""
    if found.fault:
        return found.fault
    parts = [f"not read in time: {', '.join(found.late)}"] if found.late else []
    parts += [f"{name} can't be read: {why}" for name, why in found.refused.items()]
    return "; ".join(parts) or None
