"""From the confirm to the first byte of the call, at half the highest rate."""

from benchmarks.bench.pacing import Load, Paced, paced
from benchmarks.bench.page import PERFORMANCE, write
from benchmarks.bench.plan import WORKS, Bench
from benchmarks.bench.report import machine
from benchmarks.bench.rounds import count_for
from benchmarks.bench.stage import live

HEAD = (
    "| worker | rate | median, ms | 90 % | 99 % | most | cores: worker | PostgreSQL | broker | publisher and others |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def latency(bench: Bench) -> bool:
    """Singles and batches of 100, on both brokers, at defaults."""
    before, lines = machine(), [HEAD]
    for contender in bench.ours((1, 100)):
        work = WORKS["0 ms"]
        warm = bench.measure(contender, work, contender.warm_up, 0)
        run = bench.measure(contender, work, count_for(warm.steady, 3 if bench.quick else 6), 1)
        if run.wrong:
            return False
        batch = 100 if "100" in contender.name else 1
        load = Load(run.rate / 2, batch, 6 if bench.quick else 15)
        with live(bench.servers, bench.built, contender, work) as stage:
            lines.append(row(contender.name, paced(stage, bench.checkouts[0], load)))
        print(lines[-1], flush=True)
    text = f"On {before}.\n\n" + "\n".join(lines)
    if not bench.only and len(bench.checkouts) == 1:
        write(PERFORMANCE, "latency", text)
    return True


def row(name: str, found: Paced) -> str:
    """A line of the table. Pure."""
    waits = " | ".join(f"{found.wait(share):.1f}" for share in (0.5, 0.9, 0.99, 1))
    cores = " | ".join(f"{found.cores.get(group, 0):.2f}" for group in ("worker", "postgres", "broker", "others"))
    return f"| {name} | {found.rate:,.0f} | {waits} | {cores} |"
