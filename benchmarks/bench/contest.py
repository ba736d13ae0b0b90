"""The main part: rounds of everybody in turn, a table and a drawing of each kind of work."""

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from benchmarks.bench import plot
from benchmarks.bench.building import BUILT, PEERS, ROOT
from benchmarks.bench.contender import Contender
from benchmarks.bench.endpoint import Work
from benchmarks.bench.page import PERFORMANCE, write
from benchmarks.bench.plan import WORKS, Bench
from benchmarks.bench.report import machine, ratios, summed_up, table, verdict
from benchmarks.bench.rounds import Length, play
from benchmarks.bench.run import Run

FULL = Length(run=8, rounds=3)
QUICK = Length(run=2, rounds=3, limit=280)
"""With what is built and started before, five minutes."""


def contest(bench: Bench) -> bool:
    """At 0 ms and 50 ms, ours over TLS too; quickly, or of checkouts, at 0 ms alone. Whether all went right."""
    several = len(bench.checkouts) > 1
    works = [WORKS["0 ms"]] if bench.quick or several else list(WORKS.values())
    right = True
    for work in works:
        contenders = bench.ours() if work.tls else bench.everybody(work)
        right &= one(bench, work, contenders, publish=not (several or bench.only))
    return right


def one(bench: Bench, work: Work, contenders: Sequence[Contender], *, publish: bool) -> bool:
    """One kind of work; ``publish``: into docs/performance.md."""
    before, began = machine(), time.strftime("%Y-%m-%d %H:%M")
    runs: list[Run] = []
    with (BUILT / "runs.jsonl").open("a", encoding="utf-8") as file:
        for run in play(contenders, partial(_measure, bench, work), QUICK if bench.quick else FULL):
            runs.append(run)
            file.write(json.dumps({"began": began, **asdict(run)}) + "\n")
    rows = summed_up(runs)
    rounds = max((run.round for run in runs), default=0)
    turns = "1 round" if rounds == 1 else f"{rounds} rounds"
    versions = ", ".join(f"{name} {version}" for name, version in (bench.servers.versions() | peer_versions()).items())
    text = (
        f"{began} UTC, {turns} of each in turn after a warm-up, on {before}. {verdict(runs)}\n\n"
        f"{table(rows)}\n\n{ratios(rows)}\n\n{versions}."
    )
    print(f"\n{work.name}: {text}\n", flush=True)
    if publish:
        drawing = ROOT / f"docs/bench-{work.name.replace(' ', '').lower()}.svg"
        plot.draw(rows, f"an endpoint that takes {work.name}" if work.latency or not work.tls else "over TLS", drawing)
        write(PERFORMANCE, work.name, f"{text}\n\n![the same as a drawing]({drawing.name})")
    return not any(run.wrong for run in runs)


def _measure(bench: Bench, work: Work, contender: Contender, count: int, round_: int) -> Run:
    return bench.measure(contender, work, count, round_)


def peer_versions() -> dict[str, str]:
    """The pinned versions of what the peers are called by."""
    pinned = (PEERS / "python/requirements.txt").read_text(encoding="utf-8").splitlines()
    python = dict(line.split("==") for line in pinned if "==" in line)
    node = json.loads((PEERS / "node/package.json").read_text(encoding="utf-8"))["dependencies"]
    names = {"Celery": "celery", "taskiq": "taskiq", "Dramatiq": "dramatiq"}
    found = {"Python": platform.python_version()} | {name: python[package] for name, package in names.items()}
    return found | {
        "BullMQ": node["bullmq"],
        "graphile-worker": node["graphile-worker"],
        "pg-boss": node["pg-boss"],
    }
