"""``python -m benchmarks.bench``: ours and their peers on the same work, in turn; ``make bench`` runs it.

The work: take a trigger, commit the intent, POST it, commit the result, acknowledge. A backlog is filled first, then
the worker is started; its imports and connecting don't count, its ramp does.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ajo_local.processes import Processes, ended_by_sigterm

from benchmarks.bench.building import NotBuilt, build
from benchmarks.bench.contest import contest
from benchmarks.bench.filling import backlog, in_flight, processes
from benchmarks.bench.large_ledger import large_ledger
from benchmarks.bench.latency import latency
from benchmarks.bench.ours import Checkout
from benchmarks.bench.plan import Bench
from benchmarks.bench.scaling import scaling
from benchmarks.bench.servers import serve

PARTS: dict[str, Callable[[Bench], bool]] = {
    "contest": contest,
    "latency": latency,
    "in-flight": in_flight,
    "backlog": backlog,
    "processes": processes,
    "large-ledger": large_ledger,
    "scaling": scaling,
}


def main() -> int:
    """Build, start, measure; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="contest")
    parser.add_argument("--quick", action="store_true", help="five minutes: short runs at 0 ms")
    parser.add_argument("--only", default="", help="a pattern that contenders' names have to match")
    parser.add_argument("--checkouts", default="", help="clones whose workers are compared, comma-separated")
    options = parser.parse_args()
    checkouts = [Checkout(Path(each)) for each in options.checkouts.split(",") if each] or [Checkout()]
    peers = options.part == "contest" and len(checkouts) == 1
    try:
        built = build(peers=peers)
    except NotBuilt as why:
        print(why, file=sys.stderr)
        return 1
    with ended_by_sigterm(), Processes() as processes:
        bench = Bench(serve(processes), built, checkouts, options.only, options.quick)
        return 0 if PARTS[options.part](bench) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
