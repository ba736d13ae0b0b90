"""What shows that nobody changed the past."""

from sqlalchemy import ARRAY, BigInteger, Column, Date, Identity, Index, LargeBinary, SmallInteger, Table, Text, Uuid

from ajo_worker.ledger.tables.columns import INSTANT, METADATA

DIGESTS = Table(
    "digests",
    METADATA,
    Column("digest_id", BigInteger, Identity(always=True), primary_key=True),
    Column("sealed_at", INSTANT, nullable=False),
    Column("covers_until", INSTANT, nullable=False),
    Column("revisions", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("relation", Text, nullable=False),
    Column("from_id", Uuid),
    Column("to_id", Uuid),
    Column("key_id", Text),
    Column("cause", Text, nullable=False),
    Column("open_triggers", ARRAY(Uuid), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Index("digests_day", "day", "relation"),
)
REVISIONS = Table(
    "revisions",
    METADATA,
    Column("revision_id", BigInteger, Identity(always=True), primary_key=True),
    Column("changed_at", INSTANT, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("attempt", SmallInteger),
    Column("relation", Text, nullable=False),
    Column("was", Text, nullable=False),
    Column("became", Text, nullable=False),
    Column("reason", Text),
    Column("database_role", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Index("revisions_request", "request_id"),
)
REMOVALS = Table(
    "removals",
    METADATA,
    Column("removal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("removed_at", INSTANT, nullable=False),
    Column("day", Date, nullable=False),
    Column("relation", Text, nullable=False),
    Index("removals_day", "relation", "day"),
)
