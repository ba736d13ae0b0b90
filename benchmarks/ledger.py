"""``python -m benchmarks.ledger``: a day of triggers in a ledger, written by COPY, and the day's questions timed.

Every system is late now and then, so that the questions have something to find. ``make ledger-10m`` runs it.
"""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
from ajo_local.postgres import start_postgres
from ajo_local.processes import Processes, ended_by_sigterm
from ajo_worker.ledger import schema

from benchmarks.questions import QUESTIONS, ask

CAMPAIGNS = (("order-shipped", "standard"), ("password-reset", "standard"), ("flash-sale", "high-throughput"))
PRODUCERS = ("shop", "accounts", "newsletter")
ROWS_AT_ONCE = 20_000
PROCESSES = 2
SERVER = {"fsync": "off", "synchronous_commit": "off", "shared_buffers": "1GB", "max_wal_size": "8GB"}
"""It is thrown away afterwards; questions don't write."""
TRIGGERS = (
    "request_id", "batch_id", "owner", "occurred_at", "enqueued_at", "received_at", "first_dispatched_at",
    "last_intent_at", "completed_at", "recipients", "attempts_started", "possible_duplicate", "campaign", "lane",
    "state", "reason", "producer", "execution_id", "recipient_hashes", "duplicate_causes",
)  # fmt: skip
ATTEMPTS = (
    "request_id", "worker", "intended_at", "dispatched_at", "responded_at", "backoff_wait_seconds", "slot_wait_seconds",
    "rate_limit_wait_seconds", "token_wait_seconds", "ledger_wait_seconds", "to_headers_seconds", "to_body_seconds",
    "round", "attempt", "http_status", "ambiguous", "outcome", "failure", "execution_id",
)  # fmt: skip
DELIVERIES = (
    "request_id", "departed_at", "delivered_at", "failed_at", "updated_at", "departures", "deliveries", "failures",
    "delays", "arrival_stamped", "match", "last_status",
)  # fmt: skip
Row = tuple[object, ...]


class Day:
    """The triggers of one day, of which one process writes every ``parts``-th stretch."""

    def __init__(self, begin: datetime, triggers: int, seed: int) -> None:
        self.begin, self.triggers = begin, triggers
        self.worker, self.draw = UUID(int=seed), random.Random(seed)

    def rows(self, first: int, last: int) -> tuple[list[Row], list[Row], list[Row]]:
        """The rows of triggers number ``first`` to ``last``."""
        triggers: list[Row] = []
        attempts: list[Row] = []
        deliveries: list[Row] = []
        for number in range(first, last):
            one, calls, delivery = self._trigger(number)
            triggers.append(one)
            attempts.extend(calls)
            deliveries.extend(delivery)
        return triggers, attempts, deliveries

    def _trigger(self, number: int) -> tuple[Row, list[Row], list[Row]]:
        draw = self.draw.random
        slow = {
            name: draw() * 30
            for name in ("producer", "broker", "slot", "api", "departure", "delivery")
            if draw() < 0.004
        }
        occurred = self.begin + timedelta(days=number / self.triggers)
        enqueued = occurred + _seconds(0.02 + 0.2 * draw() + slow.get("producer", 0))
        received = enqueued + _seconds(0.002 + 0.02 * draw() + slow.get("broker", 0))
        request_id, (campaign, lane) = _uuid7(occurred, self.draw), CAMPAIGNS[number % 3]
        calls: list[Row] = []
        at, retried = received, draw() < 0.03
        execution = f"UMA-{request_id}"
        for attempt in (1, 2) if retried else (1,):
            slot, ledger = 0.001 * draw() + slow.get("slot", 0) * (attempt == 1), 0.002 + 0.004 * draw()
            back_off = 0.5 * draw() if attempt == 2 else 0.0
            dispatched = at + _seconds(slot + ledger + back_off + 0.0005)
            took, failed = 0.05 + 0.2 * draw() + slow.get("api", 0), retried and attempt == 1
            at = dispatched + _seconds(took)
            calls.append((
                request_id, self.worker, dispatched, dispatched, at, back_off, slot, 0.0, 0.0, ledger, took * 0.99,
                took, 1, attempt, 503 if failed else 202, False, "retryable" if failed else "accepted", None,
                None if failed else execution,
            ))  # fmt: skip
        completed, twice = at + _seconds(0.004), draw() < 0.0005
        one = (
            request_id, request_id, self.worker, occurred, enqueued, received, calls[0][3], calls[-1][2], completed, 1,
            len(calls), twice, campaign, lane, "accepted", None, PRODUCERS[number % 3], execution,
            [request_id.bytes], ["ambiguous-answer"] if twice else [],
        )  # fmt: skip
        departed = completed + _seconds(1 + 20 * draw() + 30 * slow.get("departure", 0))
        delivered = departed + _seconds(1 + 60 * draw() + 60 * slow.get("delivery", 0))
        known = [(request_id, departed, delivered, None, delivered, 1, 1, 0, 0, False, "execution-id", "delivered")]
        deliveries: list[Row] = [*known] if draw() < 0.95 else []
        return one, calls, deliveries


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _uuid7(moment: datetime, draw: random.Random) -> UUID:
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | draw.getrandbits(12) << 64 | 2 << 62 | draw.getrandbits(62))


def stretches(triggers: int, part: int, parts: int) -> Iterator[tuple[int, int]]:
    """The stretches of trigger numbers that are one process's."""
    for first in range(part * ROWS_AT_ONCE, triggers, parts * ROWS_AT_ONCE):
        yield first, min(first + ROWS_AT_ONCE, triggers)


def write_part(url: str, begin: datetime, triggers: int, part: int, *, parts: int) -> None:
    """Write one process's part."""
    asyncio.run(_write_part(url, begin, triggers, part, parts))


async def _write_part(url: str, begin: datetime, triggers: int, part: int, parts: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    day = Day(begin, triggers, part + 1)
    for first, last in stretches(triggers, part, parts):
        rows = day.rows(first, last)
        for table, columns, records in zip(
            ("triggers", "attempts", "deliveries"), (TRIGGERS, ATTEMPTS, DELIVERIES), rows, strict=True
        ):
            await connection.copy_records_to_table(table, schema_name="ledger", columns=columns, records=records)
    await connection.close()


async def prepare(url: str, begin: datetime) -> None:
    """The schema, the day's partitions, and a worker that lived all day."""
    await schema.upgrade(url, print)
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT count(*) FROM ledger.make_partitions($1::date, $1::date)", begin.date())
    await connection.execute(
        "INSERT INTO ledger.workers"
        " (worker_id, hostname, pid, version, started_at, heartbeat_at, owner_timeout_seconds, budget_seconds,"
        " lanes)"
        " SELECT $1, 'node-1', 1, '0', $2::timestamptz - interval '1 day', now(), 15, 60, '{standard,high-throughput}'"
        " ON CONFLICT DO NOTHING",
        uuid4(),
        begin,
    )
    await connection.close()


async def roll_up(url: str, begin: datetime, part: int, parts: int) -> None:
    """Compute one process's minutes."""
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    for minute in range(part, 24 * 60 + 3, parts):
        await connection.execute("SELECT ledger.roll_up($1)", begin + timedelta(minutes=minute))
    await connection.close()


def roll_up_part(url: str, begin: datetime, part: int, *, parts: int) -> None:
    """The same, for a process."""
    asyncio.run(roll_up(url, begin, part, parts))


def main() -> None:
    """Write, roll up, ask; in AJO_DATABASE_URL's database if that is set, else in a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triggers", type=int, default=10_000_000)
    parser.add_argument("--only-sum-up", action="store_true", help="the day is written, but not rolled up")
    parser.add_argument("--only-ask", action="store_true", help="the day is written and rolled up already")
    parser.add_argument("--plans", action="store_true", help="print the plans")
    options = parser.parse_args()
    with ended_by_sigterm(), Processes() as processes:
        url = os.environ.get("AJO_DATABASE_URL") or start_postgres(processes, SERVER).url
        begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        if not (options.only_ask or options.only_sum_up):
            fill(url, begin, options.triggers)
        if not options.only_ask:
            sum_up(url, begin)
        asyncio.run(ask(url, begin, QUESTIONS, plans=options.plans))


def fill(url: str, begin: datetime, triggers: int) -> None:
    """The day's rows."""
    asyncio.run(prepare(url, begin))
    parts = range(PROCESSES)
    with ProcessPoolExecutor(PROCESSES) as processes:
        began = time.monotonic()
        list(processes.map(partial(write_part, url, begin, triggers, parts=PROCESSES), parts))
        print(f"{triggers:,} triggers written in {time.monotonic() - began:.0f} s", flush=True)


def sum_up(url: str, begin: datetime) -> None:
    """Roll up the day's minutes, as workers do while it passes."""
    asyncio.run(settle(url))
    with ProcessPoolExecutor(PROCESSES) as processes:
        began = time.monotonic()
        list(processes.map(partial(roll_up_part, url, begin, parts=PROCESSES), range(PROCESSES)))
        print(f"{24 * 60:,} minutes rolled up in {time.monotonic() - began:.0f} s", flush=True)
    asyncio.run(settle(url))


async def settle(url: str) -> None:
    """What workers' upkeep and autovacuum would do meanwhile."""
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT ledger.roll_up_hour(hour) FROM ledger.due_hours(100) AS hour")
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await connection.close()


if __name__ == "__main__":
    main()
