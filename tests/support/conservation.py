"""The verdict of a run, by sets of ids: publisher's receipts, the simulator's journal, the ledger."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.database import query

DEFINITION = """
campaign_id = "{campaign_id}"
lane = "{lane}"
endpoint = "https://platform.adobe.io/ajo/im/executions/{path}"
organization = "0123456789ABCDEF01234567@AdobeOrg"
sandbox = "prod"
namespace = "email"
recipient_type = "{recipient_type}"
{facts}

[channel_data]
emailAddress = {{ type = "string" }}

[context]
orderId = {{ type = "string" }}
"""

CAMPAIGN_ID = "5f0c2b7e-9d34-4c1a-8e6b-1a2b3c4d5e6f"


def write_definition(
    folder: Path,
    name: str = "order-shipped",
    *,
    lane: str = "standard",
    facts: str = "",
    campaign_id: str = CAMPAIGN_ID,
) -> Path:
    """A campaign definition in ``folder``, with more ``facts`` (TOML); its budget and time-outs are the worker's."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.toml"
    high = lane == "high-throughput"
    file.write_text(
        DEFINITION.format(
            campaign_id=campaign_id,
            lane=lane,
            path="highthroughput" if high else "unitary",
            recipient_type="external" if high else "aep",
            facts=facts,
        ),
        encoding="utf-8",
    )
    return file


def journal(path: Path) -> list[dict[str, Any]]:
    """All complete lines of a simulator's journal that are executions."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    calls = [json.loads(line) for line in lines if line.endswith("}")]
    return [call for call in calls if call.get("request_id")]


def most_at_once(calls: Iterable[dict[str, Any]]) -> int:
    """How many calls were under way at the same time."""
    events = []
    for call in calls:
        began = datetime.fromisoformat(call["arrived_at"])
        events += [(began, 1), (began + timedelta(seconds=call["answered_after"] or 0.0), -1)]
    under_way = most = 0
    for _, change in sorted(events):
        under_way += change
        most = max(most, under_way)
    return most


def accepted(path: Path) -> Counter[str]:
    """How often the simulator accepted each request id."""
    return Counter(call["request_id"] for call in journal(path) if call["accepted"])


def ledger(url: str) -> dict[str, dict[str, Any]]:
    """The audit's row of each trigger, by request id."""
    return {str(row["request_id"]): row for row in query(url, "select * from audit.triggers")}


def unfinished(url: str) -> int:
    """How many triggers are still being sent."""
    return int(query(url, "select count(*) as n from ledger.triggers where state = 'sending'")[0]["n"])


def finished(url: str) -> int:
    """How many triggers have a state that lasts."""
    return int(query(url, "select count(*) as n from ledger.triggers where state not in ('sending', 'parked')")[0]["n"])


TOO_LATE = """
    select a.request_id from audit.attempts a join audit.triggers t using (request_id)
    where a.round = t.round and a.dispatched_at > t.first_dispatched_at + make_interval(secs => $1)
"""

# Waits are measured on the monotonic clock; Retry-After is a floor, the back-off's bound a ceiling where there is none.
WRONG_WAITS = """
    select a.request_id, a.attempt, a.backoff_wait_seconds, p.retry_after_seconds
    from audit.attempts a
    join audit.attempts p on (p.request_id, p.round, p.attempt) = (a.request_id, a.round, a.attempt - 1)
    where a.backoff_wait_seconds < coalesce(p.retry_after_seconds, 0)
       or (p.outcome = 'retryable' and a.dispatched_at - p.responded_at
            < make_interval(secs => coalesce(p.retry_after_seconds, 0) - 0.001))
"""
