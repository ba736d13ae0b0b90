"""Looks into the broker, and what of them stays on record: queues, and what is slowed at that moment."""

from collections.abc import Mapping

import asyncpg

EVERY = 10.0
"""Seconds between two looks into a queue, whoever looks."""
WHILE_EMPTY = 300.0
"""Seconds between two rows of a queue that stays empty."""
SLACK = 0.9
"""The part of them after which a queue may be looked into: a look that comes a moment early is not left out."""

# One worker's look is enough; whoever fails leaves the next one to others.
CLAIM = """
    INSERT INTO ledger.queues AS q (queue, lane, asked_at)
    SELECT queue, lane, now() FROM unnest($1::text[], $2::text[]) AS n (queue, lane) ORDER BY queue
    ON CONFLICT (queue) DO UPDATE SET asked_at = now() WHERE q.asked_at <= now() - make_interval(secs => $3)
    RETURNING queue
"""
# Of a queue that stays empty a row now and then is enough.
RECORD = """
    WITH seen AS (
        UPDATE ledger.queues q SET looked_at = now(), messages = n.messages
        FROM unnest($1::text[], $2::bigint[]) AS n (queue, messages) WHERE q.queue = n.queue
        RETURNING q.queue, q.lane, q.messages
    )
    INSERT INTO ledger.backlogs (looked_at, messages, unopened, queue, lane)
    SELECT now(), s.messages, u.unopened, s.queue, s.lane FROM seen s
    CROSS JOIN LATERAL (
        SELECT coalesce(sum((w.unopened ->> s.queue)::bigint), 0) AS unopened
        FROM ledger.workers w WHERE ledger.lives(w)
    ) AS u
    LEFT JOIN LATERAL (
        SELECT b.messages + b.unopened AS messages FROM ledger.backlogs b
        WHERE b.queue = s.queue AND b.looked_at > now() - make_interval(secs => $3) ORDER BY b.looked_at DESC LIMIT 1
    ) AS newest ON true
    WHERE s.messages + u.unopened > 0 OR newest.messages IS DISTINCT FROM 0
    ON CONFLICT DO NOTHING
"""
# Workers of several prefixes may look at the same time; what is slowed is the same to all of them.
RECORD_RATES = """
    WITH waiting AS MATERIALIZED (SELECT * FROM audit.waiting), slow AS MATERIALIZED (SELECT * FROM audit.slow_rates)
    INSERT INTO ledger.rates (looked_at, lane, campaign, cause, scope, since, share, calls_per_second, rate_limit,
                              waiting, parked)
    SELECT date_bin(make_interval(secs => $1), now(), '2000-01-01 00:00+00'), coalesce(f.lane, ''),
           coalesce(f.campaign, ''), coalesce(f.cause, ''), coalesce(f.scope, ''), f.since, f.share, f.calls_per_second,
           f.rate_limit, f.waiting, f.parked
    FROM (
        SELECT s.lane, s.campaign, s.cause, s.scope, s.since, s.share, s.calls_per_second, s.rate_limit,
               coalesce(sum(w.waiting), 0) AS waiting, coalesce(sum(w.parked), 0) AS parked
        FROM slow s LEFT JOIN waiting w
          ON (s.lane IS NULL OR w.lane = s.lane) AND (s.campaign IS NULL OR w.campaign = s.campaign)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        UNION ALL
        SELECT w.lane, w.campaign, NULL, NULL, NULL, NULL, NULL, NULL, w.waiting, w.parked
        FROM waiting w WHERE w.campaign NOT IN (SELECT campaign FROM slow WHERE campaign IS NOT NULL)
    ) AS f
    ON CONFLICT DO NOTHING
"""


async def claim(connection: asyncpg.Connection, lanes: Mapping[str, str]) -> list[str]:
    """Of these queues, with their lanes, those that nobody has looked into of late: they are the caller's."""
    return [row["queue"] for row in await connection.fetch(CLAIM, list(lanes), list(lanes.values()), SLACK * EVERY)]


async def record(connection: asyncpg.Connection, messages: Mapping[str, int]) -> None:
    """Note how many messages wait in each queue."""
    await connection.execute(RECORD, list(messages), list(messages.values()), WHILE_EMPTY - EVERY / 2)


async def record_rates(connection: asyncpg.Connection) -> None:
    """Note what is slowed, and of which campaigns triggers wait."""
    await connection.execute(RECORD_RATES, EVERY)
