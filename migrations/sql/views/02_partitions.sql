-- Daily partitions by request_id. A UUIDv7 begins with 48 bits of milliseconds and uuids compare bytewise, so a range
-- of ids is a range of time, and one key is unique across all partitions. Ids that are no v7 go to the default ones.

CREATE OR REPLACE FUNCTION ledger.uuid7_floor(moment timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

COMMENT ON FUNCTION ledger.uuid7_floor IS 'The least uuid that a UUIDv7 of this moment or later can have.';

-- A partition is made aside and then attached: that locks the big table far less than CREATE … PARTITION OF does. But
-- attaching locks the default partition against everybody for a moment. Behind a long reader (a backup) that moment
-- doesn't come, and all writers would queue up behind the attempt: so it gives up soon, and is tried again later.
CREATE OR REPLACE FUNCTION ledger.make_partition(parent text, day date) RETURNS text
    LANGUAGE plpgsql
    SECURITY DEFINER -- workers call it too, and they own no table
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '2s'
AS $$
DECLARE
    partition text := parent || '_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF parent NOT IN ('triggers', 'attempts', 'deliveries', 'feedback') THEN
        RAISE EXCEPTION 'ledger.make_partition: % has no daily partitions', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ajo-dispatch: ledger.make_partitions', 0));
    IF to_regclass(format('ledger.%I', partition)) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.%I INCLUDING ALL) %s', partition, parent,
                   CASE parent WHEN 'triggers' THEN 'WITH (fillfactor = 60)' ELSE '' END);
    EXECUTE format('ALTER TABLE ledger.%I ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)', parent, partition,
                   ledger.uuid7_floor(day::timestamp AT TIME ZONE 'UTC'),
                   ledger.uuid7_floor((day + 1)::timestamp AT TIME ZONE 'UTC'));
    RETURN partition;
EXCEPTION WHEN check_violation THEN
    -- Rows of that day are in the default partition: they stay there, and so does the rest of the day.
    RAISE NOTICE '% was not made: the default partition has rows of that day', partition;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ledger.make_partitions(from_day date, to_day date) RETURNS SETOF text
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT made.partition
    FROM generate_series(from_day, to_day, interval '1 day') WITH ORDINALITY AS d (day, number)
    CROSS JOIN unnest(ARRAY['triggers', 'attempts', 'deliveries', 'feedback']) WITH ORDINALITY AS p (parent, place)
    CROSS JOIN LATERAL (SELECT ledger.make_partition(p.parent, d.day::date) AS partition OFFSET 0) AS made
    WHERE made.partition IS NOT NULL
    ORDER BY d.number, p.place;
END;

COMMENT ON FUNCTION ledger.make_partition IS
    'Makes the daily partition (UTC) of one partitioned table, and returns its name; null if there is one, or if the '
    'default partition has rows of that day. Gives up after 2 s behind a long reader.';

COMMENT ON FUNCTION ledger.make_partitions IS
    'Makes the missing daily partitions (UTC) of all partitioned tables, both days included; returns their names. '
    'Harmless when repeated, also at the same time. Gives up after 2 s behind a long reader. All in one transaction: '
    'beside workers ledger.make_partition, a transaction each, locks less.';
