-- Daily partitions by request_id. A UUIDv7 begins with 48 bits of milliseconds and uuids compare bytewise, so a range
-- of ids is a range of time, and one key is unique across all partitions. Ids that are no v7 go to the default ones.

CREATE OR REPLACE FUNCTION ledger.uuid7_floor(moment timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

COMMENT ON FUNCTION ledger.uuid7_floor IS 'The least uuid that a UUIDv7 of this moment or later can have.';

-- A partition is made aside and then attached: that locks the big table far less than CREATE … PARTITION OF does. But
-- attaching locks the default partition against everybody for a moment. Behind a long reader (a backup) that moment
-- doesn't come, and all writers would queue up behind the attempt: so it gives up soon, and is tried again later.
CREATE OR REPLACE FUNCTION ledger.make_partitions(from_day date, to_day date) RETURNS SETOF text
    LANGUAGE plpgsql
    SECURITY DEFINER -- workers call it too, and they own no table
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '2s'
AS $$
DECLARE
    parent    text;
    partition text;
    options   text;
    day       date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ajo-dispatch: ledger.make_partitions', 0));
    FOR day IN SELECT generate_series(from_day, to_day, interval '1 day')::date LOOP
        FOREACH parent IN ARRAY ARRAY['triggers', 'attempts', 'deliveries', 'feedback'] LOOP
            partition := parent || '_' || to_char(day, 'YYYYMMDD');
            CONTINUE WHEN to_regclass('ledger.' || partition) IS NOT NULL;
            options := CASE parent WHEN 'triggers' THEN 'WITH (fillfactor = 60)' ELSE '' END;
            BEGIN
                EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.%I INCLUDING ALL) %s', partition, parent, options);
                EXECUTE format(
                    'ALTER TABLE ledger.%I ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)', parent, partition,
                    ledger.uuid7_floor(day::timestamp AT TIME ZONE 'UTC'),
                    ledger.uuid7_floor((day + 1)::timestamp AT TIME ZONE 'UTC'));
                RETURN NEXT partition;
            EXCEPTION WHEN check_violation THEN
                -- Rows of that day are in the default partition: they stay there, and so does the rest of the day.
                RAISE NOTICE '% was not made: the default partition has rows of that day', partition;
            END;
        END LOOP;
    END LOOP;
END
$$;

COMMENT ON FUNCTION ledger.make_partitions IS
    'Makes the missing daily partitions (UTC) of all partitioned tables, both days included; returns their names. '
    'Harmless when repeated, also at the same time. Gives up after 2 s behind a long reader.';
