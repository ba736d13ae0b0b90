"""How one frame of ``ajo-dispatch top`` looks."""

from collections.abc import Iterator

from ajo_producers.contract.counted import counted
from rich.console import Group, RenderableType
from rich.text import Text

from ajo_worker.cli.alerts import line
from ajo_worker.cli.backlog import backlog_parts
from ajo_worker.cli.printing import cell, make_table
from ajo_worker.reports.lateness import guilty
from ajo_worker.reports.pulse import Pulse
from ajo_worker.reports.value import PhaseRow
from ajo_worker.words import duration, instant, system_name

SLOWEST = 5
"""So many phases are shown."""


def frame(pulse: Pulse, trouble: str | None = None) -> Group:
    """Everything, from what is quickest to change to what needs somebody; ``trouble`` is why it is not of now. Pure."""
    return Group(*_parts(pulse, trouble))


def _parts(pulse: Pulse, trouble: str | None) -> Iterator[RenderableType]:
    yield Text(instant(pulse.at), style="bold")
    if trouble is not None:
        yield Text(f"Older than that, since the ledger can't be read now: {trouble}")
    yield Text()
    yield _figures(pulse)
    yield Text()
    yield from _systems(pulse)
    yield Text()
    yield from _phases(pulse)
    yield Text()
    yield from _outages(pulse)
    for part in backlog_parts(pulse.backlog):
        yield Text()
        yield cell(part) if isinstance(part, str) else part
    yield Text()
    if not pulse.alerts:
        yield Text("No alert: nothing needs anybody.")
    yield from (cell(line(alert)) for alert in pulse.alerts)


def _figures(pulse: Pulse) -> RenderableType:
    now = pulse.now
    table = make_table("Received/s", "Accepted/s", "Failed/s", "Sending", "Wait in the queue (p95)", numbers=5)
    table.add_row(
        f"{now.received:,.1f}", f"{now.accepted:,.1f}", f"{now.failed:,.1f}", f"{now.sending:,}",
        duration(now.queue_seconds),
    )  # fmt: skip
    return table


def _systems(pulse: Pulse) -> Iterator[RenderableType]:
    charged = guilty(pulse.systems)
    if not charged:
        yield Text("Nobody is charged with a delay of the last 5 minutes.")
        return
    table = make_table("Guilty in the last 5 minutes", "Triggers", "Delay", numbers=2)
    for row in charged:
        table.add_row(cell(system_name(row.system)), f"{row.triggers:,}", duration(row.seconds))
    yield table


def _phases(pulse: Pulse) -> Iterator[RenderableType]:
    slowest = sorted((row for row in pulse.phases if row.system and _p95(row) > 0), key=_p95, reverse=True)
    if not slowest:
        yield Text("No phase of the last 5 minutes is known yet.")
        return
    table = make_table("Slowest phases", "p50", "p95", "p99", "Longest", "Late", numbers=5)
    for row in slowest[:SLOWEST]:
        if row.spread is not None:
            times = (row.spread.p50, row.spread.p95, row.spread.p99, row.spread.longest)
            table.add_row(cell(row.phase), *map(duration, times), f"{row.late:,}")
    yield table


def _p95(row: PhaseRow) -> float:
    return row.spread.p95 if row.spread is not None else 0.0


def _outages(pulse: Pulse) -> Iterator[RenderableType]:
    if not pulse.outages:
        yield Text("No outage lasts.")
    for outage in pulse.outages:
        lasts = duration(outage.duration_seconds)  # until it ended, and not until it has recovered
        state = "recovering after" if outage.state == "recovering" else f"{outage.state} for"
        text = f"{outage.scope} is {state} {lasts}, {outage.reason}, {counted(outage.probes, 'probe')}"
        yield cell(text)
