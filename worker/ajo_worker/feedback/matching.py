"""Feedback whose trigger wasn't found when it came is looked at again: soon at first, then more and more seldom."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import asyncpg
import structlog

from ajo_worker.feedback import deliveries
from ajo_worker.feedback.correlation import Kind, Match, best_match, campaign_ids, candidates_by_id, is_of_others
from ajo_worker.feedback.feedback import Feedback, own_request_id
from ajo_worker.feedback.search import Unmatched, by_companion, by_recipient
from ajo_worker.feedback.storing import ONE_AT_A_TIME
from ajo_worker.ledger.many_rows import within as between
from ajo_worker.ledger.recurring import Recurring
from ajo_worker.recipients import bytea_array

log = structlog.get_logger("ajo_worker.feedback")

EVERY = 60.0
"""Seconds between two rounds of a worker."""
BATCH = 1000
MOST_BATCHES = 20
"""Batches in a round of a worker at most: each may read all triggers of a few hours."""

CLAIM = "SELECT pg_try_advisory_lock(hashtextextended('ajo-dispatch: feedback matching', 0))"
# What lies close together, so that the triggers of a short while have to be read.
DUE = """
    WITH first AS (
        SELECT happened_at FROM ledger.feedback WHERE match_due_at <= clock_timestamp() ORDER BY match_due_at LIMIT 1
    )
    SELECT f.feedback_id, f.status, f.execution_id, f.adobe_request_id, f.campaign_id, f.happened_at,
           f.recipient_hashes
    FROM first JOIN ledger.feedback f ON f.match_due_at <= clock_timestamp()
        AND f.happened_at >= first.happened_at - interval '1 hour'
        AND f.happened_at <= first.happened_at + interval '1 hour'
    ORDER BY f.match_due_at LIMIT $1
"""
# As long as it has waited so far it waits again; after $4 it is given up.
TELL = f"""
    UPDATE ledger.feedback f
    SET request_id = m.request_id, match = m.match,
        matched_at = CASE WHEN m.request_id IS NOT NULL THEN clock_timestamp() END,
        match_due_at = CASE
            WHEN m.request_id IS NULL AND m.match <> 'apart' AND f.received_at > clock_timestamp() - $4::interval
            THEN clock_timestamp() + greatest(interval '1 minute', clock_timestamp() - f.received_at) END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS m(feedback_id, request_id, match)
    WHERE f.feedback_id = m.feedback_id AND f.request_id IS NULL AND {between("f.feedback_id", "$5", "$6")}
    RETURNING f.request_id, f.match
"""  # noqa: S608 - our own text
AGAIN = """
    UPDATE ledger.feedback SET match_due_at = clock_timestamp()
    WHERE request_id IS NULL AND received_at >= clock_timestamp() - $1::interval
      AND (match <> 'apart' OR campaign_id IN (SELECT campaign_id FROM ledger.campaigns)) -- it may have become ours
"""
# Feedback that came while its trigger was still sending, which then ended unconfirmed. What may be so is asked first:
# none, mostly, and then no partition is begun on.
HELD = """
    SELECT request_id FROM ledger.held_payloads WHERE held_at > clock_timestamp() - $1::interval ORDER BY request_id
"""
OVERTAKEN = f"""
    SELECT d.request_id
    FROM unnest($1::uuid[]) AS h(request_id)
    JOIN ledger.deliveries d USING (request_id) JOIN ledger.triggers t USING (request_id)
    WHERE t.state = 'unconfirmed' AND {between("d.request_id", "$2", "$3")} AND {between("t.request_id", "$2", "$3")}
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Rules:
    """How triggers are looked for: sent within ``window`` before, and no longer than ``patience`` after arrival."""

    window: timedelta
    patience: timedelta


@dataclass
class Matched:
    """What has been looked at so far, by the kind of match; and triggers that were confirmed."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    confirmed: int = 0

    @property
    def looked_at(self) -> int:
        """Feedback that was looked at."""
        return self.kinds.total()


async def match_unmatched(
    connection: asyncpg.Connection, rules: Rules, most: int | None = None, progress: Callable[[int], None] | None = None
) -> Matched:
    """Look for the triggers of all feedback that is due, ``most`` batches at most, each in a transaction of its own."""
    done, batches = Matched(), 0
    while most is None or batches < most:
        due = [_unmatched(record) for record in await connection.fetch(DUE, BATCH)]
        if not due:
            break
        await _match(connection, due, rules, done)
        batches += 1
        if progress is not None:
            progress(done.looked_at)
    return done


async def make_due(connection: asyncpg.Connection, since: timedelta) -> int:
    """Have all looked at now that has no trigger and came within this while; returns how many. Reads all feedback."""
    status: str = await connection.execute(AGAIN, since)
    return int(status.rpartition(" ")[2])


async def confirm_overtaken(connection: asyncpg.Connection, within: timedelta) -> int:
    """Confirm triggers that ended ``unconfirmed`` in this while, after their feedback had come; returns how many."""
    held = [record[0] for record in await connection.fetch(HELD, within)]
    if not held:
        return 0
    overtaken = [record[0] for record in await connection.fetch(OVERTAKEN, held, held[0], held[-1])]
    if not overtaken:
        return 0
    async with connection.transaction():
        await connection.execute(ONE_AT_A_TIME)
        return len(await deliveries.remake(connection, overtaken))


async def _match(connection: asyncpg.Connection, due: Sequence[Unmatched], rules: Rules, done: Matched) -> None:
    candidates = await candidates_by_id(connection, [(one.execution_id, one.own_request_id) for one in due])
    recipients = await by_recipient(connection, due, rules.window)
    companions = await by_companion(connection, due)
    ours = await campaign_ids(connection)
    matches: list[Match] = [
        best_match(
            replace(found, by_recipient=recipients.get(place, ()), by_companion=companions.get(place, ())),
            of_others=is_of_others(due[place].campaign_id, ours, told=False),
        )
        for place, found in enumerate(candidates)
    ]
    async with connection.transaction():
        await connection.execute(ONE_AT_A_TIME)
        told = await connection.fetch(
            TELL,
            [one.feedback_id for one in due],
            [match.request_id for match in matches],
            [match.kind for match in matches],
            rules.patience,
            min(one.feedback_id for one in due),
            max(one.feedback_id for one in due),
        )
        about = [row["request_id"] for row in told if row["request_id"] is not None]
        done.confirmed += len(await deliveries.remake(connection, about))
    done.kinds.update(row["match"] for row in told)


def _unmatched(record: asyncpg.Record) -> Unmatched:
    hashes = record["recipient_hashes"]
    return Unmatched(
        feedback_id=record["feedback_id"],
        execution_id=record["execution_id"],
        own_request_id=own_request_id(Feedback(record["status"], adobe_request_id=record["adobe_request_id"])),
        campaign_id=record["campaign_id"],
        happened_at=record["happened_at"],
        recipient_hashes=bytea_array(hashes) if hashes else None,
    )


class Matching(Recurring):
    """Matches what is due, one worker of all; feedback is matched later without it, and nothing else."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], rules: Rules) -> None:
        super().__init__(connect, name="feedback-matching", failed="feedback-matching-failed", log=log)
        self._rules = rules

    async def work(self, connection: asyncpg.Connection) -> None:
        """What is due now, unless another worker is at it."""
        if not await connection.fetchval(CLAIM):
            return
        done = await match_unmatched(connection, self._rules, MOST_BATCHES)
        confirmed = done.confirmed + await confirm_overtaken(connection, timedelta(hours=1))
        if done.looked_at or confirmed:
            log.info("feedback-matched", confirmed=confirmed, **{kind: done.kinds[kind] for kind in sorted(done.kinds)})

    def pause(self, *, failed: bool | None) -> float:  # noqa: ARG002 - always the same
        """The first time too: what came meanwhile was looked at when it came."""
        return EVERY
