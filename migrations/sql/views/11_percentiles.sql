CREATE OR REPLACE VIEW audit.trigger_minutes AS SELECT * FROM ledger.trigger_minutes;

CREATE OR REPLACE VIEW audit.rollup_failures AS SELECT * FROM ledger.rollup_failures;

COMMENT ON VIEW audit.rollup_failures IS
    'One row for each minute that couldn''t be rolled up: reports lack its triggers. Tried again every 5 minutes.';
SELECT ledger.describe_like('audit.rollup_failures', 'ledger.rollup_failures');

CREATE OR REPLACE VIEW audit.delay_by_minute AS
SELECT d.minute, d.campaign, d.lane, d.phase, p.system, d.triggers, d.late, d.seconds, d.p50, d.p95, d.p99, d.longest
FROM ledger.delay_minutes d LEFT JOIN audit.phases p USING (phase);

CREATE OR REPLACE VIEW audit.shares_by_minute AS
SELECT minute, campaign, lane, system, sum(seconds) AS seconds,
       sum(seconds) / nullif(sum(sum(seconds)) OVER (PARTITION BY minute, campaign, lane), 0) AS share
FROM ledger.delay_minutes JOIN ledger.phases USING (phase)
WHERE system <> 'clocks' GROUP BY minute, campaign, lane, system;

COMMENT ON VIEW audit.shares_by_minute IS
    'How much of the time of the triggers received in each minute is charged to each system, late or not. Clocks take '
    'no time, and are left out.';
SELECT ledger.describe_like('audit.shares_by_minute', 'ledger.delay_minutes');
COMMENT ON COLUMN audit.shares_by_minute.system IS 'Who is charged.';
COMMENT ON COLUMN audit.shares_by_minute.seconds IS 'Seconds of all phases of that system, of all triggers together.';
COMMENT ON COLUMN audit.shares_by_minute.share IS 'Its part of all systems'' seconds in the minute.';

-- The one engine of percentiles over more than one minute. A phase that took nobody any time has no row in a minute:
-- those triggers count as zeros, unless the phase may be unknown.
CREATE OR REPLACE FUNCTION audit.delay_percentiles(
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
        WHERE d.minute >= since AND d.minute < until
          AND date_trunc('hour', d.minute, 'UTC') NOT IN (SELECT hour FROM hours)
          AND (of_campaign IS NULL OR d.campaign = of_campaign) AND (of_phase IS NULL OR d.phase = of_phase)
    ), received AS (
        SELECT coalesce(date_bin(step, m.minute, '2000-01-01 00:00+00'), '-infinity') AS at,
               CASE WHEN together THEN '' ELSE m.campaign END AS campaign,
               CASE WHEN together THEN '' ELSE m.lane END AS lane,
               sum(m.triggers) AS triggers
        FROM ledger.trigger_minutes m
        WHERE m.minute >= since AND m.minute < until AND (of_campaign IS NULL OR m.campaign = of_campaign)
        GROUP BY 1, 2, 3
    ), summed AS (
        SELECT m.at, m.campaign, m.lane, m.phase, sum(m.triggers) AS known, sum(m.late) AS late,
               sum(m.seconds) AS seconds,
               max(m.longest) AS longest, sum(n.nonzero) AS nonzero
        FROM parts m CROSS JOIN LATERAL (SELECT sum(c) AS nonzero FROM unnest(m.counts) AS c) AS n
        GROUP BY 1, 2, 3, 4
    ), sums AS (
        SELECT s.*, p.system, p.position,
               CASE WHEN p.always_known THEN greatest(r.triggers, s.known) ELSE s.known END AS triggers
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
CREATE OR REPLACE FUNCTION audit.lateness(of_day date, time_zone text DEFAULT 'UTC', of_campaign text DEFAULT NULL)
    RETURNS TABLE (late boolean, system text, triggers bigint, share double precision, also bigint,
        seconds double precision)
    LANGUAGE sql STABLE
    SECURITY DEFINER -- auditors have no right on the tables
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH minutes AS (
        SELECT m.systems, m.blamed FROM ledger.trigger_minutes m
        -- A midnight that comes twice (the Azores, Cuba) is to begin its day the first time: an hour after 23:00.
        WHERE m.minute >= (of_day::timestamp - interval '1 hour') AT TIME ZONE time_zone + interval '1 hour'
          AND m.minute < ((of_day + 1)::timestamp - interval '1 hour') AT TIME ZONE time_zone + interval '1 hour'
          AND (of_campaign IS NULL OR m.campaign = of_campaign)
    ), blamed AS (
        SELECT b.key AS system, sum(b.value::bigint) AS triggers
        FROM minutes m CROSS JOIN LATERAL jsonb_each_text(m.blamed) AS b GROUP BY b.key
    ), charged AS (
        SELECT c.key AS system, sum((c.value ->> 'triggers')::bigint) AS triggers,
               sum((c.value ->> 'seconds')::float8) AS seconds
        FROM minutes m CROSS JOIN LATERAL jsonb_each(m.systems) AS c GROUP BY c.key
    )
    SELECT s.late, system, coalesce(b.triggers, 0)::bigint,
           coalesce(b.triggers, 0)::float8 / nullif(sum(b.triggers) OVER (), 0)::float8,
           (coalesce(c.triggers, 0) - coalesce(b.triggers, 0))::bigint, CASE WHEN s.late THEN c.seconds END
    FROM blamed b FULL JOIN charged c USING (system)
    CROSS JOIN LATERAL (SELECT system NOT IN ('none', 'not-yet-known', 'clocks') AS late) AS s
    ORDER BY 1 DESC, 3 DESC, 2;
END;

COMMENT ON FUNCTION audit.lateness IS
    'How many triggers received on a day of a time zone were late, and whose fault it was: triggers sum to all that '
    'were received, each counted once, with the system that holds most of its delay; also is how many more were late '
    'by that system for a smaller part; seconds is all delay charged to it.';
COMMENT ON VIEW audit.trigger_minutes IS
    'The triggers received in each minute, by campaign and lane: how many, what became of them, whose fault it was.';
SELECT ledger.describe_like('audit.trigger_minutes', 'ledger.trigger_minutes');
COMMENT ON VIEW audit.delay_by_minute IS
    'How long each phase took for the triggers received in each minute, by campaign and lane. A phase that took no '
    'time at all has no row.';
SELECT ledger.describe_like('audit.delay_by_minute', 'ledger.delay_minutes');
COMMENT ON COLUMN audit.delay_by_minute.system IS
    'The system that the phase is charged to; null for residual, total, end-to-end and budget.';
COMMENT ON FUNCTION audit.delay_percentiles IS
    'Percentiles by phase of any while, of one campaign or all: by campaign and lane, or of all together; of the '
    'whole while, or by steps of it, which begin at. From histograms, within 5 %.';
