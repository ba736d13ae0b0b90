"""Parked triggers whose definition no living worker has: since when, under what reason, and for how long."""

from datetime import datetime

import asyncpg
from msgspec import Struct

from ajo_worker.ledger.many_rows import HELD_ENDS, within

MOST_AT_ONCE = 500
"""Triggers that are renamed, or rejected, in one statement."""

# Each definition that parked triggers want is found by one step in the index, however many triggers there are.
LOOK = """
    WITH RECURSIVE wanted AS (
        (SELECT campaign, call_digest FROM ledger.held_payloads WHERE resume_at IS NOT NULL
         ORDER BY campaign, call_digest LIMIT 1)
        UNION ALL
        SELECT n.campaign, n.call_digest FROM wanted w CROSS JOIN LATERAL (
            SELECT campaign, call_digest FROM ledger.held_payloads
            WHERE resume_at IS NOT NULL AND (campaign, call_digest) > (w.campaign, w.call_digest)
            ORDER BY campaign, call_digest LIMIT 1
        ) AS n
    ), unknown AS (
        SELECT campaign, call_digest FROM wanted
        WHERE NOT EXISTS (
            SELECT FROM ledger.workers w WHERE ledger.lives(w) AND ledger.knows(w, campaign, call_digest))
    ), over AS (
        UPDATE ledger.unknown_definitions SET ended_at = clock_timestamp()
        WHERE ended_at IS NULL AND (campaign, call_digest) NOT IN (SELECT campaign, call_digest FROM unknown)
    )
    INSERT INTO ledger.unknown_definitions (campaign, call_digest, began_at)
    SELECT u.campaign, u.call_digest, greatest(
        (SELECT h.held_at FROM ledger.held_payloads h
         WHERE h.campaign = u.campaign AND h.call_digest = u.call_digest AND h.resume_at IS NOT NULL
         ORDER BY h.resume_at LIMIT 1),
        (SELECT max(ledger.last_sign(w)) FROM ledger.workers w WHERE ledger.knows(w, u.campaign, u.call_digest)))
    FROM unknown u
    ON CONFLICT (campaign, call_digest) WHERE ended_at IS NULL DO NOTHING
"""
# What was parked for another reason, such as an outage, waits for its definition first.
RENAME = f"""
    WITH found AS (
        SELECT h.request_id FROM ledger.unknown_definitions u JOIN ledger.held_payloads h USING (campaign, call_digest)
        WHERE u.ended_at IS NULL AND h.resume_at IS NOT NULL AND h.reason <> 'definition-unknown'
          AND {within("h.request_id", "$2", "$3")}
        LIMIT $1 FOR UPDATE OF h SKIP LOCKED
    ), held AS (
        UPDATE ledger.held_payloads h SET reason = 'definition-unknown' FROM found
        WHERE h.request_id = found.request_id
    ), named AS (
        UPDATE ledger.triggers t SET reason = 'definition-unknown' FROM found
        WHERE t.request_id = found.request_id AND t.state = 'parked' AND {within("t.request_id", "$2", "$3")}
    )
    SELECT count(*) FROM found
"""  # noqa: S608 - our own text
# A round that ends as it begins: so what came before it is a wait for another round, and shown as such.
REJECT = f"""
    WITH found AS (
        SELECT h.request_id FROM ledger.unknown_definitions u JOIN ledger.held_payloads h USING (campaign, call_digest)
        WHERE u.ended_at IS NULL AND h.resume_at IS NOT NULL
          AND greatest(h.held_at, u.began_at) <= clock_timestamp() - make_interval(secs => $2)
          AND {within("h.request_id", "$3", "$4")}
        LIMIT $1 FOR UPDATE OF h SKIP LOCKED
    ), ended AS (
        UPDATE ledger.triggers t
        SET state = CASE WHEN EXISTS (SELECT FROM ledger.attempts a WHERE a.request_id = t.request_id AND a.ambiguous
                                      AND {within("a.request_id", "$3", "$4")})
                         THEN 'unconfirmed' ELSE 'rejected' END,
            reason = 'definition-unknown', round = t.round + 1, fence = t.fence + 1, attempts_started = 0,
            first_dispatched_at = NULL, last_intent_at = NULL, round_opened_at = statement_timestamp(),
            completed_at = statement_timestamp()
        FROM found
        WHERE t.request_id = found.request_id AND t.state = 'parked' AND {within("t.request_id", "$3", "$4")}
        RETURNING t.request_id, t.round, date_trunc('minute', t.received_at) AS minute
    ), letters AS (
        UPDATE ledger.held_payloads h
        SET resume_at = NULL, resumed_by = NULL, reason = 'definition-unknown', round = e.round,
            held_at = statement_timestamp()
        FROM ended e WHERE h.request_id = e.request_id
    ), stale AS ( -- reports of its minute are computed anew
        INSERT INTO ledger.stale_minutes SELECT DISTINCT minute FROM ended ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM found
"""  # noqa: S608 - as above
SOME = f"{HELD_ENDS} WHERE EXISTS (SELECT FROM ledger.unknown_definitions WHERE ended_at IS NULL)"
LASTING = """
    SELECT campaign, call_digest, began_at, triggers, oldest, others
    FROM audit.unknown_definitions WHERE lasts AND triggers > 0 ORDER BY campaign, call_digest
"""


class UnknownDefinition(Struct, frozen=True):
    """A definition that parked ``triggers`` want and no living worker has.

    ``oldest`` is since when the first of them has waited, ``others`` the call digests of that name that workers have.
    """

    campaign: str
    call_digest: str
    began_at: datetime
    triggers: int
    oldest: datetime
    others: list[str]


async def look(connection: asyncpg.Connection) -> None:
    """Note which definitions are unknown now, and which no longer; name what waits for them."""
    await connection.execute(LOOK)
    if (ends := await connection.fetchrow(SOME)) is not None:
        await connection.fetchval(RENAME, MOST_AT_ONCE, *ends)


async def reject(connection: asyncpg.Connection, wait: float) -> int:
    """End up to ``MOST_AT_ONCE`` triggers that have waited for ``wait`` seconds; returns how many."""
    if (ends := await connection.fetchrow(SOME)) is None:
        return 0
    return int(await connection.fetchval(REJECT, MOST_AT_ONCE, wait, *ends))


async def lasting(connection: asyncpg.Connection) -> list[UnknownDefinition]:
    """Those that are unknown now."""
    return [UnknownDefinition(**row) for row in await connection.fetch(LASTING)]
