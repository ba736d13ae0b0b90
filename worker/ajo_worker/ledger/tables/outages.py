"""What is kept back or slowed, and what operators did."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from ajo_worker.ledger.tables.columns import INSTANT, METADATA

CIRCUITS = Table(
    "circuits",
    METADATA,
    Column("scope", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("outage_id", BigInteger),
    Column("changed_at", INSTANT, nullable=False),
    Column("probe_at", INSTANT),
    Column("probing_by", Uuid),
    Column("probing_until", INSTANT),
    Column("probe_interval_seconds", Double),
)
OUTAGES = Table(
    "outages",
    METADATA,
    Column("outage_id", BigInteger, Identity(always=True), primary_key=True),
    Column("opened_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("recovered_at", INSTANT),
    Column("held_until", INSTANT),
    Column("scope", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("ended_by", Text),
    Column("evidence", JSONB, nullable=False),
    Index("outages_opened", "opened_at"),
)
PROBES = Table(
    "probes",
    METADATA,
    Column("outage_id", BigInteger, nullable=False),
    Column("probed_at", INSTANT, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("worker", Uuid, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("found", Text, nullable=False),
    PrimaryKeyConstraint("outage_id", "probed_at", "request_id", name="probes_pkey"),
)
SILENCES = Table(
    "silences",
    METADATA,
    Column("worker", Uuid, nullable=False),
    Column("began_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    Column("scope", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    PrimaryKeyConstraint("worker", "scope", "began_at", name="silences_pkey"),
)
RATE_LIMITS = Table(
    "rate_limits",
    METADATA,
    Column("scope", Text, primary_key=True),
    Column("next_at", INSTANT, nullable=False),
    Column("slowed_at", INSTANT),
    Column("slowed_since", INSTANT),
    Column("share", Double, nullable=False, server_default="1"),
)
OPERATIONS = Table(
    "operations",
    METADATA,
    Column("operation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("done_at", INSTANT, nullable=False),
    Column("triggers", Integer, nullable=False),
    Column("operator", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("chosen", JSONB, nullable=False),
)
OPERATION_TRIGGERS = Table(
    "operation_triggers",
    METADATA,
    Column("operation_id", BigInteger, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("request_id", "operation_id", name="operation_triggers_pkey"),
)
