-- The newest definition of each campaign; limits are those of the worker that started last.
CREATE OR REPLACE VIEW audit.rate_limits AS
WITH newest AS (
    SELECT * FROM ledger.workers w WHERE ledger.lives(w) ORDER BY started_at DESC LIMIT 1
), lanes AS (
    SELECT l.key AS lane, l.value::float8 AS rate_limit, n.rate_recovery_seconds, n.ramp_rate, n.ramp_doubling_seconds
    FROM newest n CROSS JOIN LATERAL jsonb_each_text(n.rate_limits) AS l
)
SELECT lane, NULL::text AS campaign, rate_limit, rate_recovery_seconds, ramp_rate, ramp_doubling_seconds FROM lanes
UNION ALL
SELECT g.lane, g.name, coalesce(g.own, l.rate_limit), l.rate_recovery_seconds, l.ramp_rate, l.ramp_doubling_seconds
FROM (SELECT DISTINCT ON (name) name, lane, (definition ->> 'rate_limit')::float8 AS own
      FROM ledger.campaigns ORDER BY name, last_loaded_at DESC) AS g
JOIN lanes l USING (lane);

COMMENT ON VIEW audit.rate_limits IS
    'The rate limit of each lane and campaign as the newest living worker has it; none without a living worker.';
SELECT ledger.describe_like('audit.rate_limits', 'ledger.workers');
COMMENT ON COLUMN audit.rate_limits.lane IS 'The lane.';
COMMENT ON COLUMN audit.rate_limits.campaign IS 'The campaign; null for the lane.';
COMMENT ON COLUMN audit.rate_limits.rate_limit IS 'Calls a second of all workers together, as configured.';

CREATE OR REPLACE VIEW audit.slow_rates AS
WITH named AS (
    SELECT c.*, CASE WHEN c.scope LIKE 'destination:%' THEN split_part(substr(c.scope, 13), '@', 1) END AS its_lane,
           CASE WHEN c.scope LIKE 'campaign:%' THEN substr(c.scope, 10) END AS its_campaign
    FROM ledger.circuits c WHERE c.state <> 'closed'
), found (scope, lane, campaign, cause, reason, since, until, newest_at, share, rate_limit) AS (
    SELECT r.scope, l.lane, l.campaign, 'throttle', '429', coalesce(r.slowed_since, r.slowed_at), NULL::timestamptz,
           r.slowed_at, k.share, l.rate_limit
    FROM ledger.rate_limits r JOIN audit.rate_limits l ON r.scope = 'campaign:' || l.campaign
    CROSS JOIN LATERAL (
        SELECT r.share + greatest(extract(epoch FROM now() - r.slowed_at)::float8, 0) / l.rate_recovery_seconds AS share
    ) AS k
    WHERE r.slowed_at IS NOT NULL AND k.share < 1
    UNION ALL
    SELECT n.scope, l.lane, l.campaign, 'ramp', o.reason, n.changed_at, NULL, NULL, k.share, l.rate_limit
    FROM named n JOIN audit.rate_limits l
      ON (l.campaign IS NULL AND l.lane = n.its_lane) OR l.campaign = n.its_campaign
    LEFT JOIN ledger.outages o USING (outage_id)
    CROSS JOIN LATERAL (
        SELECT l.ramp_rate * power(2, least(greatest(extract(epoch FROM now() - n.changed_at)::float8, 0)
                                            / l.ramp_doubling_seconds, 64)) / l.rate_limit AS share
    ) AS k
    WHERE n.state = 'recovering' AND k.share < 1
    UNION ALL
    SELECT s.scope, s.lane, NULL, 'silence', 'no answer', min(s.began_at), NULL, NULL,
           CASE WHEN count(*) >= min(w.living) THEN least(count(*) / max(l.rate_limit), 1) END, max(l.rate_limit)
    FROM audit.silences s
    LEFT JOIN audit.rate_limits l ON l.campaign IS NULL AND l.lane = s.lane
    CROSS JOIN LATERAL (
        SELECT count(*) AS living FROM ledger.workers w WHERE ledger.lives(w) AND s.lane = ANY(w.lanes)
    ) AS w
    WHERE s.lasts GROUP BY s.scope, s.lane
    UNION ALL
    SELECT n.scope, coalesce(n.its_lane, l.lane), n.its_campaign,
           CASE n.state WHEN 'held' THEN 'held' ELSE 'outage' END,
           o.reason, coalesce(o.opened_at, n.changed_at), o.held_until, NULL, 0, coalesce(l.rate_limit, d.rate_limit)
    FROM named n LEFT JOIN ledger.outages o USING (outage_id)
    LEFT JOIN audit.rate_limits l ON l.campaign = n.its_campaign
    LEFT JOIN audit.rate_limits d ON d.campaign IS NULL AND d.lane = n.its_lane
    WHERE n.state IN ('open', 'held')
)
SELECT scope, lane, campaign, cause, reason, since, until, newest_at, share, share * rate_limit AS calls_per_second,
       rate_limit
FROM found;

COMMENT ON VIEW audit.slow_rates IS
    'One row for whatever slows a lane or a campaign now, or keeps it back; none if nothing does.';
COMMENT ON COLUMN audit.slow_rates.scope IS
    'What is slowed: campaign:NAME, destination:LANE@HOST, or token:HOST, which is everything.';
COMMENT ON COLUMN audit.slow_rates.lane IS 'The lane; null for all lanes.';
COMMENT ON COLUMN audit.slow_rates.campaign IS 'The campaign; null for the whole lane.';
COMMENT ON COLUMN audit.slow_rates.cause IS
    'throttle (answers 429), ramp (the way back after an outage), silence (nothing is answered), outage, or held (by '
    'an operator).';
COMMENT ON COLUMN audit.slow_rates.reason IS 'More about it: the reason of the outage.';
COMMENT ON COLUMN audit.slow_rates.since IS
    'Since when: of a throttle since the first 429 after it had been at its full rate.';
COMMENT ON COLUMN audit.slow_rates.until IS 'When an operator''s hold ends by itself; null if that is not known.';
COMMENT ON COLUMN audit.slow_rates.newest_at IS 'When a 429 slowed it last; null for other causes.';
COMMENT ON COLUMN audit.slow_rates.share IS 'Which part (0 to 1) of its rate is left; null if that is not known.';
COMMENT ON COLUMN audit.slow_rates.calls_per_second IS 'The rate that is left: calls a second of all workers together.';
COMMENT ON COLUMN audit.slow_rates.rate_limit IS 'The rate as it is configured.';

CREATE OR REPLACE VIEW audit.waiting AS
WITH hands AS (
    SELECT lane.key AS lane, campaign.key AS campaign, sum(campaign.value::bigint)::bigint AS waiting
    FROM ledger.workers w CROSS JOIN LATERAL jsonb_each(w.waiting) AS lane
    CROSS JOIN LATERAL jsonb_each_text(lane.value) AS campaign
    WHERE ledger.lives(w) GROUP BY 1, 2
), parked AS (
    SELECT coalesce(l.lane, '(unknown)') AS lane, coalesce(l.campaign, '(unknown)') AS campaign,
           sum(p.parked)::bigint AS parked
    FROM (SELECT campaign, count(*) AS parked FROM ledger.held_payloads WHERE resume_at IS NOT NULL GROUP BY 1) AS p
    LEFT JOIN (SELECT DISTINCT ON (name) name AS campaign, lane FROM ledger.campaigns
               ORDER BY name, last_loaded_at DESC) AS l ON l.campaign = p.campaign
    GROUP BY 1, 2
)
SELECT lane, campaign, coalesce(waiting, 0) AS waiting, coalesce(parked, 0) AS parked
FROM hands FULL JOIN parked USING (lane, campaign);

COMMENT ON VIEW audit.waiting IS
    'One row for each campaign of which triggers wait now, with a worker or parked. What waits in the broker is in '
    'audit.queues.';
COMMENT ON COLUMN audit.waiting.lane IS 'Its lane; (unknown) where no worker ever had a definition of it.';
COMMENT ON COLUMN audit.waiting.campaign IS
    'Name of the campaign; (unknown), for all of them, where no worker ever had a definition of it: its name came '
    'with a message.';
COMMENT ON COLUMN audit.waiting.waiting IS
    'Triggers that living workers have in hand, and none of whose calls is under way: for their turn, or their '
    'back-off.';
COMMENT ON COLUMN audit.waiting.parked IS 'Parked triggers.';

CREATE OR REPLACE VIEW audit.queues AS
SELECT q.queue, q.lane, q.looked_at, q.messages, coalesce(u.unopened, 0) AS unopened, b.messages AS minute_ago,
       (SELECT count(*) FROM ledger.workers w WHERE ledger.lives(w) AND q.lane = ANY(w.lanes)) AS workers
FROM ledger.queues q
LEFT JOIN (
    SELECT u.key AS queue, sum(u.value::bigint)::bigint AS unopened
    FROM ledger.workers w CROSS JOIN LATERAL jsonb_each_text(w.unopened) AS u WHERE ledger.lives(w) GROUP BY 1
) AS u USING (queue)
LEFT JOIN LATERAL (
    SELECT looked_at, messages + unopened AS messages FROM ledger.backlogs
    WHERE queue = q.queue
      AND looked_at BETWEEN q.looked_at - interval '7 minutes' AND q.looked_at - interval '55 seconds'
    ORDER BY looked_at DESC LIMIT 1
) AS b ON b.messages = 0 OR b.looked_at > q.looked_at - interval '2 minutes' -- what stays empty has few rows
WHERE q.looked_at > now() - interval '7 days';

COMMENT ON VIEW audit.queues IS
    'One row for each queue: how many messages wait in it, as a worker saw it last. How many triggers a message has, '
    'only who opens it knows.';
SELECT ledger.describe_like('audit.queues', 'ledger.queues');
COMMENT ON COLUMN audit.queues.looked_at IS 'When a worker last looked: every ten seconds, while any lives.';
COMMENT ON COLUMN audit.queues.messages IS 'Messages that waited in the broker then.';
COMMENT ON COLUMN audit.queues.unopened IS 'Messages that living workers have taken, and not yet opened.';
COMMENT ON COLUMN audit.queues.minute_ago IS 'Both of them a minute before; null if nobody looked then.';
COMMENT ON COLUMN audit.queues.workers IS 'Living workers that consume its lane.';

CREATE OR REPLACE VIEW audit.backlogs AS SELECT looked_at, queue, lane, messages, unopened FROM ledger.backlogs;

COMMENT ON VIEW audit.backlogs IS
    'How many messages waited in each queue, and when: every ten seconds while any did, every five minutes while none '
    'did. No row for longer: no worker looked.';
SELECT ledger.describe_like('audit.backlogs', 'ledger.backlogs');
COMMENT ON COLUMN audit.backlogs.looked_at IS 'When a worker looked.';

CREATE OR REPLACE VIEW audit.rates AS
SELECT looked_at, nullif(lane, '') AS lane, nullif(campaign, '') AS campaign, nullif(cause, '') AS cause,
       nullif(scope, '') AS scope, since, share, calls_per_second, rate_limit, waiting, parked
FROM ledger.rates;

COMMENT ON VIEW audit.rates IS
    'Every ten seconds one row for each lane or campaign that was slowed or kept back then, and for each campaign of '
    'which triggers waited. No row, while audit.backlogs has some: none was, and none did.';
SELECT ledger.describe_like('audit.rates', 'ledger.rates');
COMMENT ON COLUMN audit.rates.lane IS 'The lane; null for all lanes.';
COMMENT ON COLUMN audit.rates.campaign IS 'The campaign; null for the whole lane.';
COMMENT ON COLUMN audit.rates.cause IS
    'What slowed it: throttle, ramp, silence, outage or held, as in audit.slow_rates; null if nothing did.';
COMMENT ON COLUMN audit.rates.scope IS 'What was slowed: campaign:NAME, destination:LANE@HOST or token:HOST.';
COMMENT ON COLUMN audit.rates.since IS 'Since when.';
COMMENT ON COLUMN audit.rates.share IS 'Which part (0 to 1) of its rate was left.';
COMMENT ON COLUMN audit.rates.calls_per_second IS 'The rate that was left: calls a second of all workers together.';
COMMENT ON COLUMN audit.rates.rate_limit IS 'The rate as it was configured.';
COMMENT ON COLUMN audit.rates.waiting IS
    'Its triggers that living workers had in hand, and none of whose calls was under way.';
