"""``python -m benchmarks.urgent``: how long urgent triggers wait behind a bulk backlog of 100,000 in the same lane.

The lane sends at its documented 500 calls a second; urgent triggers come one by one. ``make urgent`` runs it.
"""

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from statistics import median

from ajo_local.processes import Processes, ended_by_sigterm
from ajo_producers import Campaigns, CheckedTrigger, Publisher

from tests.chaos.servers import Servers, serve
from tests.chaos.stack import Broker
from tests.support.conservation import finished, write_definition
from tests.support.delivery import worker_environment
from tests.support.programs import start_simulator, start_worker
from tests.support.waiting import wait_until

BULK, URGENT, BATCH = 100_000, 50, 100
QUICK = '[latency]\ndistribution = "uniform"\nlow = 0.03\nhigh = 0.08\n'


def triggers(campaigns: Campaigns, name: str, count: int) -> Iterator[CheckedTrigger]:
    """So many of a campaign."""
    for number in range(count):
        yield campaigns[name].trigger(to=f"person{number}@example.com", context={"orderId": str(number)})


def measure(servers: Servers, broker: Broker) -> None:
    """Print the waits on one broker, and how much of the backlog was left."""
    with Processes() as processes, servers.database() as name, tempfile.TemporaryDirectory(prefix="ajo-") as folder:
        definitions = Path(folder) / "campaigns"
        write_definition(definitions)
        write_definition(definitions, "password-reset", facts='priority = "urgent"')
        campaigns = Campaigns.load(definitions)
        simulator = start_simulator(processes, Path(folder), QUICK)
        env = worker_environment(broker.url, f"urgent-{secrets.token_hex(4)}", simulator, definitions) | {
            "AJO_DATABASE_URL": servers.postgres.url_of(name),
            "AJO_RATE_LIMIT_STANDARD": "500",
        }
        with closing(Publisher(broker.url, queue_prefix=env["AJO_QUEUE_PREFIX"], producer="shop")) as publisher:
            publisher.publish_many(triggers(campaigns, "order-shipped", BULK), batch_size=BATCH)
            start_worker(processes, env)
            wait_until(lambda: finished(env["AJO_DATABASE_URL"]) > BULK // 50, what="the backlog is worked off")
            published = {}
            for each in triggers(campaigns, "password-reset", URGENT):
                published[str(each.request_id)] = time.time()
                publisher.publish(each)
                time.sleep(0.2)
            left = BULK + URGENT - finished(env["AJO_DATABASE_URL"])
        waits = sorted(_arrivals(simulator.journal, published))
        print(
            f"{broker.name}: {len(waits)} urgent triggers, behind a backlog of {BULK:,} ({left:,} left afterwards): "
            f"from publishing to the call {median(waits):.3f} s in the median, {waits[-1]:.3f} s at most"
        )


def _arrivals(journal: Path, published: dict[str, float]) -> Iterator[float]:
    for line in journal.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if entry["request_id"] in published and entry["attempt"] == 1:
            yield datetime.fromisoformat(entry["arrived_at"]).timestamp() - published[entry["request_id"]]


def main() -> None:
    """On both brokers."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with ended_by_sigterm(), Processes() as processes:
        servers = serve(processes, ("rabbitmq", "valkey"))
        for broker in servers.brokers:
            measure(servers, broker)


if __name__ == "__main__":
    main()
