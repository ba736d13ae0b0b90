"""What a load needs: a model fitted on steady loads, checked against others, and asked for Adobe's limits."""

from collections.abc import Sequence
from math import ceil

import psycopg

from benchmarks.bench.contender import Contender
from benchmarks.bench.endpoint import Work
from benchmarks.bench.model import Line, Sample, fitted
from benchmarks.bench.pacing import Load, paced
from benchmarks.bench.page import SCALING, write
from benchmarks.bench.plan import Bench
from benchmarks.bench.report import machine
from benchmarks.bench.run import WAL
from benchmarks.bench.stage import live

FITTED = ((50, 1), (200, 1), (500, 1), (400, 20), (1500, 20), (500, 100), (1500, 100), (3000, 100))
CHECKED = ((350, 1), (600, 5), (1000, 50), (2400, 100))
WORK = Work("50 ms", latency=50, jitter=20)
THINGS = {"worker": "worker, cores", "postgres": "PostgreSQL, cores", "broker": "broker, cores", "wal": "WAL, kB/s"}
ASKED = ((500, 1), (500, 100), (5000, 1), (5000, 20), (5000, 100))
SHARE_OF_A_CORE = 0.6
"""So much of its core a worker may use on average: what comes in bursts must not wait for the next second."""
CONNECTIONS = 15
SECONDS_OF_A_CALL = 0.2


def scaling(bench: Bench) -> bool:
    """Ours on RabbitMQ."""
    contender = next(one for one in bench.ours((1,)) if one.broker == "rabbitmq")
    before = machine()
    samples = [_sample(bench, contender, rate, batch) for rate, batch in FITTED]
    checks = [_sample(bench, contender, rate, batch) for rate, batch in CHECKED]
    lines = {thing: fitted(samples, thing) for thing in THINGS}
    text = f"Measured on {before}; the endpoint takes 50 ms.\n\n{compared(samples, checks, lines)}\n\n{needs(lines)}"
    print(text)
    write(SCALING, "model", text)
    return True


def _sample(bench: Bench, contender: Contender, rate: float, batch: int) -> Sample:
    with live(bench.servers, bench.built, contender, WORK) as stage:
        before = _wal(stage.place.database)
        found = paced(stage, bench.checkouts[0], Load(rate, batch, 8 if bench.quick else 15))
        wal = (_wal(stage.place.database) - before) / max(1, len(found.waits)) * found.rate / 1000
    used = {name: found.cores[name] for name in ("worker", "postgres", "broker")} | {"wal": wal}
    told = ", ".join(f"{name} {amount:.3f}" for name, amount in used.items())
    print(f"{found.rate:6.0f}/s in messages of {batch:3}: {told}, others {found.cores['others']:.2f}", flush=True)
    return Sample(found.rate, batch, used)


def _wal(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(WAL).fetchone()
    return int(row[0]) if row else 0


def compared(samples: Sequence[Sample], checks: Sequence[Sample], lines: dict[str, Line]) -> str:
    """What was measured, and what the model says. Pure."""
    head = [f"| triggers/s | a message | | {' | '.join(THINGS.values())} |", "|---:|---:|---|" + "---:|" * len(THINGS)]
    rows = []
    for kind, several in (("fitted", samples), ("**checked**", checks)):
        for each in several:
            found = " | ".join(_both(each, thing, line) for thing, line in lines.items())
            rows.append(f"| {each.rate:,.0f} | {each.batch} | {kind} | {found} |")
    terms = []
    for thing, line in lines.items():
        by_message = f"{line.message:.3g} · (messages/s)^{line.exponent:g}"
        terms.append(f"{THINGS[thing]} = {line.rest:.3g} + {line.trigger:.3g} · triggers/s + {by_message}")
    return "\n".join([*head, *rows]) + "\n\n```text\n" + "\n".join(terms) + "\n```"


def _both(sample: Sample, thing: str, line: Line) -> str:
    measured, said = sample.used[thing], line.at(sample.rate, sample.batch)
    places = 0 if thing == "wal" else 2
    return f"{measured:,.{places}f} (model {said:,.{places}f})"


def needs(lines: dict[str, Line]) -> str:
    """What Adobe's limits need by the model. Pure."""
    names: tuple[str, ...] = ("calls/s", "a message", "workers", "worker cores", "PostgreSQL cores", "broker cores")
    names += ("WAL, MB/s", "connections", "in flight")
    rows = [f"| {' | '.join(names)} |", f"|{'---:|' * len(names)}"]
    for rate, batch in ASKED:
        cores = {thing: line.at(rate, batch) for thing, line in lines.items()}
        workers = ceil(cores["worker"] / SHARE_OF_A_CORE)
        used = " | ".join(f"{cores[name]:.2f}" for name in ("worker", "postgres", "broker"))
        rest = f"{cores['wal'] / 1000:.1f} | {workers * CONNECTIONS} | {rate * SECONDS_OF_A_CALL:,.0f}"
        rows.append(f"| {rate:,} | {batch} | {workers} | {used} | {rest} |")
    return "\n".join(rows)
