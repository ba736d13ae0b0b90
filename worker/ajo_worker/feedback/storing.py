"""Storing feedback: once, matched to its trigger if an id leads there, with all that follows, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from ajo_worker.feedback import deliveries, rows
from ajo_worker.feedback.correlation import Kind, around, campaign_ids, candidates_by_id, decide, is_of_others
from ajo_worker.feedback.rows import FeedbackRow

PATIENCE = timedelta(minutes=1)
"""Until a webhook's feedback without a trigger is looked at again: a call's answer is recorded within its budget."""

# One transaction at a time changes feedback and what is made of it: each sees all that the others have written, and two
# with feedback about the same trigger can't make its deliveries without one another's.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('ajo-dispatch: feedback', 0))"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one feedback: whether it was ``new``, and if so, how it was matched."""

    new: bool
    match: Kind | None = None


async def store(connection: asyncpg.Connection, offered: Sequence[FeedbackRow]) -> list[Stored]:
    """Store feedback, and return once it is committed. Harmless when repeated: what is known is left alone."""
    async with connection.transaction():
        await connection.execute(ONE_AT_A_TIME)
        new = await rows.unknown(connection, offered)
        now = datetime.now(UTC)
        span = around([row.happened_at or now for row in new] or [now])
        candidates = await candidates_by_id(connection, [(row.execution_id, row.own_request_id) for row in new], span)
        ours = await campaign_ids(connection) if new else frozenset()
        matches = {
            row: decide(found, of_others=is_of_others(row.campaign_id, ours, told=row.others))
            for row, found in zip(new, candidates, strict=True)
        }
        if matches:
            await rows.insert(connection, matches, PATIENCE)
        about = [match.request_id for match in matches.values() if match.request_id is not None]
        await deliveries.remake(connection, about)
    kinds: dict[UUID, Kind] = {row.feedback_id: match.kind for row, match in matches.items()}
    # Of two that are the same, the first one is the new one.
    return [
        Stored(new=True, match=kind) if (kind := kinds.pop(row.feedback_id, None)) else Stored(new=False)
        for row in offered
    ]
