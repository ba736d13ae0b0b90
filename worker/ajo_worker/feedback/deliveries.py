"""What became of a trigger's messages: made anew of all its feedback, so that order and repetition don't matter."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from ajo_producers.contract.timed_ids import EPOCH

from ajo_worker.ledger.many_rows import within

# A message is an execution and a recipient. Several sources tell of the same message; a trigger with one recipient
# needs no ids to know whose it is. Times of arrival count only where no other is known, and nothing is delivered
# before it has departed.
REMAKE = f"""
    WITH told AS (
        SELECT f.request_id, f.feedback_id, f.happened_at, f.happened_at_is_arrival AS stamped, f.match, f.source,
               lower(f.status) AS status,
               CASE WHEN lower(f.status) = 'sent' THEN 'departed'
                    WHEN lower(f.status) IN ('delivered', 'delay') THEN lower(f.status)
                    WHEN lower(f.status) IN ('bounce', 'error', 'exclude', 'denylist') THEN 'failed'
                    ELSE 'other' END AS fate,
               concat_ws(' ', f.status, f.failure_type, f.failure_code,
                         CASE WHEN lower(f.status) = 'exclude' THEN f.failure_reason END) AS failure,
               concat_ws(' ', f.execution_id, CASE WHEN t.recipients > 1 THEN (
                   SELECT string_agg(encode(h, 'hex'), ' ' ORDER BY h) FROM unnest(f.recipient_hashes) AS h
                   WHERE h = ANY(t.recipient_hashes) OR NOT f.recipient_hashes && t.recipient_hashes) END) AS message
        FROM unnest($1::uuid[]) AS w(request_id)
        JOIN ledger.feedback f USING (request_id)
        LEFT JOIN ledger.triggers t ON t.request_id = w.request_id AND {within("t.request_id", "$3", "$4")}
        WHERE f.feedback_id >= ledger.uuid7_floor($2)
    ), messages AS (
        SELECT request_id, message,
               min(happened_at) FILTER (WHERE fate = 'departed' AND NOT stamped) AS departed_at,
               min(happened_at) FILTER (WHERE fate = 'departed') AS departed_told_at,
               min(happened_at) FILTER (WHERE fate = 'delivered' AND NOT stamped) AS delivered_at,
               min(happened_at) FILTER (WHERE fate = 'delivered') AS delivered_told_at,
               min(happened_at) FILTER (WHERE fate = 'failed' AND NOT stamped) AS failed_at,
               min(happened_at) FILTER (WHERE fate = 'failed') AS failed_told_at,
               greatest(count(*) FILTER (WHERE fate = 'delay' AND source = 'webhook'),
                        count(*) FILTER (WHERE fate = 'delay' AND source = 'import')) AS delays
        FROM told GROUP BY request_id, message
    ), sums AS (
        SELECT request_id,
               max(coalesce(departed_at, CASE WHEN departed_told_at IS NOT NULL
                   THEN least(departed_told_at, delivered_at, delivered_told_at) END)) AS departed_at,
               max(coalesce(delivered_at, delivered_told_at)) AS delivered_at,
               max(coalesce(failed_at, failed_told_at)) AS failed_at,
               count(departed_told_at) AS departures, count(delivered_told_at) AS deliveries,
               count(failed_told_at) AS failures, sum(delays) AS delays,
               bool_or(departed_at IS NULL AND departed_told_at IS NOT NULL
                       OR delivered_at IS NULL AND delivered_told_at IS NOT NULL
                       OR failed_at IS NULL AND failed_told_at IS NOT NULL) AS arrival_stamped
        FROM messages GROUP BY request_id
    ), last AS (
        SELECT request_id,
               (array_agg(status ORDER BY happened_at DESC, fate = 'departed', feedback_id))[1] AS status,
               (array_agg(failure ORDER BY happened_at DESC, feedback_id) FILTER (WHERE fate = 'failed'))[1] AS failure,
               CASE WHEN bool_or(match = 'recipient') THEN 'recipient' WHEN bool_or(match = 'request-id')
                    THEN 'request-id' ELSE 'execution-id' END AS match
        FROM told GROUP BY request_id
    )
    INSERT INTO ledger.deliveries
        (request_id, departed_at, delivered_at, failed_at, updated_at, departures, deliveries, failures, delays,
         arrival_stamped, match, last_status, failure)
    SELECT request_id, s.departed_at, s.delivered_at, s.failed_at, clock_timestamp(), s.departures, s.deliveries,
           s.failures, s.delays, s.arrival_stamped, l.match, l.status, l.failure
    FROM sums s JOIN last l USING (request_id)
    ORDER BY request_id
    ON CONFLICT (request_id) DO UPDATE
    SET departed_at = excluded.departed_at, delivered_at = excluded.delivered_at, failed_at = excluded.failed_at,
        updated_at = excluded.updated_at, departures = excluded.departures, deliveries = excluded.deliveries,
        failures = excluded.failures, delays = excluded.delays, arrival_stamped = excluded.arrival_stamped,
        match = excluded.match, last_status = excluded.last_status, failure = excluded.failure
"""  # noqa: S608 - our own text

# Nothing is told of a trigger from before its time, whatever clocks say: so the older partitions are not asked.
SINCE = f"""
    SELECT min(t.received_at) - interval '2 days'
    FROM unnest($1::uuid[]) AS w(request_id)
    LEFT JOIN ledger.triggers t ON t.request_id = w.request_id AND {within("t.request_id", "$2", "$3")}
    HAVING count(*) = count(t.request_id)
"""  # noqa: S608 - as above

# Feedback shows that Adobe accepted the call, whatever became of the message. Only what is a dead letter still: a
# redriven trigger is under way again.
CONFIRM = f"""
    WITH doubtful AS (
        SELECT t.request_id
        FROM unnest($1::uuid[]) AS w(request_id) JOIN ledger.triggers t USING (request_id)
        WHERE t.state = 'unconfirmed' AND {within("t.request_id", "$3", "$4")}
        ORDER BY t.request_id FOR UPDATE OF t
    ), confirmed AS (
        UPDATE ledger.triggers t
        SET state = 'accepted', reason = 'confirmed-by-feedback', execution_id = coalesce((
            SELECT f.execution_id FROM ledger.feedback f
            WHERE f.request_id = t.request_id AND f.execution_id IS NOT NULL
              AND f.feedback_id >= ledger.uuid7_floor($2)
            ORDER BY f.feedback_id LIMIT 1
        ), t.execution_id)
        FROM doubtful d WHERE t.request_id = d.request_id AND {within("t.request_id", "$3", "$4")}
        RETURNING t.request_id
    ), let_go AS (
        DELETE FROM ledger.held_payloads h USING confirmed c WHERE h.request_id = c.request_id
    )
    SELECT request_id FROM confirmed
"""  # noqa: S608 - as above

# Their minutes are computed again. In order: a roll-up holds the rows of its minute.
STALE = f"""
    INSERT INTO ledger.stale_minutes (minute)
    SELECT DISTINCT date_trunc('minute', t.received_at)
    FROM unnest($1::uuid[]) AS w(request_id) JOIN ledger.triggers t USING (request_id)
    WHERE {within("t.request_id", "$2", "$3")}
    ORDER BY 1
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - as above


async def remake(connection: asyncpg.Connection, request_ids: Sequence[UUID]) -> list[UUID]:
    """Make the deliveries of these triggers anew, in the transaction that changed their feedback.

    Returns those that feedback has confirmed: they were ``unconfirmed``, and are ``accepted`` now.
    """
    if not request_ids:
        return []
    wanted = sorted(set(request_ids))
    ends = wanted[0], wanted[-1]
    since = await connection.fetchval(SINCE, wanted, *ends) or EPOCH
    await connection.execute(REMAKE, wanted, since, *ends)
    confirmed = [record[0] for record in await connection.fetch(CONFIRM, wanted, since, *ends)]
    await connection.execute(STALE, wanted, *ends)
    return confirmed
