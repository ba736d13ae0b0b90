"""Phases and their service levels, what is rolled up of them, and when an alert holds."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from ajo_worker.ledger.tables.columns import INSTANT, METADATA

PHASES = Table(
    "phases",
    METADATA,
    Column("position", SmallInteger, primary_key=True),
    Column("precedence", SmallInteger),
    Column("level_seconds", Double),
    Column("after_end", Boolean, nullable=False, server_default=text("false")),
    Column("always_known", Boolean, nullable=False, server_default=text("true")),
    Column("phase", Text, nullable=False),
    Column("system", Text),
    Column("attempt_column", Text),
    Column("means", Text, nullable=False),
    UniqueConstraint("phase", name="phases_phase_key"),
    UniqueConstraint("precedence", name="phases_precedence_key"),
)
SERVICE_LEVELS = Table(
    "service_levels",
    METADATA,
    Column("campaign", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    PrimaryKeyConstraint("campaign", "phase", name="service_levels_pkey"),
)
PRODUCER_CLOCKS = Table(
    "producer_clocks",
    METADATA,
    Column("minute", INSTANT, nullable=False),
    Column("triggers", Integer, nullable=False),
    Column("least_wait_seconds", Double, nullable=False),
    Column("overtaken_seconds", Double, nullable=False),
    Column("skew_seconds", Double, nullable=False),
    Column("producer", Text, nullable=False),
    PrimaryKeyConstraint("producer", "minute", name="producer_clocks_pkey"),
)
TRIGGER_MINUTES = Table(
    "trigger_minutes",
    METADATA,
    Column("minute", INSTANT, nullable=False),
    Column("computed_at", INSTANT, nullable=False),
    Column("triggers", Integer, nullable=False),
    Column("sending", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("expired", Integer, nullable=False),
    Column("unconfirmed", Integer, nullable=False),
    Column("parked", Integer, nullable=False),
    Column("possible_duplicates", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("departed", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("clock_skew", Integer, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("systems", JSONB, nullable=False),
    Column("blamed", JSONB, nullable=False),
    Column("worst", ARRAY(Uuid), nullable=False),
    Column("worst_seconds", ARRAY(Double), nullable=False),
    PrimaryKeyConstraint("minute", "campaign", "lane", name="trigger_minutes_pkey"),
)
DELAY_MINUTES = Table(
    "delay_minutes",
    METADATA,
    Column("minute", INSTANT, nullable=False),
    Column("triggers", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("p50", Double, nullable=False),
    Column("p95", Double, nullable=False),
    Column("p99", Double, nullable=False),
    Column("longest", Double, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("buckets", ARRAY(SmallInteger), nullable=False),
    Column("counts", ARRAY(Integer), nullable=False),
    PrimaryKeyConstraint("minute", "campaign", "lane", "phase", name="delay_minutes_pkey"),
)
DELAY_HOURS = Table(
    "delay_hours",
    METADATA,
    Column("hour", INSTANT, nullable=False),
    Column("triggers", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("longest", Double, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("buckets", ARRAY(SmallInteger), nullable=False),
    Column("counts", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("hour", "campaign", "lane", "phase", name="delay_hours_pkey"),
)
STALE_MINUTES = Table(
    "stale_minutes",
    METADATA,
    Column("minute", INSTANT, primary_key=True),
)
ROLLUP_FAILURES = Table(
    "rollup_failures",
    METADATA,
    Column("minute", INSTANT, primary_key=True),
    Column("failed_at", INSTANT, nullable=False, server_default=text("now()")),
    Column("fault", Text, nullable=False),
)
ALERT_THRESHOLDS = Table(
    "alert_thresholds",
    METADATA,
    Column("alert", Text, primary_key=True),
    Column("threshold", Double, nullable=False),
    Column("floor", BigInteger),
    Column("severity", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("measures", Text, nullable=False),
)
ALERT_AUDIENCES = Table(
    "alert_audiences",
    METADATA,
    Column("reason", Text, primary_key=True),
    Column("audience", Text, nullable=False),
)
