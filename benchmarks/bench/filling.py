"""Three questions about ours alone: 5,000 calls in flight, a large backlog, and two processes for one."""

import time
from dataclasses import replace

from benchmarks.bench.contender import Contender
from benchmarks.bench.endpoint import Work
from benchmarks.bench.ours import ours
from benchmarks.bench.page import PERFORMANCE, write
from benchmarks.bench.plan import BROKERS, WORKS, Bench
from benchmarks.bench.report import machine, summed_up, table, verdict
from benchmarks.bench.rounds import Length, play
from benchmarks.bench.run import Run
from benchmarks.bench.stage import Failed, live

IN_FLIGHT = 5000
BACKLOG = 200_000
SLOW = Work("10 s", latency=10_000)


def in_flight(bench: Bench) -> bool:
    """Memory of 5,000 calls in flight at once, in one process."""
    lines = ["| broker | in flight at once | idle, MB | at the peak, MB | kB a call |\n|---|---:|---:|---:|---:|"]
    for broker in BROKERS:
        settings = {"AJO_MAX_IN_FLIGHT": str(IN_FLIGHT)}
        contender = ours(broker, 100, checkout=bench.checkouts[0], settings=settings)
        if not bench.available(contender):
            continue
        with live(bench.servers, bench.built, contender, SLOW) as stage:
            if stage.usage is None:
                raise Failed("nobody looked at what was used")
            stage.wait_for_calls(1)
            time.sleep(12)  # the first one's answer, and a look at the memory of a worker that has nothing to do
            idle, begin = stage.usage.memory[-1][1], time.time()
            stage.publish(count=IN_FLIGHT)
            stage.wait_for_calls(IN_FLIGHT + 1, idle=30)
            while stage.recorded()[0] < IN_FLIGHT + 1 and time.time() - begin < 120:
                time.sleep(0.2)
            stage.usage.stop()
            most = stage.place.endpoint.stats()["most_in_flight"]
            peak = max(mb for at, mb in stage.usage.memory if at > begin)
        lines.append(f"| {broker} | {most:,} | {idle:.0f} | {peak:.0f} | {(peak - idle) * 1000 / most:.0f} |")
        print(lines[-1], flush=True)
    write(PERFORMANCE, "in flight", f"On {machine()}.\n\n" + "\n".join(lines))
    return True


def backlog(bench: Bench) -> bool:
    """Does the cost of a trigger depend on how many wait? Batches of 100, from a hundred to 200,000."""
    sizes = (100, 1000, 10_000, 50_000 if bench.quick else BACKLOG)
    right, runs = True, list[Run]()
    for broker in BROKERS:
        contender = ours(broker, 100, checkout=bench.checkouts[0])
        if bench.available(contender):
            for size in sizes:
                run = bench.measure(contender, WORKS["0 ms"], size, 1)
                runs.append(replace(run, name=f"{contender.name}: {size:,} wait"))
                right &= not run.wrong
    order = [run.name for run in runs]
    rows = sorted(summed_up(runs), key=lambda row: order.index(row.name))
    steady = {run.name: run.steady for run in runs}
    between = "; ".join(f"{name} {rate:,.0f}" for name, rate in steady.items())
    text = f"On {machine()}. {verdict(runs)}\n\n{table(rows)}"
    write(PERFORMANCE, "backlog", f"{text}\n\nTriggers/s between the first and the last tenth of the calls: {between}.")
    return right


def processes(bench: Bench) -> bool:
    """One process and two, in turn."""
    contenders = list[Contender]()
    for batch in (1, 100):
        contenders += bench.ours((batch,))
        contenders += [one.called(f"{one.name}, --processes 2") for one in bench.ours((batch,), processes=2)]
    length = Length(run=3 if bench.quick else 6, rounds=3)
    runs = list(play(contenders, lambda who, count, round_: bench.measure(who, WORKS["0 ms"], count, round_), length))
    print(table(summed_up(runs)))
    write(PERFORMANCE, "processes", f"On {machine()}. {verdict(runs)}\n\n{table(summed_up(runs))}")
    return not any(run.wrong for run in runs)
