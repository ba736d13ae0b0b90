"""How ways to endpoints are told: as tables, and in one sentence what the network took of the API's time."""

from collections.abc import Sequence
from datetime import datetime

from ajo_producers.contract.counted import counted
from msgspec import Struct
from rich.console import Console

from ajo_worker.cli.printing import cell, make_table
from ajo_worker.network.probes import WayReport
from ajo_worker.network.way import STEPS, Way
from ajo_worker.views.spread import KnownSpread
from ajo_worker.words import UNKNOWN, instant, percent, seconds

NAMES = {"dns": "DNS", "connect": "connect", "tls": "TLS", "first_byte": "first byte"}
BEFORE_A_CALL = ("dns", "connect", "tls")
"""What only a fresh connection costs."""


class Told(Struct, frozen=True):
    """A way, and what it comes to."""

    way: WayReport
    sentence: str


class NowReport(Struct, frozen=True):
    """One probe that was made just now."""

    endpoint: str
    address: str | None
    seconds: dict[str, float]
    http_status: int | None
    certificate_expires_at: datetime | None
    failure: str | None


def told(way: WayReport) -> Told:
    """The way with its sentence. Pure."""
    return Told(way, f"{way.endpoint}: {_failures(way)}{_verdict(way)}")


def now_report(endpoint: str, way: Way) -> NowReport:
    """What a way just gone showed. Pure."""
    steps = {str(step): took for step, took in way.took.items()}
    status = way.answer.status if way.answer else None
    return NowReport(endpoint, way.address, steps, status, way.certificate_expires_at, way.failure)


def show_ways(found: Sequence[Told], since: str, console: Console) -> None:
    """Print them; ``since`` as it was asked for."""
    if not found:
        console.print(
            f"No worker probed the network in the last {since}. Is AJO_NETWORK_PROBE_SECONDS 0, or is none running? "
            "--now probes from here.",
            markup=False,
        )
        return
    console.print(f"Fresh connections of workers in the last {since}; seconds:\n", markup=False)
    table = make_table("Endpoint", "Step", "p50", "p95", "Max", "Probes", "Failed", numbers=5)
    for way in (one.way for one in found):
        counts, name = [f"{way.probes:,}", f"{way.failed:,}"], way.endpoint
        for step in STEPS:
            if (spread := way.steps[step]) is not None:
                table.add_row(cell(name), NAMES[step], *_numbers(spread), *counts)
                counts, name = ["", ""], ""
        if name:
            table.add_row(cell(name), UNKNOWN, *[UNKNOWN] * 3, *counts)
        if way.api is not None:
            table.add_row("", "the API's attempts, to headers", *_numbers(way.api), "", "")
    console.print(table)
    console.print()
    for one in found:
        console.print(cell(one.sentence), soft_wrap=True)


def show_now(reports: Sequence[NowReport], console: Console) -> None:
    """Print probes that were made just now."""
    table = make_table("Endpoint", *NAMES.values(), "Status", numbers=5)
    for column in ("Address", "Certificate ends", "Failure"):
        table.add_column(column, overflow="fold")
    for one in reports:
        ends = instant(one.certificate_expires_at) if one.certificate_expires_at else UNKNOWN
        numbers = [seconds(one.seconds.get(step)) for step in STEPS]
        table.add_row(
            cell(one.endpoint), *numbers, cell(one.http_status), cell(one.address), ends, cell(one.failure or "")
        )
    console.print(table)


def _numbers(spread: KnownSpread) -> list[str]:
    return [*map(seconds, (spread.p50, spread.p95, spread.longest))]


def _failures(way: WayReport) -> str:
    if not way.failed:
        return ""
    return f"{way.failed:,} of {counted(way.probes, 'probe')} failed, at last with {way.last_failure}; "


def _verdict(way: WayReport) -> str:
    """An attempt on a connection that is kept costs one round trip, which is what connecting takes."""
    connect = way.steps["connect"]
    if connect is None:
        return "no connection stood."
    fresh = sum(spread.p50 for step in BEFORE_A_CALL if (spread := way.steps[step]) is not None)
    costs = f"a fresh connection costs {seconds(fresh)} s"
    if way.api is None:
        compared = ", and no attempt of the same while tells what the API takes" if way.serves_campaigns else ""
        return f"one round trip took {seconds(connect.p50)} s{compared}; {costs}."
    part = percent(connect.p50 / way.api.p50) if way.api.p50 > 0 else UNKNOWN
    return f"the network took {seconds(connect.p50)} s of {seconds(way.api.p50)} s ({part}); {costs}."
