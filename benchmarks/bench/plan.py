"""Who takes part in what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.bench.building import Built
from benchmarks.bench.contender import Broker, Contender
from benchmarks.bench.endpoint import Work
from benchmarks.bench.ours import BATCHES, Checkout, bare, ours
from benchmarks.bench.peers import all_peers
from benchmarks.bench.run import Run, measure
from benchmarks.bench.servers import Servers

WORKS = {
    "0 ms": Work("0 ms"),
    "50 ms": Work("50 ms", latency=50, jitter=20),
    "TLS": Work("TLS", tls=True),
}
BROKERS: tuple[Broker, ...] = ("rabbitmq", "valkey")


@dataclass(frozen=True)
class Bench:
    """What all parts of the bench share."""

    servers: Servers
    built: Built
    checkouts: Sequence[Checkout]
    """Whose workers are measured; several are compared with one another."""
    only: str = ""
    """A pattern that names of contenders have to match."""
    quick: bool = False

    def available(self, contender: Contender) -> bool:
        """Whether its broker can be had, and it was asked for."""
        there = contender.broker != "rabbitmq" or self.servers.rabbitmq is not None
        return there and bool(re.search(self.only, contender.name, re.IGNORECASE))

    def ours(self, batches: Sequence[int] = BATCHES, processes: int = 1) -> list[Contender]:
        """Ours on both brokers; of several checkouts each with the checkout's name."""
        found = []
        for broker in BROKERS:
            for batch in batches:
                for checkout in self.checkouts:
                    contender = ours(broker, batch, checkout=checkout, processes=processes)
                    suffix = f", {checkout.root.name}" if len(self.checkouts) > 1 else ""
                    found.append(replace(contender, name=contender.name + suffix))
        return [contender for contender in found if self.available(contender)]

    def everybody(self, work: Work) -> list[Contender]:
        """Ours, the peers, and the bare loop; where checkouts are compared, ours alone."""
        if len(self.checkouts) > 1:
            return self.ours()
        slow = work.latency > 0
        others = [*all_peers(self.built, slow=slow), bare(500 if slow else 200)]
        return [*self.ours(), *(contender for contender in others if self.available(contender))]

    def measure(self, contender: Contender, work: Work, count: int, round_: int) -> Run:
        """One run, told as it ends."""
        run = measure(self.servers, self.built, contender, work, count, round_)
        told = f"{run.rate:8,.0f}/s of {run.count:7,}" if run.rate else "failed"
        cpu = ", ".join(f"{group} {milliseconds:.3f}" for group, milliseconds in run.cpu.items())
        bad = f"  WRONG: {run.wrong}" if run.wrong else ""
        where = f"{work.name:6} {round_} {run.name:40}"
        print(f"{where} {told}; ms of CPU: {cpu}; others {run.others:.2f}{bad}", flush=True)
        return run
