"""The outbox's table in the caller's database, and what relays and the database tell each other through it.

Whoever adds a row wakes a relay with NOTIFY only where one sleeps. A transaction that notifies commits alone in the
whole cluster, since PostgreSQL keeps notifications in commit order with one lock: an outbox that notified for every
row would slow down all that its application commits. So a relay that goes to sleep takes an advisory lock, the *gate*;
a transaction that adds takes it shared, which fails exactly where the relay sleeps, and notifies only then.
"""

import re
from zlib import crc32

from ajo_producers.contract.addresses import as_compared
from ajo_producers.contract.lanes import LANES, PRIORITIES, Lane, Priority
from ajo_producers.contract.setting_rules import OUTBOX_TABLE
from ajo_producers.contract.trigger import Trigger
from ajo_producers.publishing.errors import SettingError

CHANNEL = "ajo_outbox"
GATE, WATCH = "ajo-dispatch outbox gate", "ajo-dispatch outbox watch"
"""Names of advisory locks; with the table's oid as seed of their hash, each outbox has its own."""

SHARDS = 16
"""Triggers of one recipient are in one shard, and one relay at a time has a shard: so they keep their order."""
WIDE = -1
"""Shard of a trigger whose recipients are in several: it is published by a relay that has all of them."""

WAYS: tuple[tuple[Lane, Priority], ...] = tuple((lane, priority) for priority in ("urgent", "normal") for lane in LANES)
"""One for each queue of the broker, urgent ones first."""

_NAME = re.compile(r"(?:[a-z_][a-z0-9_]{0,47}\.)?[a-z_][a-z0-9_]{0,47}")

_CREATE = (
    """
CREATE TABLE {table} (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    added_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    request_id   uuid NOT NULL,
    shard        smallint NOT NULL CHECK (shard BETWEEN {wide} AND {last_shard}),
    lane         text NOT NULL CHECK (lane IN ({lanes})),
    priority     text NOT NULL CHECK (priority IN ({priorities})),
    campaign     text NOT NULL,
    key_id       text,
    fault        text,
    payload      bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_analyze_threshold = 100000)
""",
    "CREATE INDEX {name}_waiting ON {table} (lane, priority, id) WHERE published_at IS NULL AND fault IS NULL",
    """
CREATE INDEX {name}_wide ON {table} (lane, priority, id)
    WHERE published_at IS NULL AND fault IS NULL AND shard = {wide}
""",
    "CREATE INDEX {name}_published ON {table} (published_at) WHERE published_at IS NOT NULL",
    "CREATE INDEX {name}_faulty ON {table} (id) WHERE fault IS NOT NULL",
    """
CREATE FUNCTION {table}_wake() RETURNS trigger LANGUAGE plpgsql AS $wake$
BEGIN
    -- It fails where a relay sleeps, and only then.
    IF NOT pg_try_advisory_xact_lock_shared(hashtextextended('{gate}', TG_RELID::bigint)) THEN
        PERFORM pg_notify('{channel}', '');
    END IF;
    RETURN NULL;
END
$wake$
""",
    "CREATE TRIGGER {name}_wake AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_wake()",
    "COMMENT ON TABLE {table} IS 'Triggers for ajo-dispatch: written within the transactions of an application, "
    "published after them by ajo-dispatch outbox relay.'",
)
_COMMENTS = {
    "id": "Order of insertion.",
    "added_at": "When it was added, by the clock of this database.",
    "published_at": "When the broker had confirmed it, where published rows are kept (AJO_OUTBOX_KEEP).",
    "request_id": "The trigger.",
    "shard": "Of its recipient, for the order of its triggers; -1 if it has recipients in several.",
    "lane": "standard or high-throughput.",
    "priority": "normal or urgent.",
    "campaign": "Name of the campaign definition.",
    "key_id": "The key that payload is encrypted under; null if it is plain.",
    "fault": "Why it can''t be published; ajo-dispatch outbox retry tries it again.",
    "payload": "The trigger as JSON, encrypted if key_id is set.",
}


def create_statements(table: str = OUTBOX_TABLE) -> tuple[str, ...]:
    """The statements that make an outbox; each is to be executed by itself, without parameters.

    Raises:
        SettingError: ``table`` can't be its name.
    """
    check_table(table)
    fields = {
        "table": table,
        "name": table.rpartition(".")[2],
        "wide": WIDE,
        "last_shard": SHARDS - 1,
        "lanes": ", ".join(f"'{lane}'" for lane in LANES),
        "priorities": ", ".join(f"'{priority}'" for priority in PRIORITIES),
        "gate": GATE,
        "channel": CHANNEL,
    }
    made = [statement.format(**fields).strip() for statement in _CREATE]
    return *made, *(f"COMMENT ON COLUMN {table}.{column} IS '{text}'" for column, text in _COMMENTS.items())


def drop_statements(table: str = OUTBOX_TABLE) -> tuple[str, ...]:
    """The statements that remove it, with all that waits in it.

    Raises:
        SettingError: ``table`` can't be its name.
    """
    check_table(table)
    return f"DROP TABLE {table}", f"DROP FUNCTION {table}_wake()"


def check_table(table: str) -> None:
    """Refuse what can't stand in statements as it is.

    Raises:
        SettingError: it has other characters than small letters, digits and _, or several schemas.
    """
    if not _NAME.fullmatch(table):
        raise SettingError(
            "the outbox's table (AJO_OUTBOX_TABLE) must be like ajo_outbox or shop.ajo_outbox: "
            "up to 48 small letters, digits and _"
        )


def shard_of(trigger: Trigger) -> int:
    """The shard of a trigger's recipients, or ``WIDE``. Pure."""
    shards = {crc32(as_compared(recipient.user_id).encode()) % SHARDS for recipient in trigger.recipients}
    return shards.pop() if len(shards) == 1 else WIDE
