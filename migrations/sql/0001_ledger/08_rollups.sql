-- Rolled up by the minute of received_at: what a day's questions read instead of ten million triggers. A minute is
-- computed whole, again and again while it can change; so it can never drift from what it sums up.

-- Whose clock is behind? A queue is first in, first out: what was published later can't come out earlier. Where a
-- producer's triggers are overtaken by others' that say they were published later, its clock is behind theirs. Its
-- least wait in the queue is then no wait at all, but its skew. A negative wait proves the opposite without any help.
CREATE FUNCTION ledger.find_skews(of_minute timestamptz) RETURNS void
    LANGUAGE sql
    SECURITY DEFINER -- workers roll up too
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO ledger.producer_clocks AS c
        (producer, minute, triggers, least_wait_seconds, overtaken_seconds, skew_seconds)
    WITH urgent AS (
        SELECT DISTINCT ON (name) name, coalesce(definition ->> 'priority', '') AS priority
        FROM ledger.campaigns ORDER BY name, last_loaded_at DESC
    ), kept AS ( -- what a silence or an outage had workers hand back comes in another order
        SELECT lane, range_agg(during) AS during FROM audit.standstills
        WHERE kind IN ('silence', 'outage', 'held') AND lane IS NOT NULL GROUP BY lane
    ), received AS (
        SELECT t.producer, t.lane || coalesce(u.priority, '') AS queue, t.received_at, t.enqueued_at,
               extract(epoch FROM t.received_at - t.enqueued_at)::float8 AS wait
        FROM ledger.triggers t LEFT JOIN urgent u ON u.name = t.campaign LEFT JOIN kept k ON k.lane = t.lane
        WHERE t.received_at >= of_minute AND t.received_at < of_minute + interval '1 minute' AND t.fence = 1
          AND NOT coalesce(k.during && tstzrange(t.enqueued_at, greatest(t.enqueued_at, t.received_at)), false)
    ), least AS (
        SELECT producer, queue, count(*) AS triggers, min(wait) AS wait FROM received GROUP BY producer, queue
    ), corrected AS ( -- of those that are surely ahead, the lead is taken away first
        SELECT r.producer, r.queue, r.received_at,
               r.enqueued_at + make_interval(secs => least(l.wait, 0)) AS enqueued_at
        FROM received r JOIN least l USING (producer, queue)
    ), seconds AS ( -- the newest publishing of each second, by producer: enough to see who was overtaken
        SELECT producer, queue, date_trunc('second', received_at) AS second, max(enqueued_at) AS newest,
               min(enqueued_at) AS oldest
        FROM corrected GROUP BY 1, 2, 3
    ), overtaken AS (
        SELECT s.producer, s.queue,
               max(extract(epoch FROM o.newest - s.newest)::float8) AS seconds
        FROM seconds s JOIN seconds o ON o.queue = s.queue AND o.producer <> s.producer AND o.second < s.second
            AND o.second >= s.second - interval '10 seconds'
        GROUP BY 1, 2
    ), found AS (
        SELECT l.producer, sum(l.triggers) AS triggers, min(l.wait) AS wait, max(coalesce(o.seconds, 0)) AS overtaken
        FROM least l LEFT JOIN overtaken o USING (producer, queue)
        GROUP BY l.producer
    ), earlier AS ( -- a minute may begin with a lull, and hold a few slow ones: the least wait of ten minutes counts
        SELECT f.producer, min(c.least_wait_seconds) AS wait
        FROM found f JOIN ledger.producer_clocks c ON c.producer = f.producer
        WHERE c.minute >= of_minute - interval '10 minutes' AND c.minute < of_minute
          AND c.least_wait_seconds > 0.5 * f.wait AND f.wait > 0
        GROUP BY f.producer
    )
    SELECT f.producer, of_minute, f.triggers, f.wait, greatest(f.overtaken, 0),
           CASE WHEN f.wait < 0 THEN f.wait
                WHEN f.wait > 1 AND f.overtaken > 0.5 * f.wait THEN least(f.wait, coalesce(e.wait, f.wait))
                ELSE 0 END
    FROM found f LEFT JOIN earlier e USING (producer)
    ON CONFLICT (producer, minute) DO UPDATE
    SET triggers = excluded.triggers, least_wait_seconds = excluded.least_wait_seconds,
        overtaken_seconds = excluded.overtaken_seconds, skew_seconds = excluded.skew_seconds;
END;

COMMENT ON FUNCTION ledger.find_skews IS 'Measures the clocks of all producers by the triggers received in one minute.';

-- Histograms: bucket b holds 1.1^(b-1) to 1.1^b milliseconds, and bucket 0 what is shorter.
CREATE FUNCTION ledger.bucket(seconds double precision) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN greatest(ceil(ln(greatest(seconds, 0.001) * 1000) / ln(1.1)), 0)::int2;

CREATE FUNCTION ledger.middle(bucket smallint) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 0.001 * 1.1 ^ (bucket - 0.5);

COMMENT ON FUNCTION ledger.bucket IS 'The bucket of a histogram that a duration falls into.';
COMMENT ON FUNCTION ledger.middle IS 'The seconds in the middle of a bucket: within 5 % of all that it holds, but for bucket 0.';

CREATE FUNCTION ledger.roll_up(of_minute timestamptz) RETURNS void
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
    DELETE FROM ledger.delay_hours WHERE hour = date_trunc('hour', of_minute);
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
        SELECT campaign, lane, array_agg(request_id ORDER BY place) AS worst, array_agg(seconds ORDER BY place) AS worst_seconds
        FROM ranked WHERE place <= 10 GROUP BY campaign, lane
    )
    SELECT of_minute, clock_timestamp(), c.*, charged.systems, blamed.blamed, slowest.worst, slowest.worst_seconds
    FROM counted c JOIN charged USING (campaign, lane) JOIN blamed USING (campaign, lane) JOIN slowest USING (campaign, lane);

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
        SELECT campaign, lane, position, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(n ORDER BY bucket) AS counts
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

COMMENT ON FUNCTION ledger.roll_up IS 'Computes ledger.trigger_minutes, ledger.delay_minutes and ledger.producer_clocks of one minute anew.';

-- The least value that a share of all is not above; all but the given ones are zeros, and stand behind the negative ones.
CREATE FUNCTION ledger.nth(nonzero double precision[], negative bigint, every bigint, share double precision)
    RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ceil(share * every) <= negative THEN nonzero[ceil(share * every)::int]
                WHEN ceil(share * every) <= negative + every - cardinality(nonzero) THEN 0
                ELSE nonzero[(ceil(share * every) - every)::int + cardinality(nonzero)] END;

COMMENT ON FUNCTION ledger.nth IS 'A percentile of values of which most are zero: given are the others, sorted, how many of them are negative, and how many there are in all.';

CREATE FUNCTION ledger.due_minutes(most integer) RETURNS SETOF timestamptz
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

COMMENT ON FUNCTION ledger.due_minutes IS 'The minutes to be computed now, oldest first: those that are over and new, those with triggers that had not ended or were written since, stale ones, and those that failed (not more often than every 5 minutes).';

CREATE FUNCTION ledger.roll_up_hour(of_hour timestamptz) RETURNS void
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO ledger.delay_hours (hour, campaign, lane, phase, triggers, late, seconds, longest, buckets, counts)
    WITH minutes AS MATERIALIZED (
        SELECT * FROM ledger.delay_minutes WHERE minute >= of_hour AND minute < of_hour + interval '1 hour'
    ), buckets AS (
        SELECT campaign, lane, phase, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(n ORDER BY bucket) AS counts
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

CREATE FUNCTION ledger.due_hours(most integer) RETURNS SETOF timestamptz
    LANGUAGE sql STABLE
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT date_trunc('hour', m.minute) AS hour
    FROM ledger.trigger_minutes m
    WHERE m.minute < date_trunc('hour', now() - interval '5 minutes') AND m.minute >= now() - interval '10 days'
      AND NOT EXISTS (SELECT FROM ledger.delay_hours h WHERE h.hour = date_trunc('hour', m.minute))
    ORDER BY hour LIMIT most;
END;

COMMENT ON FUNCTION ledger.due_hours IS 'The hours of the last ten days that are over, and not summed up; older ones are read by the minute.';

CREATE VIEW audit.trigger_minutes AS SELECT * FROM ledger.trigger_minutes;

CREATE VIEW audit.rollup_failures AS SELECT * FROM ledger.rollup_failures;

COMMENT ON VIEW audit.rollup_failures IS 'One row for each minute that couldn''t be rolled up: reports lack its triggers. Tried again every 5 minutes.';
COMMENT ON COLUMN audit.rollup_failures.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN audit.rollup_failures.failed_at IS 'When it was tried last.';
COMMENT ON COLUMN audit.rollup_failures.fault IS 'What the database said, without values.';

CREATE VIEW audit.delay_by_minute AS
SELECT d.minute, d.campaign, d.lane, d.phase, p.system, d.triggers, d.late, d.seconds, d.p50, d.p95, d.p99, d.longest
FROM ledger.delay_minutes d LEFT JOIN audit.phases p USING (phase);

CREATE VIEW audit.shares_by_minute AS
SELECT minute, campaign, lane, system, sum(seconds) AS seconds,
       sum(seconds) / nullif(sum(sum(seconds)) OVER (PARTITION BY minute, campaign, lane), 0) AS share
FROM ledger.delay_minutes JOIN ledger.phases USING (phase)
WHERE system <> 'clocks' GROUP BY minute, campaign, lane, system;

COMMENT ON VIEW audit.shares_by_minute IS 'How much of the time of the triggers received in each minute is charged to each system, late or not. Clocks take no time, and are left out.';
COMMENT ON COLUMN audit.shares_by_minute.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN audit.shares_by_minute.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN audit.shares_by_minute.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN audit.shares_by_minute.system IS 'Who is charged.';
COMMENT ON COLUMN audit.shares_by_minute.seconds IS 'Seconds of all phases of that system, of all triggers together.';
COMMENT ON COLUMN audit.shares_by_minute.share IS 'Its part of all systems'' seconds in the minute.';

-- The one engine of percentiles over more than one minute. A phase that took nobody any time has no row in a minute: those
-- triggers count as zeros, unless the phase may be unknown.
CREATE FUNCTION audit.delay_percentiles(
    since timestamptz, until timestamptz, of_campaign text DEFAULT NULL, together boolean DEFAULT false,
    step interval DEFAULT NULL, of_phase text DEFAULT NULL
) RETURNS TABLE (campaign text, lane text, phase text, system text, triggers bigint, late bigint,
                 seconds double precision, p50 double precision, p95 double precision, p99 double precision,
                 longest double precision, at timestamptz)
    LANGUAGE sql STABLE
    SECURITY DEFINER -- auditors have no right on the tables
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH hours AS MATERIALIZED (
        SELECT DISTINCT h.hour FROM ledger.delay_hours h
        WHERE step IS NULL AND h.hour >= since AND h.hour <= until - interval '1 hour'
    ), parts AS MATERIALIZED ( -- whole hours where there are, minutes for the rest
        SELECT '-infinity'::timestamptz AS at, CASE WHEN together THEN '' ELSE h.campaign END AS campaign,
               CASE WHEN together THEN '' ELSE h.lane END AS lane, h.phase, h.triggers, h.late, h.seconds, h.longest,
               h.buckets, h.counts
        FROM ledger.delay_hours h
        WHERE h.hour IN (SELECT hour FROM hours) AND (of_campaign IS NULL OR h.campaign = of_campaign)
          AND (of_phase IS NULL OR h.phase = of_phase)
        UNION ALL
        SELECT coalesce(date_bin(step, d.minute, '2000-01-01 00:00+00'), '-infinity'),
               CASE WHEN together THEN '' ELSE d.campaign END, CASE WHEN together THEN '' ELSE d.lane END, d.phase,
               d.triggers, d.late, d.seconds, d.longest, d.buckets, d.counts::bigint[]
        FROM ledger.delay_minutes d
        WHERE d.minute >= since AND d.minute < until AND date_trunc('hour', d.minute) NOT IN (SELECT hour FROM hours)
          AND (of_campaign IS NULL OR d.campaign = of_campaign) AND (of_phase IS NULL OR d.phase = of_phase)
    ), received AS (
        SELECT coalesce(date_bin(step, m.minute, '2000-01-01 00:00+00'), '-infinity') AS at,
               CASE WHEN together THEN '' ELSE m.campaign END AS campaign, CASE WHEN together THEN '' ELSE m.lane END AS lane,
               sum(m.triggers) AS triggers
        FROM ledger.trigger_minutes m
        WHERE m.minute >= since AND m.minute < until AND (of_campaign IS NULL OR m.campaign = of_campaign)
        GROUP BY 1, 2, 3
    ), summed AS (
        SELECT m.at, m.campaign, m.lane, m.phase, sum(m.triggers) AS known, sum(m.late) AS late, sum(m.seconds) AS seconds,
               max(m.longest) AS longest, sum(n.nonzero) AS nonzero
        FROM parts m CROSS JOIN LATERAL (SELECT sum(c) AS nonzero FROM unnest(m.counts) AS c) AS n
        GROUP BY 1, 2, 3, 4
    ), sums AS (
        SELECT s.*, p.system, p.position, CASE WHEN p.always_known THEN greatest(r.triggers, s.known) ELSE s.known END AS triggers
        FROM summed s LEFT JOIN received r USING (at, campaign, lane) LEFT JOIN ledger.phases p USING (phase)
    ), buckets AS (
        SELECT m.at, m.campaign, m.lane, m.phase, b.bucket, sum(b.n) AS n
        FROM parts m CROSS JOIN LATERAL unnest(m.buckets, m.counts) AS b (bucket, n)
        GROUP BY 1, 2, 3, 4, 5
    ), reached AS (
        SELECT at, campaign, lane, phase, bucket, s.triggers,
               s.triggers - s.nonzero + sum(n) OVER (PARTITION BY at, campaign, lane, phase ORDER BY bucket) AS upto
        FROM buckets JOIN sums s USING (at, campaign, lane, phase)
    ), percentiles AS (
        SELECT at, campaign, lane, phase,
               min(bucket) FILTER (WHERE upto >= 0.5 * triggers) AS b50,
               min(bucket) FILTER (WHERE upto >= 0.95 * triggers) AS b95,
               min(bucket) FILTER (WHERE upto >= 0.99 * triggers) AS b99
        FROM reached GROUP BY 1, 2, 3, 4
    )
    SELECT nullif(s.campaign, ''), nullif(s.lane, ''), s.phase, s.system, s.triggers, s.late, s.seconds,
           CASE WHEN z.zeros >= 0.5 * s.triggers THEN 0 ELSE least(ledger.middle(b.b50), s.longest) END,
           CASE WHEN z.zeros >= 0.95 * s.triggers THEN 0 ELSE least(ledger.middle(b.b95), s.longest) END,
           CASE WHEN z.zeros >= 0.99 * s.triggers THEN 0 ELSE least(ledger.middle(b.b99), s.longest) END,
           CASE WHEN z.zeros > 0 THEN greatest(s.longest, 0) ELSE s.longest END, nullif(s.at, '-infinity')
    FROM sums s JOIN percentiles b USING (at, campaign, lane, phase)
    CROSS JOIN LATERAL (SELECT s.triggers - s.nonzero AS zeros) AS z
    ORDER BY s.at, s.campaign, s.lane, s.position;
END;

-- How many were late on a day, and whose fault: triggers are counted by audit.delays.system, which is one for each, so
-- they sum to all that were received; seconds are counted by the system that they are charged to, each once.
CREATE FUNCTION audit.lateness(of_day date, time_zone text DEFAULT 'UTC', of_campaign text DEFAULT NULL)
    RETURNS TABLE (late boolean, system text, triggers bigint, share double precision, also bigint, seconds double precision)
    LANGUAGE sql STABLE
    SECURITY DEFINER -- auditors have no right on the tables
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH minutes AS (
        SELECT m.systems, m.blamed FROM ledger.trigger_minutes m
        WHERE m.minute >= of_day::timestamp AT TIME ZONE time_zone
          AND m.minute < (of_day + 1)::timestamp AT TIME ZONE time_zone
          AND (of_campaign IS NULL OR m.campaign = of_campaign)
    ), blamed AS (
        SELECT b.key AS system, sum(b.value::bigint) AS triggers
        FROM minutes m CROSS JOIN LATERAL jsonb_each_text(m.blamed) AS b GROUP BY b.key
    ), charged AS (
        SELECT c.key AS system, sum((c.value ->> 'triggers')::bigint) AS triggers, sum((c.value ->> 'seconds')::float8) AS seconds
        FROM minutes m CROSS JOIN LATERAL jsonb_each(m.systems) AS c GROUP BY c.key
    )
    SELECT s.late, system, coalesce(b.triggers, 0)::bigint,
           coalesce(b.triggers, 0)::float8 / nullif(sum(b.triggers) OVER (), 0)::float8,
           (coalesce(c.triggers, 0) - coalesce(b.triggers, 0))::bigint, CASE WHEN s.late THEN c.seconds END
    FROM blamed b FULL JOIN charged c USING (system)
    CROSS JOIN LATERAL (SELECT system NOT IN ('none', 'not-yet-known', 'clocks') AS late) AS s
    ORDER BY 1 DESC, 3 DESC, 2;
END;

COMMENT ON FUNCTION audit.lateness IS 'How many triggers received on a day of a time zone were late, and whose fault it was: triggers sum to all that were received, each counted once, with the system that holds most of its delay; also is how many more were late by that system for a smaller part; seconds is all delay charged to it.';

COMMENT ON VIEW audit.trigger_minutes IS 'The triggers received in each minute, by campaign and lane: how many, what became of them, whose fault it was.';
COMMENT ON COLUMN audit.trigger_minutes.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN audit.trigger_minutes.computed_at IS 'When this row was computed.';
COMMENT ON COLUMN audit.trigger_minutes.triggers IS 'Triggers received.';
COMMENT ON COLUMN audit.trigger_minutes.sending IS 'Of them: under way.';
COMMENT ON COLUMN audit.trigger_minutes.accepted IS 'Of them: accepted.';
COMMENT ON COLUMN audit.trigger_minutes.rejected IS 'Of them: rejected.';
COMMENT ON COLUMN audit.trigger_minutes.expired IS 'Of them: expired.';
COMMENT ON COLUMN audit.trigger_minutes.unconfirmed IS 'Of them: unconfirmed.';
COMMENT ON COLUMN audit.trigger_minutes.parked IS 'Of them: parked.';
COMMENT ON COLUMN audit.trigger_minutes.possible_duplicates IS 'Of them: their recipients may have got the message twice.';
COMMENT ON COLUMN audit.trigger_minutes.attempts IS 'Their HTTP calls, of all rounds.';
COMMENT ON COLUMN audit.trigger_minutes.departed IS 'Of them: reported as departed from Journey Optimizer.';
COMMENT ON COLUMN audit.trigger_minutes.delivered IS 'Of them: reported as delivered.';
COMMENT ON COLUMN audit.trigger_minutes.failed IS 'Of them: reported as failed after acceptance.';
COMMENT ON COLUMN audit.trigger_minutes.clock_skew IS 'Of them: two machines'' clocks disagree.';
COMMENT ON COLUMN audit.trigger_minutes.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN audit.trigger_minutes.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN audit.trigger_minutes.systems IS 'By guilty system (or none, or not-yet-known): {"triggers": how many, "seconds": their delay}.';
COMMENT ON COLUMN audit.trigger_minutes.blamed IS 'How many triggers by the one system that holds most of their delay (or none, clocks, not-yet-known): each is counted once.';
COMMENT ON COLUMN audit.trigger_minutes.worst IS 'The ten slowest triggers, slowest first.';
COMMENT ON COLUMN audit.trigger_minutes.worst_seconds IS 'How long each of them took.';

COMMENT ON VIEW audit.delay_by_minute IS 'How long each phase took for the triggers received in each minute, by campaign and lane. A phase that took no time at all has no row.';
COMMENT ON COLUMN audit.delay_by_minute.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN audit.delay_by_minute.triggers IS 'Triggers of which the phase is known.';
COMMENT ON COLUMN audit.delay_by_minute.late IS 'Of them: above the service level.';
COMMENT ON COLUMN audit.delay_by_minute.seconds IS 'Sum of their seconds.';
COMMENT ON COLUMN audit.delay_by_minute.p50 IS 'Median, in seconds.';
COMMENT ON COLUMN audit.delay_by_minute.p95 IS '95th percentile, in seconds.';
COMMENT ON COLUMN audit.delay_by_minute.p99 IS '99th percentile, in seconds.';
COMMENT ON COLUMN audit.delay_by_minute.longest IS 'The longest, in seconds.';
COMMENT ON COLUMN audit.delay_by_minute.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN audit.delay_by_minute.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN audit.delay_by_minute.phase IS 'Name of the phase, as in audit.phases; or residual, total, end-to-end, or budget (what was used of it).';
COMMENT ON COLUMN audit.delay_by_minute.system IS 'The system that the phase is charged to; null for residual, total, end-to-end and budget.';

COMMENT ON FUNCTION audit.delay_percentiles IS 'Percentiles by phase of any while, of one campaign or all: by campaign and lane, or of all together; of the whole while, or by steps of it, which begin at. From histograms, within 5 %.';
