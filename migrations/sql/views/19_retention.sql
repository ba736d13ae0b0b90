CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.removals
    EXECUTE FUNCTION ledger.refuse_change();

-- One partition a call, and so a transaction: whoever drops it locks the big table against everybody for that moment,
-- and must not keep it locked while waiting for the next. DETACH … CONCURRENTLY would lock less, but runs in no
-- function, and workers own no table. As make_partitions, it gives up behind a long reader, since all writers would
-- queue up behind the attempt.
CREATE OR REPLACE FUNCTION ledger.drop_oldest_partition(before date) RETURNS text
    LANGUAGE plpgsql
    SECURITY DEFINER -- workers call it too, and they own no table
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '2s'
AS $$
DECLARE
    oldest record;
BEGIN
    IF before > (now() AT TIME ZONE 'UTC')::date - 2 THEN
        RAISE EXCEPTION 'ledger.drop_oldest_partition: the last two days are never dropped';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ajo-dispatch: ledger.make_partitions', 0));
    SELECT c.relname AS partition, p.relname AS relation, day INTO oldest
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.relname ~ '_[0-9]{8}$' THEN to_date(right(c.relname, 8), 'YYYYMMDD') END
    ) AS d(day)
    WHERE p.relname IN ('triggers', 'attempts', 'deliveries', 'feedback')
      AND p.relnamespace = 'ledger'::regnamespace AND day < before
      -- A trigger that is parked for so long, or a dead letter that somebody kept alive, keeps its day.
      AND (p.relname = 'feedback' OR NOT EXISTS (
          SELECT FROM ledger.held_payloads
          WHERE request_id >= ledger.uuid7_floor(day::timestamp AT TIME ZONE 'UTC')
            AND request_id < ledger.uuid7_floor((day + 1)::timestamp AT TIME ZONE 'UTC')))
    ORDER BY day, p.relname LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    EXECUTE format('DROP TABLE ledger.%I', oldest.partition);
    INSERT INTO ledger.removals (removed_at, day, relation) VALUES (clock_timestamp(), oldest.day, oldest.relation);
    RETURN oldest.partition;
END
$$;

COMMENT ON FUNCTION ledger.drop_oldest_partition IS
    'Drops the oldest daily partition of a day before this one, and returns its name; null if there is none. Days '
    'with a held payload stay. Gives up after 2 s behind a long reader.';
