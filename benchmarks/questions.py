"""The questions of a day, as auditors ask them in docs/audit.md; each is timed, with its plan if wanted."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import asyncpg

BETWEEN = "minute >= $1 AND minute < $2"
QUESTIONS: Mapping[str, str] = {
    "what became of the day's triggers, by campaign": f"""
        SELECT campaign, sum(triggers) AS triggers, sum(accepted) AS accepted, sum(rejected) AS rejected,
               sum(expired) AS expired, sum(unconfirmed) AS unconfirmed, sum(parked) AS parked,
               sum(unaccounted) AS unaccounted
        FROM audit.conservation WHERE {BETWEEN} GROUP BY campaign ORDER BY campaign""",
    "which phase took how long, by campaign": """
        SELECT campaign, phase, system, late, p50, p95, p99, longest FROM audit.delay_percentiles($1, $2)""",
    "whose fault was it, by hour": f"""
        SELECT date_trunc('hour', minute) AS hour, s.key AS system, sum((s.value ->> 'triggers')::bigint) AS triggers,
               sum((s.value ->> 'seconds')::float8) AS seconds
        FROM audit.trigger_minutes, jsonb_each(systems) AS s WHERE {BETWEEN} GROUP BY 1, 2 ORDER BY 1, 4 DESC""",
    "one campaign's phase, minute by minute": f"""
        SELECT minute, triggers, late, p50, p95, p99, longest FROM audit.delay_by_minute
        WHERE {BETWEEN} AND campaign = 'order-shipped' AND phase = 'broker' ORDER BY minute""",
    "the twenty slowest triggers, and why": f"""
        SELECT request_id, campaign, system, phase, delay_seconds, end_to_end_seconds FROM audit.delays
        WHERE request_id = ANY(ARRAY(
            SELECT w.request_id FROM audit.trigger_minutes, unnest(worst, worst_seconds) AS w (request_id, seconds)
            WHERE {BETWEEN} ORDER BY w.seconds DESC LIMIT 20)) ORDER BY end_to_end_seconds DESC""",
    "one trigger, event by event": f"""
        SELECT at, elapsed_seconds, event, detail, by_clock FROM audit.timeline
        WHERE request_id = (SELECT worst[1] FROM audit.trigger_minutes WHERE {BETWEEN} LIMIT 1) ORDER BY at""",
    "one trigger's phases": f"""
        SELECT * FROM audit.delays
        WHERE request_id = (SELECT worst[1] FROM audit.trigger_minutes WHERE {BETWEEN} LIMIT 1)""",
    "all triggers of one minute, with the guilty system": """
        SELECT system, count(*), max(delay_seconds) FROM audit.delays
        WHERE received_at >= $1::timestamptz + interval '12 hours'
          AND received_at < $2::timestamptz - interval '719 minutes'
        GROUP BY system""",
    "possible duplicates, by cause": """
        SELECT causes, count(*), sum(accepted) AS accepted FROM audit.duplicates
        WHERE received_at >= $1 AND received_at < $2 GROUP BY causes""",
    "how budgets were used": """
        SELECT campaign, p50, p95, p99, longest FROM audit.delay_percentiles($1, $2) WHERE phase = 'budget'""",
    "clocks that disagree": f"""
        SELECT producer, min(skew_seconds), max(skew_seconds) FROM audit.producer_clocks
        WHERE {BETWEEN} GROUP BY producer""",
    "outages": "SELECT * FROM audit.outages WHERE opened_at < $2 AND coalesce(ended_at, now()) >= $1",
    "alerts": "SELECT * FROM audit.alerts",
}


async def ask(url: str, begin: datetime, questions: Mapping[str, str], *, plans: bool) -> None:
    """Print how long each question of the day took: the best of three, after one to warm up."""
    connection = await asyncpg.connect(url, server_settings={"jit": "off", "enable_partitionwise_join": "on"})
    for question, sql in questions.items():
        given = (begin, begin + timedelta(days=1))[: sql.count("$1") and 2]
        seconds, rows = [], 0
        for _ in range(4):
            began = time.monotonic()
            rows = len(await connection.fetch(sql, *given))
            seconds.append(time.monotonic() - began)
        print(f"{min(seconds[1:]):7.3f} s  {rows:6,} rows  {question}", flush=True)
        if plans:
            for line in await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF) {sql}", *given):
                print(f"            {line[0]}")
    await connection.close()
