"""The tables that hold triggers, as SQLAlchemy knows them: a test compares them with what migrations make.

The hot path's statements are made of the fields of its row types, which a test holds to these tables and to the types
in PostgreSQL. Nothing that runs imports this: SQLAlchemy takes long to load, and the hot path is asyncpg's.
"""

from collections.abc import Iterator
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from ajo_worker.ledger.attempts import AttemptRow

METADATA = MetaData(schema="ledger")
INSTANT = DateTime(timezone=True)
TYPES: dict[type, TypeEngine[Any]] = {
    UUID: Uuid(),
    datetime: INSTANT,
    float: Double(),
    int: SmallInteger(),
    bool: Boolean(),
    str: Text(),
    bytes: LargeBinary(),
}
"""What a field of a row type is in the ledger."""


def columns_of(row_type: type) -> Iterator[Column[Any]]:
    """A column for each field of a row type, named and in order as they are; a wait that was none is null."""
    for name, hint in get_type_hints(row_type).items():
        kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        [kind] = (each for each in kinds if each is not type(None))
        yield Column(name, TYPES[kind], nullable=len(kinds) > 1 or name.endswith("_wait_seconds"))


ATTEMPTS = Table(
    "attempts",
    METADATA,
    *columns_of(AttemptRow),
    PrimaryKeyConstraint("request_id", "round", "attempt", name="attempts_pkey"),
    Index("attempts_execution", "execution_id", postgresql_using="hash"),
    Index("attempts_stray", "responded_at"),
    Index("attempts_responded", "responded_at", postgresql_using="brin"),
)
TRIGGERS = Table(
    "triggers",
    METADATA,
    Column("request_id", Uuid, primary_key=True),
    Column("batch_id", Uuid, nullable=False),
    Column("owner", Uuid),
    Column("fence", Integer, nullable=False, server_default="1"),
    Column("redeliveries", Integer, nullable=False, server_default="0"),
    Column("recipients", SmallInteger, nullable=False),
    Column("round", SmallInteger, nullable=False, server_default="1"),
    Column("attempts_started", SmallInteger, nullable=False, server_default="0"),
    Column("possible_duplicate", Boolean, nullable=False, server_default=text("false")),
    Column("occurred_at", INSTANT),
    Column("outbox_at", INSTANT),
    Column("enqueued_at", INSTANT, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT),
    Column("round_opened_at", INSTANT),
    Column("last_intent_at", INSTANT),
    Column("first_dispatched_at", INSTANT),
    Column("completed_at", INSTANT),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("execution_id", Text),
    Column("campaign", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("trace_id", Text),
    Column("recipient_hashes", ARRAY(LargeBinary)),
    Column("content_digest", LargeBinary),
    Column("duplicate_causes", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    Column("waited_in_vain", JSONB),
    Index("triggers_received", "received_at", postgresql_using="brin"),
    Index("triggers_duplicates", "received_at"),
)
HELD_PAYLOADS = Table(
    "held_payloads",
    METADATA,
    Column("request_id", Uuid, primary_key=True),
    Column("resumed_by", Uuid),
    Column("held_at", INSTANT, nullable=False),
    Column("resume_at", INSTANT),
    Column("round", SmallInteger, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("call_digest", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False),
    Column("key_id", Text),
    Column("payload", LargeBinary, nullable=False),
    Index("held_payloads_resumable", "campaign", "call_digest", "resume_at"),
    Index("held_payloads_resumed", "resumed_by"),
    Index("held_payloads_held", "held_at"),
)
DIFFERING_COPIES = Table(
    "differing_copies",
    METADATA,
    Column("request_id", Uuid, nullable=False),
    Column("batch_id", Uuid, nullable=False),
    Column("worker", Uuid, nullable=False),
    Column("first_seen_at", INSTANT, nullable=False),
    Column("last_seen_at", INSTANT, nullable=False),
    Column("enqueued_at", INSTANT, nullable=False),
    Column("copies", BigInteger, nullable=False),
    Column("recipients", SmallInteger, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("producer", Text, nullable=False),
    Column("trace_id", Text),
    Column("content_digest", LargeBinary, nullable=False),
    Column("recipient_hashes", ARRAY(LargeBinary)),
    PrimaryKeyConstraint("request_id", "content_digest", name="differing_copies_pkey"),
    Index("differing_copies_seen", "last_seen_at"),
)
QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("quarantine_id", BigInteger, Identity(always=True), primary_key=True),
    Column("received_at", INSTANT, nullable=False),
    Column("worker", Uuid, nullable=False),
    Column("body_bytes", Integer, nullable=False),
    Column("queue", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("headers", JSONB),
    Column("body", LargeBinary, nullable=False),
)
