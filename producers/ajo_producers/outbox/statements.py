"""What a relay asks of the outbox's database; ``{table}`` is the outbox's. A *way* is a lane and a priority."""

from ajo_producers.outbox.table import CHANNEL, SHARDS, WAYS, WIDE

WAITS = "published_at IS NULL AND fault IS NULL"
EVERY_WAY = ", ".join(f"({place}, '{lane}', '{priority}')" for place, (lane, priority) in enumerate(WAYS))

# The machine of a relay may vanish: then its locks go after so long, in the middle of a round or while it sleeps.
VANISHED_IN_A_ROUND = "SET LOCAL idle_in_transaction_session_timeout = '120s'"
VANISHED_ASLEEP = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"

OID = "SELECT '{table}'::regclass::oid::bigint"

# Whether published rows may be deleted, and faulty ones marked: rights are looked at even where no row is meant.
MAY_DELETE = "DELETE FROM {table} WHERE false"
MAY_UPDATE = "UPDATE {table} SET fault = NULL, published_at = NULL WHERE false"

NOTIFY = f"NOTIFY {CHANNEL}"
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, $2::bigint))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended($1, $2::bigint))"

# Which ways have something that waits; urgent ones first.
WAITING = f"""
    SELECT place FROM (VALUES {EVERY_WAY}) AS w (place, lane, priority)
    WHERE EXISTS (SELECT FROM {{table}} o WHERE o.lane = w.lane AND o.priority = w.priority AND {WAITS})
    ORDER BY place
"""

# A shard of a way is locked until the transaction's end: by as many relays as there are, each row is published by one,
# and those of a recipient in their order.
TRY_SHARDS = """
    SELECT s FROM unnest($1::text[]) AS s
    WHERE pg_try_advisory_xact_lock(hashtextextended('ajo-dispatch outbox ' || s, $2::bigint)) LIMIT $3
"""
AWAIT_SHARD = "SELECT pg_advisory_xact_lock(hashtextextended('ajo-dispatch outbox ' || $1::text, $2::bigint))"

# In the order of insertion, as far as it is visible: what began later may commit before. What somebody else has
# locked, such as an operator who deletes it, is left out. $5 is false if the relay has not all shards: then it stops
# before the first trigger of several shards. $7 bounds the bytes.
READ = f"""
    WITH taken AS (
        SELECT id, request_id, campaign, key_id, payload FROM {{table}} AS o
        WHERE lane = $1 AND priority = $2 AND {WAITS} AND shard = ANY($3::smallint[]) AND id > $4
          AND ($5 OR id < coalesce((SELECT min(id) FROM {{table}} WHERE lane = $1 AND priority = $2 AND {WAITS}
                                    AND shard = {WIDE}), 9223372036854775807))
        ORDER BY id LIMIT $6 FOR UPDATE SKIP LOCKED
    )
    SELECT id, request_id, key_id, payload
    FROM (SELECT *, sum(octet_length(payload)) OVER (ORDER BY id) - octet_length(payload) AS before FROM taken) AS t
    WHERE before < $7 ORDER BY id
"""
FIRST_WIDE = f"SELECT min(id) FROM {{table}} WHERE lane = $1 AND priority = $2 AND {WAITS} AND shard = {WIDE}"

DELETE = "DELETE FROM {table} WHERE id = ANY($1::bigint[])"
KEEP = "UPDATE {table} SET published_at = clock_timestamp() WHERE id = ANY($1::bigint[])"
MARK_FAULTY = """
    UPDATE {table} AS o SET fault = f.fault FROM unnest($1::bigint[], $2::text[]) AS f (id, fault) WHERE o.id = f.id
"""
# What a relay with these keys may be able to open now.
RETRY_KEYS = "UPDATE {table} SET fault = NULL WHERE fault IS NOT NULL AND key_id = ANY($1::text[])"
RETRY = "UPDATE {table} SET fault = NULL WHERE fault IS NOT NULL AND published_at IS NULL"
PURGE = """
    DELETE FROM {table} WHERE id IN (
        SELECT id FROM {table} WHERE published_at < clock_timestamp() - make_interval(secs => $1)
        ORDER BY published_at LIMIT 10000 FOR UPDATE SKIP LOCKED)
"""

# The oldest by insertion; where transactions overlap, another one may be older by their length.
LAG = f"""
    SELECT w.lane, w.priority,
           (SELECT count(*) FROM {{table}} o WHERE o.lane = w.lane AND o.priority = w.priority AND {WAITS}) AS waiting,
           (SELECT extract(epoch FROM clock_timestamp() - added_at)::float8 FROM {{table}} o
            WHERE o.lane = w.lane AND o.priority = w.priority AND {WAITS} ORDER BY id LIMIT 1) AS oldest_seconds
    FROM (VALUES {EVERY_WAY}) AS w (place, lane, priority) ORDER BY place
"""
KEPT = "SELECT count(*) FROM {table} WHERE published_at IS NOT NULL"
FAULTY = "SELECT count(*) FROM {table} WHERE fault IS NOT NULL"
FAULTS = """
    SELECT id, request_id, campaign, key_id, added_at, fault FROM {table} WHERE fault IS NOT NULL ORDER BY id LIMIT 20
"""
ALL_SHARDS = tuple(range(SHARDS))
