"""Looking for triggers by recipient: for feedback that carries no id of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from ajo_producers.contract.timed_ids import EPOCH

AHEAD = timedelta(minutes=5)
"""By how much Adobe's clock may be behind: what it tells of may seem to have happened before the call."""
SLOWEST = timedelta(minutes=30)
"""What passes at most between a trigger's arrival and its call in its first round, under a heavy load."""
DAY = timedelta(days=1)
COMPANIONS_WITHIN = 5 * DAY
"""How far apart two feedbacks of one message may lie: soft bounces are retried for up to 84 hours."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A feedback whose trigger is looked for. ``recipient_hashes`` is the literal of a ``bytea[]``."""

    feedback_id: UUID
    execution_id: str | None
    own_request_id: UUID | None
    campaign_id: str | None
    happened_at: datetime
    recipient_hashes: str | None


# Triggers have no index on their recipients: it would have to be kept with every insert, for what is seldom asked. So
# the triggers of the whole while are read once for all that are asked for, and joined by hash.
#
# A trigger is a candidate if Adobe accepted a call of it in the window, or may have. One that is in flight is a
# candidate too: else an earlier one to the same recipient would seem the only one.
BY_RECIPIENT = """
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT o.place, o.happened_at, h AS hash, c.name AS campaign
        FROM unnest($1::int4[], $2::text[], $3::timestamptz[], $4::text[])
            AS o(place, campaign_id, happened_at, hashes)
        JOIN ledger.campaigns c ON c.campaign_id = o.campaign_id
        CROSS JOIN unnest(o.hashes::bytea[]) AS h
    ), span AS (
        SELECT min(happened_at) - $5::interval AS since, max(happened_at) + $6::interval AS until FROM wanted
    ), same AS MATERIALIZED (
        SELECT w.place, w.happened_at, t.request_id
        FROM span CROSS JOIN LATERAL (
            SELECT request_id, campaign, recipient_hashes FROM ledger.triggers
            WHERE received_at >= span.since - $7::interval AND received_at <= span.until
        ) AS t
        CROSS JOIN unnest(t.recipient_hashes) AS h JOIN wanted w ON w.hash = h AND w.campaign = t.campaign
        UNION
        SELECT w.place, w.happened_at, t.request_id -- what came long before it was sent: redriven, or parked
        FROM span CROSS JOIN LATERAL (
            SELECT DISTINCT request_id FROM ledger.attempts
            WHERE responded_at >= span.since AND responded_at <= span.until + interval '5 minutes' AND round > 1
        ) AS a
        JOIN ledger.triggers t USING (request_id)
        CROSS JOIN unnest(t.recipient_hashes) AS h JOIN wanted w ON w.hash = h AND w.campaign = t.campaign
    )
    SELECT s.place, array_agg(DISTINCT s.request_id) AS found
    FROM same s
    WHERE EXISTS (
        SELECT FROM ledger.attempts a
        WHERE a.request_id = s.request_id AND (a.outcome = 'accepted' OR a.ambiguous)
          AND a.dispatched_at >= s.happened_at - $5::interval AND a.dispatched_at <= s.happened_at + $6::interval
    ) OR EXISTS (
        SELECT FROM ledger.triggers t
        WHERE t.request_id = s.request_id AND t.state = 'sending' AND t.last_intent_at >= s.happened_at - $5::interval
          AND t.last_intent_at <= s.happened_at + $6::interval
    )
    GROUP BY s.place
"""
BY_COMPANION = """
    SELECT o.place, array_agg(DISTINCT f.request_id) AS found
    FROM unnest($1::int4[], $2::text[], $3::timestamptz[], $4::text[]) AS o(place, execution_id, happened_at, hashes)
    JOIN ledger.feedback f ON f.execution_id = o.execution_id AND f.match = 'recipient'
        AND f.recipient_hashes && o.hashes::bytea[]
        AND f.happened_at >= o.happened_at - $5::interval AND f.happened_at <= o.happened_at + $5::interval
        AND f.feedback_id >= ledger.uuid7_floor($6) AND f.feedback_id < ledger.uuid7_floor($7)
    GROUP BY o.place
"""


async def by_recipient(
    connection: asyncpg.Connection, asked: Sequence[Unmatched], window: timedelta
) -> dict[int, tuple[UUID, ...]]:
    """Triggers sent to the same recipient by the same campaign within ``window`` before, by place in ``asked``.

    Reads all triggers of the while that ``asked`` spans: ask for such as lie close together.
    """
    known = [(place, one) for place, one in enumerate(asked) if one.recipient_hashes and one.campaign_id]
    if not known:
        return {}
    arguments = (
        [place for place, _ in known],
        [one.campaign_id for _, one in known],
        [one.happened_at for _, one in known],
        [one.recipient_hashes for _, one in known],
    )
    async with connection.transaction(readonly=True):
        # A worker's connections have it off, for their short statements.
        await connection.execute("SELECT set_config('enable_hashjoin', 'on', true)")
        found = await connection.fetch(BY_RECIPIENT, *arguments, window, AHEAD, SLOWEST)
    return {row["place"]: tuple(row["found"]) for row in found}


async def by_companion(connection: asyncpg.Connection, asked: Sequence[Unmatched]) -> dict[int, tuple[UUID, ...]]:
    """Triggers that other feedback of the same execution and recipient was matched to, by place in ``asked``."""
    known = [(place, one) for place, one in enumerate(asked) if one.recipient_hashes and one.execution_id]
    if not known:
        return {}
    arguments = (
        [place for place, _ in known],
        [one.execution_id for _, one in known],
        [one.happened_at for _, one in known],
        [one.recipient_hashes for _, one in known],
    )
    moments = arguments[2]
    since = max(min(moments) - COMPANIONS_WITHIN - DAY, EPOCH)  # what tells no time has an id of its day's begin
    found = await connection.fetch(BY_COMPANION, *arguments, COMPANIONS_WITHIN, since, max(moments) + COMPANIONS_WITHIN)
    return {row["place"]: tuple(row["found"]) for row in found}
