"""Does a ledger of ten million triggers slow a worker down? They lie in the partitions that it writes into."""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks import ledger
from benchmarks.bench.ours import ask, ours
from benchmarks.bench.page import PERFORMANCE, write
from benchmarks.bench.plan import BROKERS, WORKS, Bench
from benchmarks.bench.report import machine, summed_up, table, verdict
from benchmarks.bench.rounds import count_for
from benchmarks.bench.run import Run
from benchmarks.bench.servers import Servers

ROUNDS = 3
TRIGGERS = 10_000_000


def large_ledger(bench: Bench) -> bool:
    """With them and without, in turn; quickly, a million."""
    triggers, url = (1_000_000 if bench.quick else TRIGGERS), bench.servers.postgres.url
    filled = f"filled_{secrets.token_hex(4)}"
    ask(url, f"create database {filled}")
    now = datetime.now(UTC)
    asyncio.run(ledger.prepare(bench.servers.postgres.url_of(filled), now))
    ledger.fill(bench.servers.postgres.url_of(filled), now - timedelta(days=1), triggers)
    asyncio.run(ledger.settle(bench.servers.postgres.url_of(filled)))

    def create(servers: Servers, name: str) -> None:
        ask(servers.postgres.url, f"alter database {filled} rename to {name}")

    def remove(servers: Servers, name: str) -> None:
        ask(servers.postgres.url, f"alter database {name} rename to {filled}")

    runs = list[Run]()
    for contender in (ours(broker, batch, checkout=bench.checkouts[0]) for broker in BROKERS for batch in (1, 100)):
        if not bench.available(contender) or contender.records is None:
            continue
        large = replace(
            contender.called(f"{contender.name}, {triggers:,}"),
            records=replace(contender.records, create=create, remove=remove),
        )
        warm = bench.measure(contender, WORKS["0 ms"], contender.warm_up, 0)
        count = count_for(warm.steady, 3 if bench.quick else 8)
        for round_ in range(1, ROUNDS + 1):
            for each in (contender, large) if round_ % 2 else (large, contender):
                runs.append(bench.measure(each, WORKS["0 ms"], count, round_))
    print(table(summed_up(runs)))
    write(PERFORMANCE, "large ledger", f"On {machine()}. {verdict(runs)}\n\n{table(summed_up(runs))}")
    return not any(run.wrong for run in runs)
