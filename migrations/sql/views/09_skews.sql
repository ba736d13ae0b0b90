-- Rolled up by the minute of received_at: what a day's questions read instead of ten million triggers. A minute is
-- computed whole, again and again while it can change; so it can never drift from what it sums up.

-- Whose clock is behind? A queue is first in, first out: what was published later can't come out earlier. Where a
-- producer's triggers are overtaken by others' that say they were published later, its clock is behind theirs. Its
-- least wait in the queue is then no wait at all, but its skew. A negative wait proves the opposite without any help.
CREATE OR REPLACE FUNCTION ledger.find_skews(of_minute timestamptz) RETURNS void
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
