"""Gathering what each party says after a run."""

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from ajo_producers.contract.batch import BadMessage, BadTrigger, decode_body, decode_trigger
from ajo_producers.contract.lanes import queues_of
from ajo_worker.intake.envelope import payload_of
from kombu import Connection
from redis import Redis

from tests.chaos.run import SECRET, Run
from tests.chaos.stream import PLANTED_DOMAIN
from tests.chaos.verdict import Evidence, Row
from tests.support.conservation import TOO_LATE

AMBIGUOUS_STATUSES = frozenset({409, 502, 504})
LEAKS = {"the planted secret": SECRET, "a planted address": f"@{PLANTED_DOMAIN}", "an access token": "simulated-"}

MOST_LOG_FAULTS = 5
ON_ITS_WAY = 1.0
"""Seconds from a call's begin to its arrival, on a busy machine."""

# What Celery and kombu log as errors while a broker is away: handled, and expected where a broker is killed.
HANDLED = re.compile(
    "consumer: Cannot connect to|Connection to broker lost|Trying again in|Error cleaning up after event loop"
)


def gather(run: Run) -> Evidence:
    """The evidence of a run whose workers have ended."""
    calls = run.journal()
    rows = run.query("select request_id, state, possible_duplicate, duplicate_causes from audit.triggers")
    return Evidence(
        confirmed=run.stream.confirmed,
        offered=run.stream.offered,
        in_broker=in_broker(run),
        ledger={
            str(row["request_id"]): Row(row["state"], row["possible_duplicate"], tuple(row["duplicate_causes"]))
            for row in rows
        },
        accepted=Counter(call["request_id"] for call in calls if call["accepted"]),
        suspects=run.suspects | {call["request_id"] for call in calls if _is_ambiguous(call, run.patience)},
        late=late(run, calls),
        outages={f"{row['scope']}: {row['reason']}" for row in run.query("select scope, reason from audit.outages")},
        came_to_rest=run.came_to_rest,
        log_faults=tuple(log_faults(run)),
        leaks=tuple(leaks(run)),
    )


def late(run: Run, calls: list[dict[str, Any]]) -> set[str]:
    """The ids of triggers with a call after their budget: by the ledger, or by the simulator if that clock was set."""
    if not run.database_clock_was_set:
        return {str(row["request_id"]) for row in run.query(TOO_LATE, run.budget)}
    arrivals: dict[str, list[datetime]] = {}
    for call in calls:
        arrivals.setdefault(call["request_id"], []).append(datetime.fromisoformat(call["arrived_at"]))
    most = timedelta(seconds=run.budget + ON_ITS_WAY)
    return {request_id for request_id, moments in arrivals.items() if max(moments) - min(moments) > most}


def _is_ambiguous(call: dict[str, Any], patience: float) -> bool:
    """Whether its caller, who waits for an answer so many seconds, can't know what became of it."""
    late = (call["answered_after"] or 0) > patience
    return call["status"] is None or call["status"] in AMBIGUOUS_STATUSES or late


def in_broker(run: Run) -> set[str]:
    """The ids of all triggers in messages that wait for a worker, or were taken and not answered; takes the first."""
    found = taken_from_valkey(run) if run.broker.name == "valkey" else set()
    with Connection(run.broker.url) as connection:
        for name in queues_of(run.queue_prefix):
            with connection.channel() as channel:
                try:
                    while (message := channel.basic_get(name)) is not None:
                        found |= _ids(message.body)
                        channel.basic_ack(message.delivery_tag)
                except connection.channel_errors:
                    continue  # no such queue
    return found


def taken_from_valkey(run: Run) -> set[str]:
    """The ids of all triggers in messages that a worker has taken, and of which it has told no end."""
    found: set[str] = set()
    with Redis.from_url(run.broker.url) as client:
        for held in client.hvals(f"{run.queue_prefix}.unacked"):
            queue, _, item = held.partition(b"\n")
            found |= _ids(payload_of(item, "", queue.decode(), len(item))["body"])
    return found


def _ids(body: bytes | str) -> set[str]:
    found: set[str] = set()
    try:
        for raw in decode_body(body if isinstance(body, bytes) else body.encode()).triggers:
            found.add(str(decode_trigger(raw).request_id))
    except (BadMessage, BadTrigger):
        pass
    return found


def log_faults(run: Run) -> list[str]:
    """Errors in the workers' logs that nothing explains, each once."""
    found: Counter[str] = Counter()
    for worker in run.dead:
        for line in worker.child.output().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                if "Traceback" in line or "Error" in line:
                    found[f"log: {line[:160]}"] += 1
                continue
            if event.get("level") in {"error", "critical"} and not HANDLED.search(str(event.get("event"))):
                found[f"log: {event.get('event')!s:.160} {str(event.get('exception', ''))[-300:]}"] += 1
    return [f"{text} ({times} times)" for text, times in found.most_common(MOST_LOG_FAULTS)]


def leaks(run: Run) -> list[str]:
    """Secrets and addresses in the workers' logs."""
    logs = [worker.child.output() for worker in run.dead]
    return [f"{what} is in a worker's log" for what, text in LEAKS.items() if any(text in log for log in logs)]
