"""What a backlog is made of, written by SQL: workers with what they have in hand, slowed rates, queues, silences."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.support.database import query
from tests.support.ledger_rows import put_worker

LIMITS = """
    update ledger.workers set rate_limits = '{"standard": 500, "high-throughput": 5000}', rate_recovery_seconds = 20,
        ramp_rate = 5, ramp_doubling_seconds = 5, unopened = $2::text::jsonb, waiting = $3::text::jsonb,
        definitions = $4::text::jsonb
    where worker_id = $1
"""


def put_pacing_worker(
    url: str, unopened: str = "{}", waiting: str = "{}", definitions: str = "{}", **columns: Any
) -> UUID:
    """A worker with the rate limits that come by default, and with what it has in hand (JSON)."""
    worker = put_worker(url, **columns)
    query(url, LIMITS, worker, unopened, waiting, definitions)
    return worker


def put_campaign(url: str, name: str, lane: str = "standard", rate_limit: float | None = None) -> None:
    """A definition that a worker ran with."""
    definition = "{}" if rate_limit is None else f'{{"rate_limit": {rate_limit}}}'
    query(
        url,
        "insert into ledger.campaigns values ($1, 'd', 'c', $2, now(), now(), gen_random_uuid(), $3::text::jsonb)",
        name, lane, definition,
    )  # fmt: skip


def put_throttle(url: str, campaign: str, share: float, slowed_at: datetime, since: datetime) -> None:
    """A campaign whose rate a 429 lowered then to this share."""
    query(
        url,
        "insert into ledger.rate_limits (scope, next_at, slowed_at, slowed_since, share) "
        "values ('campaign:' || $1::text, now(), $2, $3, $4)",
        campaign, slowed_at, since, share,
    )  # fmt: skip


def put_queue(url: str, queue: str, messages: int, looked_at: datetime, lane: str = "standard") -> None:
    """A queue in which so many messages waited then."""
    query(url, "insert into ledger.queues values ($1, $2, $3, $3, $4)", queue, lane, looked_at, messages)
