"""What Journey Optimizer reported after acceptance."""

from sqlalchemy import ARRAY, Boolean, Column, Index, Integer, LargeBinary, Table, Text, Uuid

from ajo_worker.ledger.tables.columns import INSTANT, METADATA

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("feedback_id", Uuid, primary_key=True),
    Column("request_id", Uuid),
    Column("received_at", INSTANT, nullable=False),
    Column("happened_at", INSTANT, nullable=False),
    Column("matched_at", INSTANT),
    Column("match_due_at", INSTANT),
    Column("retry_count", Integer),
    Column("happened_at_is_arrival", Boolean, nullable=False),
    Column("match", Text, nullable=False, server_default="none"),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("execution_id", Text),
    Column("adobe_request_id", Text),
    Column("campaign_id", Text),
    Column("channel", Text),
    Column("failure_category", Text),
    Column("failure_type", Text),
    Column("failure_code", Text),
    Column("failure_reason", Text),
    Column("recipient_hashes", ARRAY(LargeBinary)),
    Index("feedback_due", "match_due_at"),
    Index("feedback_excluded", "received_at"),
    Index("feedback_executions", "execution_id", postgresql_using="hash"),
    Index("feedback_matched", "request_id"),
)
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("request_id", Uuid, primary_key=True),
    Column("departed_at", INSTANT),
    Column("delivered_at", INSTANT),
    Column("failed_at", INSTANT),
    Column("updated_at", INSTANT, nullable=False),
    Column("departures", Integer, nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("delays", Integer, nullable=False),
    Column("arrival_stamped", Boolean, nullable=False),
    Column("match", Text, nullable=False),
    Column("last_status", Text, nullable=False),
    Column("failure", Text),
)
