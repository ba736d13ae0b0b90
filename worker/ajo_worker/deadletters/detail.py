"""One trigger as an operator looks at it: its attempts, what operators did about it, what its payload looks like."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from ajo_producers.contract.sealing import Sealer
from msgspec import UNSET, Raw, Struct, UnsetType

from ajo_worker.payloads.reading import Part, UnreadablePayload, read_payload, shape
from ajo_worker.views.trigger import Row, read_trigger


class TriggerFacts(Struct, frozen=True):
    """The trigger; ``held_at`` is null without a payload, ``resume_at`` unless it is parked."""

    request_id: UUID
    campaign: str
    lane: str
    state: str
    reason: str | None
    round: int
    producer: str
    received_at: datetime
    completed_at: datetime | None
    expires_at: datetime | None
    possible_duplicate: bool
    duplicate_causes: list[str]
    held_at: datetime | None
    resume_at: datetime | None
    key_id: str | None


class AttemptFacts(Struct, frozen=True):
    """One attempt, and what came of it."""

    round: int
    attempt: int
    dispatched_at: datetime
    outcome: str
    http_status: int | None
    failure: str | None
    error_code: str | None
    error_title: str | None
    ambiguous: bool
    adobe_request_id: str | None


class OperationFacts(Struct, frozen=True):
    """What an operator did to it, and the round and state that it was in."""

    operation_id: int
    done_at: datetime
    action: str
    operator: str
    reason: str
    round: int
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that the ledger has of a trigger; its payload as it is held, None without one."""

    trigger: TriggerFacts
    attempts: list[AttemptFacts]
    operations: list[OperationFacts]
    held: bytes | None = field(repr=False)


class LetterDetail(Struct, frozen=True):
    """What is shown of it. ``shape`` is null where no payload is held, or it is ``unreadable`` for the reason given.

    ``payload`` is there only if it was asked for.
    """

    trigger: TriggerFacts
    attempts: list[AttemptFacts]
    operations: list[OperationFacts]
    shape: list[Part] | None
    unreadable: str | None
    payload: Raw | UnsetType | None = UNSET


HELD = TriggerFacts.__struct_fields__[-3:]
# Beside the views: what auditors may not see.
OPERATIONS = """
    SELECT operation_id, o.done_at, o.action, o.operator, o.reason, n.round, n.state
    FROM ledger.operation_triggers n JOIN ledger.operations o USING (operation_id)
    WHERE n.request_id = $1 ORDER BY operation_id
"""
PAYLOAD = "SELECT payload FROM ledger.held_payloads WHERE request_id = $1"


async def find_letter(connection: asyncpg.Connection, request_id: UUID) -> Found | None:
    """A trigger, in whatever state; None if the ledger doesn't have it."""
    whole = await read_trigger(connection, request_id)
    if whole is None:
        return None
    facts: Row = whole.facts | (whole.held or dict.fromkeys(HELD))
    operations = await connection.fetch(OPERATIONS, request_id)
    return Found(
        TriggerFacts(**{name: facts[name] for name in TriggerFacts.__struct_fields__}),
        [AttemptFacts(**{name: row[name] for name in AttemptFacts.__struct_fields__}) for row in whole.attempts],
        [OperationFacts(**operation) for operation in operations],
        await connection.fetchval(PAYLOAD, request_id),
    )


def detail_of(found: Found, sealer: Sealer, *, with_payload: bool) -> LetterDetail:
    """What is shown of a trigger; the values of its payload only if they are asked for. Pure."""
    parts: list[Part] | None = None
    unreadable, line = None, None
    if found.held is not None:
        try:
            line, value = read_payload(sealer, found.trigger.key_id, found.held)
            parts = shape(value)
        except UnreadablePayload as fault:
            unreadable = str(fault)
    payload = (msgspec.Raw(line) if line is not None else None) if with_payload else UNSET
    return LetterDetail(found.trigger, found.attempts, found.operations, parts, unreadable, payload)
