"""Feedback as rows: stored once, in one transaction with its trigger, if an id leads there, and all that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from ajo_worker.feedback import deliveries
from ajo_worker.feedback.correlation import (
    Kind,
    Match,
    around,
    best_match,
    campaign_ids,
    candidates_by_id,
    is_of_others,
)
from ajo_worker.feedback.feedback import Feedback, feedback_id, own_request_id
from ajo_worker.ledger.many_rows import columns, within
from ajo_worker.recipients import bytea_array

Source: TypeAlias = Literal["webhook", "import"]


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A feedback that is to be stored, and the trigger that its request id may name."""

    feedback_id: UUID
    own_request_id: UUID | None
    happened_at: datetime | None
    retry_count: int | None
    source: Source
    status: str
    execution_id: str | None
    adobe_request_id: str | None
    campaign_id: str | None
    channel: str | None
    failure_category: str | None
    failure_type: str | None
    failure_code: str | None
    failure_reason: str | None
    recipient_hashes: str | None
    others: bool


def row_of(feedback: Feedback, source: Source, arrived: datetime) -> FeedbackRow:
    """The row of a feedback that arrived at this moment."""
    return FeedbackRow(
        feedback_id=feedback_id(feedback, arrived),
        own_request_id=own_request_id(feedback),
        happened_at=feedback.happened_at,
        retry_count=feedback.retry_count,
        source=source,
        status=feedback.status,
        execution_id=feedback.execution_id,
        adobe_request_id=feedback.adobe_request_id,
        campaign_id=feedback.campaign_id,
        channel=feedback.channel,
        failure_category=feedback.failure_category,
        failure_type=feedback.failure_type,
        failure_code=feedback.failure_code,
        failure_reason=feedback.failure_reason,
        recipient_hashes=bytea_array(feedback.recipient_hashes) if feedback.recipient_hashes else None,
        others=feedback.others,
    )


KNOWN = f"""
    SELECT f.feedback_id FROM unnest($1::uuid[]) AS o(feedback_id) JOIN ledger.feedback f USING (feedback_id)
    WHERE {within("f.feedback_id", "$2", "$3")}
"""  # noqa: S608 - our own text
# A webhook may come before the answer to its call is recorded: what has no trigger yet is looked for a little later.
INSERT = """
    INSERT INTO ledger.feedback
        (feedback_id, request_id, received_at, happened_at, matched_at, match_due_at, retry_count,
         happened_at_is_arrival, match, source, status, execution_id, adobe_request_id, campaign_id, channel,
         failure_category, failure_type, failure_code, failure_reason, recipient_hashes)
    SELECT o.feedback_id, m.request_id, statement_timestamp(), coalesce(o.happened_at, statement_timestamp()),
           CASE WHEN m.request_id IS NOT NULL THEN statement_timestamp() END,
           CASE WHEN m.request_id IS NULL AND m.match <> 'apart'
                THEN statement_timestamp() + CASE o.source WHEN 'webhook' THEN $19 ELSE interval '0' END END,
           o.retry_count, o.happened_at IS NULL, m.match, o.source, o.status, o.execution_id, o.adobe_request_id,
           o.campaign_id, o.channel, o.failure_category, o.failure_type, o.failure_code, o.failure_reason,
           o.recipient_hashes::bytea[]
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::int4[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bool[])
        AS o(feedback_id, own_request_id, happened_at, retry_count, source, status, execution_id, adobe_request_id,
             campaign_id, channel, failure_category, failure_type, failure_code, failure_reason, recipient_hashes,
             others)
    JOIN unnest($1::uuid[], $17::uuid[], $18::text[]) AS m(feedback_id, request_id, match) USING (feedback_id)
"""


async def unknown(connection: asyncpg.Connection, rows: Sequence[FeedbackRow]) -> list[FeedbackRow]:
    """Those that the ledger doesn't hold yet, each once."""
    offered = {row.feedback_id: row for row in rows}
    if offered:
        for record in await connection.fetch(KNOWN, list(offered), min(offered), max(offered)):
            offered.pop(record["feedback_id"])
    return list(offered.values())


async def insert(connection: asyncpg.Connection, matches: Mapping[FeedbackRow, Match], patience: timedelta) -> None:
    """Insert rows that the ledger doesn't hold, with the triggers that they are about.

    ``patience`` passes until what came by a webhook and has no trigger is looked at again.
    """
    found = matches.values()
    await connection.execute(
        INSERT,
        *columns(list(matches), FeedbackRow),
        [match.request_id for match in found],
        [match.kind for match in found],
        patience,
    )


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
        new = await unknown(connection, offered)
        now = datetime.now(UTC)
        span = around([row.happened_at or now for row in new] or [now])
        candidates = await candidates_by_id(connection, [(row.execution_id, row.own_request_id) for row in new], span)
        ours = await campaign_ids(connection) if new else frozenset()
        matches = {
            row: best_match(found, of_others=is_of_others(row.campaign_id, ours, told=row.others))
            for row, found in zip(new, candidates, strict=True)
        }
        if matches:
            await insert(connection, matches, PATIENCE)
        about = [match.request_id for match in matches.values() if match.request_id is not None]
        await deliveries.remake(connection, about)
    kinds: dict[UUID, Kind] = {row.feedback_id: match.kind for row, match in matches.items()}
    # Of two that are the same, the first one is the new one.
    return [
        Stored(new=True, match=kind) if (kind := kinds.pop(row.feedback_id, None)) else Stored(new=False)
        for row in offered
    ]
