"""A delivery as the acceptance tests prepare it: a campaign, a simulator, workers, a file of triggers to publish."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.programs import Finished, Simulator, Worker

SECRET = "planted-secret-5d41402abc4b"

# A fifth of all first attempts fails in a way that a retry heals; second attempts pass.
SCENARIO = """
seed = 11
[latency]
distribution = "lognormal"
median = 0.02
p99 = 0.2

[[fault]]
share = 0.08
attempts = 1
kind = "status"
status = 503

[[fault]]
share = 0.05
attempts = 1
kind = "rate-limit"
retry_after = 1

[[fault]]
share = 0.04
attempts = 1
kind = "reset-before"

[[fault]]
share = 0.03
attempts = 1
kind = "status"
status = 500
"""


@dataclass
class Delivery:
    """What a delivery needs, ready to be used; ``env`` is what workers and publishers are told."""

    folder: Path
    api: Simulator
    env: dict[str, str] = field(repr=False)
    start: Callable[..., Worker]
    run_cli: Callable[..., Finished]

    @property
    def campaigns(self) -> Path:
        """The folder of campaign definitions."""
        return self.folder / "campaigns"

    def start_worker(self) -> Worker:
        """One more worker."""
        return self.start(self.env)

    def publish(self, count: int, batch_size: int = 100, campaign: str = "order-shipped") -> set[str]:
        """Publish triggers for so many invented people; the confirmed request ids."""
        people = (f"person{number}@example.com" for number in range(count))
        lines = [{"to": person, "context": {"orderId": f"A-{number}"}} for number, person in enumerate(people)]
        return set(self.publish_lines(lines, batch_size, campaign))

    def publish_lines(
        self, lines: Sequence[Mapping[str, object]], batch_size: int = 100, campaign: str = "order-shipped"
    ) -> list[str]:
        """Publish triggers as lines of a file; the confirmed request ids, in their order."""
        file, receipts = (self.folder / f"{name}-{secrets.token_hex(4)}.jsonl" for name in ("triggers", "receipts"))
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        options = ("--from", file, "--receipts", receipts, "--batch-size", str(batch_size))
        done = self.run_cli("trigger", campaign, *options, env=self.env)
        assert done.code == 0, done.err
        rows = [json.loads(line) for line in receipts.read_text(encoding="utf-8").splitlines()]
        return [row["request_id"] for row in rows if row.get("confirmed")]


def worker_environment(broker_url: str, queue_prefix: str, simulator: Simulator, campaigns: Path) -> dict[str, str]:
    """What workers and publishers are told, beside the database."""
    return {
        "AJO_BROKER_URL": broker_url,
        "AJO_QUEUE_PREFIX": queue_prefix,
        "AJO_BASE_URL": simulator.url,
        "AJO_TOKEN_URL": simulator.token_url,
        "AJO_CLIENT_ID": "test-client",
        "AJO_CLIENT_SECRET": SECRET,
        "AJO_CAMPAIGNS": str(campaigns),
        "AJO_HASH_KEY": "test-hash-key",
        "AJO_RATE_LIMIT_STANDARD": "5000",
        "AJO_HEARTBEAT_SECONDS": "0.5",
        "AJO_OWNER_TIMEOUT": "3",
    }
