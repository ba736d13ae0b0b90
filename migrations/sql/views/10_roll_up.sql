-- Histograms: bucket b holds 1.1^(b-1) to 1.1^b milliseconds, and bucket 0 what is shorter.
CREATE OR REPLACE FUNCTION ledger.bucket(seconds double precision) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN greatest(ceil(ln(greatest(seconds, 0.001) * 1000) / ln(1.1)), 0)::int2;

CREATE OR REPLACE FUNCTION ledger.middle(bucket smallint) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 0.001 * 1.1 ^ (bucket - 0.5);

COMMENT ON FUNCTION ledger.bucket IS 'The bucket of a histogram that a duration falls into.';
COMMENT ON FUNCTION ledger.middle IS
    'The seconds in the middle of a bucket: within 5 % of all that it holds, but for bucket 0.';

CREATE OR REPLACE FUNCTION ledger.roll_up(of_minute timestamptz) RETURNS void
    LANGUAGE plpgsql
    SECURITY DEFINER -- workers call it, and own no table
    SET search_path = pg_catalog, pg_temp
    SET enable_partitionwise_join = on
    SET jit = off
AS $$
BEGIN
    -- Two at once of the same minute would meet at the keys: the second one waits, and finds it done anew.
    PERFORM pg_advisory_xact_lock(hashtextextended('ajo-dispatch: roll up ' || of_minute, 0));
    DELETE FROM ledger.stale_minutes WHERE minute = of_minute;
    DELETE FROM ledger.rollup_failures WHERE minute = of_minute;
    DELETE FROM ledger.trigger_minutes WHERE minute = of_minute;
    DELETE FROM ledger.delay_minutes WHERE minute = of_minute;
    DELETE FROM ledger.delay_hours WHERE hour = date_trunc('hour', of_minute, 'UTC');
    PERFORM ledger.find_skews(of_minute);

    CREATE TEMPORARY TABLE IF NOT EXISTS rolled_up (LIKE ledger.delays) ON COMMIT DELETE ROWS;
    DELETE FROM pg_temp.rolled_up;
    INSERT INTO pg_temp.rolled_up SELECT * FROM ledger.delays
    WHERE received_at >= of_minute AND received_at < of_minute + interval '1 minute';

    INSERT INTO ledger.trigger_minutes
        (minute, computed_at, campaign, lane, triggers, sending, accepted, rejected, expired, unconfirmed, parked,
         possible_duplicates, attempts, departed, delivered, failed, clock_skew, systems, blamed, worst, worst_seconds)
    WITH counted AS (
        SELECT r.campaign, r.lane, count(*), count(*) FILTER (WHERE r.state = 'sending'),
               count(*) FILTER (WHERE r.state = 'accepted'), count(*) FILTER (WHERE r.state = 'rejected'),
               count(*) FILTER (WHERE r.state = 'expired'), count(*) FILTER (WHERE r.state = 'unconfirmed'),
               count(*) FILTER (WHERE r.state = 'parked'), count(*) FILTER (WHERE r.possible_duplicate),
               sum(r.attempts), count(r.departed_at), count(r.delivered_at), count(r.failed_at),
               count(*) FILTER (WHERE r.clock_skew)
        FROM pg_temp.rolled_up r
        GROUP BY r.campaign, r.lane
    ), by_system AS (
        SELECT r.campaign, r.lane, charged.system, count(*) AS triggers,
               round(sum(charged.seconds)::numeric, 3) AS seconds
        FROM pg_temp.rolled_up r CROSS JOIN LATERAL (
            SELECT r.system, 0::float8 AS seconds WHERE r.systems = '{}'
            UNION ALL SELECT * FROM unnest(r.systems, r.system_seconds)
        ) AS charged (system, seconds)
        GROUP BY r.campaign, r.lane, charged.system
    ), charged AS (
        SELECT campaign, lane,
               jsonb_object_agg(system, jsonb_build_object('triggers', triggers, 'seconds', seconds)) AS systems
        FROM by_system GROUP BY campaign, lane
    ), blamed AS (
        SELECT campaign, lane, jsonb_object_agg(system, triggers) AS blamed
        FROM (SELECT campaign, lane, system, count(*) AS triggers FROM pg_temp.rolled_up GROUP BY 1, 2, 3) AS b
        GROUP BY campaign, lane
    ), ranked AS (
        SELECT campaign, lane, request_id, took.seconds,
               row_number() OVER (PARTITION BY campaign, lane ORDER BY took.seconds DESC) AS place
        FROM pg_temp.rolled_up CROSS JOIN LATERAL (
            SELECT coalesce(end_to_end_seconds, extract(epoch FROM now() - received_at)::float8) AS seconds) AS took
    ), slowest AS (
        SELECT campaign, lane, array_agg(request_id ORDER BY place) AS worst,
               array_agg(seconds ORDER BY place) AS worst_seconds
        FROM ranked WHERE place <= 10 GROUP BY campaign, lane
    )
    SELECT of_minute, clock_timestamp(), c.*, charged.systems, blamed.blamed, slowest.worst, slowest.worst_seconds
    FROM counted c JOIN charged USING (campaign, lane) JOIN blamed USING (campaign, lane)
    JOIN slowest USING (campaign, lane);

    -- Most phases of most triggers are nothing at all: zeros are counted, and only the rest is sorted.
    INSERT INTO ledger.delay_minutes
        (minute, campaign, lane, phase, triggers, late, seconds, p50, p95, p99, longest, buckets, counts)
    WITH named AS (
        SELECT position, phase FROM ledger.phases UNION ALL SELECT position, phase FROM audit.sums
    ), every AS (
        SELECT campaign, lane, count(*) AS triggers FROM pg_temp.rolled_up GROUP BY campaign, lane
    ), spent AS ( -- a null is not known, and no zero
        SELECT r.campaign, r.lane, v.position, v.seconds,
               ledger.bucket(v.seconds) AS bucket
        FROM pg_temp.rolled_up r
        CROSS JOIN LATERAL unnest(r.seconds || r.total_seconds || r.end_to_end_seconds || r.budget_used_seconds)
            WITH ORDINALITY AS v (seconds, position)
        WHERE v.seconds IS DISTINCT FROM 0
    ), sorted AS (
        SELECT campaign, lane, position, count(seconds) AS nonzero, count(*) - count(seconds) AS unknown,
               count(*) FILTER (WHERE seconds < 0) AS negative, sum(seconds) AS seconds,
               array_agg(seconds ORDER BY seconds) FILTER (WHERE seconds IS NOT NULL) AS all_seconds
        FROM spent GROUP BY campaign, lane, position
    ), histogram AS (
        SELECT campaign, lane, position, array_agg(bucket ORDER BY bucket) AS buckets,
               array_agg(n ORDER BY bucket) AS counts
        FROM (SELECT campaign, lane, position, bucket, count(*)::int4 AS n FROM spent
              WHERE seconds IS NOT NULL GROUP BY 1, 2, 3, 4) AS b
        GROUP BY campaign, lane, position
    ), late AS (
        SELECT r.campaign, r.lane, l.phase, count(*) AS late
        FROM pg_temp.rolled_up r CROSS JOIN LATERAL unnest(r.late_phases) AS l (phase) GROUP BY 1, 2, 3
    )
    SELECT of_minute, campaign, lane, phase, k.known, coalesce(l.late, 0), s.seconds,
           ledger.nth(s.all_seconds, s.negative, k.known, 0.5), ledger.nth(s.all_seconds, s.negative, k.known, 0.95),
           ledger.nth(s.all_seconds, s.negative, k.known, 0.99),
           CASE WHEN k.known > s.nonzero THEN greatest(s.all_seconds[s.nonzero], 0) ELSE s.all_seconds[s.nonzero] END,
           h.buckets, h.counts
    FROM sorted s JOIN named USING (position) JOIN every USING (campaign, lane)
    JOIN histogram h USING (campaign, lane, position) LEFT JOIN late l USING (campaign, lane, phase)
    CROSS JOIN LATERAL (SELECT every.triggers - s.unknown AS known) AS k;
END
$$;

COMMENT ON FUNCTION ledger.roll_up IS
    'Computes ledger.trigger_minutes, ledger.delay_minutes and ledger.producer_clocks of one minute anew.';

-- The least value that a share of all is not above; all but the given ones are zeros, and stand behind the negative
-- ones.
CREATE OR REPLACE FUNCTION ledger.nth(nonzero double precision[], negative bigint, every bigint, share double precision)
    RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ceil(share * every) <= negative THEN nonzero[ceil(share * every)::int]
                WHEN ceil(share * every) <= negative + every - cardinality(nonzero) THEN 0
                ELSE nonzero[(ceil(share * every) - every)::int + cardinality(nonzero)] END;

COMMENT ON FUNCTION ledger.nth IS
    'A percentile of values of which most are zero: given are the others, sorted, how many of them are negative, and '
    'how many there are in all.';

CREATE OR REPLACE FUNCTION ledger.due_minutes(most integer) RETURNS SETOF timestamptz
    LANGUAGE sql STABLE
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH newest AS (
        SELECT coalesce(max(minute), '-infinity') AS minute FROM ledger.trigger_minutes WHERE minute <= now()
    ), due AS (
        SELECT DISTINCT date_trunc('minute', received_at) AS minute
        FROM ledger.triggers
        WHERE received_at >= (SELECT minute FROM newest) + interval '1 minute'
          AND received_at < date_trunc('minute', now() - interval '5 seconds')
        UNION -- what was written late, as after the database was away
        SELECT DISTINCT date_trunc('minute', t.received_at)
        FROM ledger.attempts a
        CROSS JOIN LATERAL (SELECT * FROM ledger.triggers WHERE request_id = a.request_id OFFSET 0) AS t
        LEFT JOIN ledger.trigger_minutes m
            ON m.minute = date_trunc('minute', t.received_at) AND m.campaign = t.campaign AND m.lane = t.lane
        WHERE a.responded_at >= now() - interval '1 minute' AND a.responded_at > coalesce(m.computed_at, '-infinity')
          AND t.received_at < date_trunc('minute', now() - interval '5 seconds')
        UNION
        SELECT minute FROM ledger.trigger_minutes
        WHERE (sending > 0 OR parked > 0)
          AND computed_at < now() - CASE WHEN minute > now() - interval '15 minutes' THEN interval '30 seconds'
                                         ELSE interval '10 minutes' END
        UNION
        SELECT s.minute FROM ledger.stale_minutes s
        WHERE NOT EXISTS (SELECT FROM ledger.trigger_minutes m
                          WHERE m.minute = s.minute AND m.computed_at > now() - interval '5 minutes')
        UNION
        SELECT minute FROM ledger.rollup_failures
    )
    SELECT minute FROM due
    WHERE NOT EXISTS (SELECT FROM ledger.rollup_failures f
                      WHERE f.minute = due.minute AND f.failed_at > now() - interval '5 minutes')
    ORDER BY minute LIMIT most;
END;

COMMENT ON FUNCTION ledger.due_minutes IS
    'The minutes to be computed now, oldest first: those that are over and new, those with triggers that had not '
    'ended or were written since, stale ones, and those that failed (not more often than every 5 minutes).';

CREATE OR REPLACE FUNCTION ledger.roll_up_hour(of_hour timestamptz) RETURNS void
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO ledger.delay_hours (hour, campaign, lane, phase, triggers, late, seconds, longest, buckets, counts)
    WITH minutes AS MATERIALIZED (
        SELECT * FROM ledger.delay_minutes WHERE minute >= of_hour AND minute < of_hour + interval '1 hour'
    ), buckets AS (
        SELECT campaign, lane, phase, array_agg(bucket ORDER BY bucket) AS buckets,
               array_agg(n ORDER BY bucket) AS counts
        FROM (
            SELECT m.campaign, m.lane, m.phase, b.bucket, sum(b.n) AS n
            FROM minutes m CROSS JOIN LATERAL unnest(m.buckets, m.counts) AS b (bucket, n) GROUP BY 1, 2, 3, 4
        ) AS summed GROUP BY campaign, lane, phase
    )
    SELECT of_hour, campaign, lane, phase, sum(triggers), sum(late), sum(seconds), max(longest), b.buckets, b.counts
    FROM minutes JOIN buckets b USING (campaign, lane, phase)
    GROUP BY campaign, lane, phase, b.buckets, b.counts
    ON CONFLICT DO NOTHING;
END;

COMMENT ON FUNCTION ledger.roll_up_hour IS 'Sums up ledger.delay_minutes of one hour.';

CREATE OR REPLACE FUNCTION ledger.due_hours(most integer) RETURNS SETOF timestamptz
    LANGUAGE sql STABLE
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT date_trunc('hour', m.minute, 'UTC') AS hour
    FROM ledger.trigger_minutes m
    WHERE m.minute < date_trunc('hour', now() - interval '5 minutes', 'UTC') AND m.minute >= now() - interval '10 days'
      AND NOT EXISTS (SELECT FROM ledger.delay_hours h WHERE h.hour = date_trunc('hour', m.minute, 'UTC'))
    ORDER BY hour LIMIT most;
END;

COMMENT ON FUNCTION ledger.due_hours IS
    'The hours of the last ten days that are over, and not summed up; older ones are read by the minute.';
