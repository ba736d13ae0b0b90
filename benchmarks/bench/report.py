"""What runs measured, as a table for people."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.bench.run import Run


@dataclass(frozen=True)
class Row:
    """One contender's runs, summed up."""

    name: str
    runs: int
    rate: float
    slowest: float
    fastest: float
    cpu: Mapping[str, float]
    together: float
    memory: float
    wal: float
    others: float
    broker: str
    wrong: str

    @property
    def ours(self) -> bool:
        """Whether it is no peer, and not the bare loop."""
        return self.name.startswith("ours")


def summed_up(runs: Iterable[Run]) -> list[Row]:
    """A row a contender, the fastest first; the warm-up, round 0, counts only where it is all there is. Pure."""
    names: dict[str, list[Run]] = {}
    for run in runs:
        names.setdefault(run.name, []).append(run)
    rows = [_row(name, [run for run in several if run.round] or several) for name, several in names.items()]
    return sorted(rows, key=lambda row: -row.rate)


def _row(name: str, runs: Sequence[Run]) -> Row:
    rates = [run.rate for run in runs]
    groups = {group for run in runs for group in run.cpu}
    return Row(
        name,
        len(runs),
        median(rates),
        min(rates),
        max(rates),
        {group: median(run.cpu.get(group, 0) for run in runs) for group in groups},
        median(run.together for run in runs),
        max(run.memory for run in runs),
        median(run.wal for run in runs),
        median(run.others for run in runs),
        runs[0].broker,
        "; ".join(dict.fromkeys(run.wrong for run in runs if run.wrong)),
    )


HEAD = (
    "| contender | triggers/s, median (range) | worker, ms of CPU | PostgreSQL | broker | together | memory, MB |"
    " WAL, bytes | others, cores |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def table(rows: Iterable[Row]) -> str:
    """Markdown; CPU and WAL are per trigger. Pure."""
    lines = [HEAD]
    for row in rows:
        name = f"**{row.name}**" if row.ours else row.name
        if row.wrong and not row.rate:
            lines.append(f"| {name} | failed | | | | | | | |")
            continue
        recorded = bool(row.wal > 1)
        cells = [
            f"{row.rate:,.0f} ({row.slowest:,.0f}–{row.fastest:,.0f})",
            *(f"{row.cpu.get(group, 0):.2f}" if group == "worker" or recorded else "–" for group in GROUPS),
            f"{row.together:.2f}",
            f"{row.memory:,.0f}",
            f"{row.wal:,.0f}" if recorded else "–",
            f"{row.others:.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


GROUPS = ("worker", "postgres", "broker")


def ratios(rows: Sequence[Row]) -> str:
    """Ours beside the best peer of any kind, the best on RabbitMQ, and the bare loop, in one table. Pure."""
    peers = [row for row in rows if not row.ours and row.broker != "none" and row.rate]
    bare = next((row for row in rows if row.broker == "none"), None)
    if not peers:
        return ""
    best, leanest = max(peers, key=lambda row: row.rate), min(peers, key=lambda row: row.together)
    on_rabbitmq = max((row for row in peers if row.broker == "rabbitmq"), key=lambda row: row.rate, default=None)
    same_broker = on_rabbitmq.name if on_rabbitmq else "none here"
    lines = [
        f"| rate ÷ | best peer ({best.name}) | best on RabbitMQ ({same_broker}) | bare loop |"
        f" CPU together ÷ the leanest peer's ({leanest.name}) |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in (row for row in rows if row.ours and row.rate):
        rates = [f"{row.rate / other.rate:.2f}" if other else "–" for other in (best, on_rabbitmq, bare)]
        lines.append(f"| {row.name} | {' | '.join(rates)} | {row.together / leanest.together:.2f} |")
    return "\n".join(lines)


def verdict(runs: Sequence[Run]) -> str:
    """One sentence on whether all went as it must. Pure."""
    bad = [run for run in runs if run.wrong]
    if not bad:
        triggers = sum(run.count for run in runs)
        return f"In all {len(runs)} runs ({triggers:,} triggers) every id was called once, recorded and acknowledged."
    told = [f"{run.name} in round {run.round}: {run.wrong.splitlines()[0]}" for run in bad]
    return f"{len(bad)} of {len(runs)} runs went wrong: {'; '.join(told)}."


def machine() -> str:
    """What was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB; load before {os.getloadavg()[0]:.1f}"
