-- A view, since functions in it read with the rights of whoever asks: auditors have none on the tables.
CREATE OR REPLACE VIEW ledger.half_a_budget AS
SELECT 0.5 * make_interval(secs => coalesce(
           max(budget_seconds) FILTER (WHERE ledger.lives(w)), max(budget_seconds), 60)) AS half
FROM ledger.workers w;

COMMENT ON VIEW ledger.half_a_budget IS
    'Half of the budget that living workers give a round; without one, of the longest that any has given.';
COMMENT ON COLUMN ledger.half_a_budget.half IS 'That half.';

CREATE OR REPLACE FUNCTION ledger.burnt(t ledger.triggers, half_a_budget interval) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN t.completed_at >= now() - interval '5 minutes' AND (
        t.state IN ('expired', 'unconfirmed') OR t.completed_at - t.first_dispatched_at > half_a_budget);

COMMENT ON FUNCTION ledger.burnt IS
    'Whether a trigger ended within the last 5 minutes, and took above half a budget from its first dispatch, or ended '
    'expired or unconfirmed.';

-- The triggers of the last hour are read once. A lane's resumed triggers may be older: their payloads are held, and
-- lead to them. A campaign that no worker ever had a definition of is (unknown): its name came with a message.
CREATE OR REPLACE VIEW audit.alert_measures AS
WITH known AS MATERIALIZED (
    SELECT DISTINCT name FROM ledger.campaigns
), hour AS MATERIALIZED (
    SELECT lane, campaign, count(*) AS triggers,
           count(*) FILTER (WHERE state = 'sending') AS sending,
           min(coalesce(first_dispatched_at, round_opened_at, received_at))
               FILTER (WHERE state = 'sending') AS sending_since,
           count(*) FILTER (WHERE completed_at >= now() - interval '5 minutes') AS ended,
           count(*) FILTER (WHERE ledger.burnt(t, (SELECT half FROM ledger.half_a_budget))) AS burnt
    FROM ledger.triggers t
    WHERE received_at >= now() - interval '1 hour'
    GROUP BY lane, campaign
), kept AS MATERIALIZED ( -- what has had an alert of its own, and comes all at once when that is over
    SELECT lane, campaign, during FROM audit.standstills
    WHERE kind IN ('outage', 'paused', 'held', 'proxy', 'silence') AND (lane IS NOT NULL OR campaign IS NOT NULL)
), burnt AS MATERIALIZED (
    SELECT t.lane, t.campaign, t.completed_at,
           a.throttled OR coalesce(t.waited_in_vain ? 'throttle_wait_seconds', false) AS throttled
    FROM ledger.triggers t CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(http_status = 429 OR throttle_wait_seconds > 1), false) AS throttled
        FROM ledger.attempts WHERE request_id = t.request_id AND round = t.round
    ) AS a
    WHERE (SELECT sum(burnt) > 0 FROM hour) AND received_at >= now() - interval '1 hour'
      AND ledger.burnt(t, (SELECT half FROM ledger.half_a_budget))
      AND NOT EXISTS (
          SELECT FROM kept k WHERE (k.lane = t.lane OR k.campaign = t.campaign) AND k.during && tstzrange(
              least(coalesce(t.first_dispatched_at, t.round_opened_at, t.received_at), t.completed_at),
              t.completed_at, '[]'))
), spent AS (
    SELECT h.lane, h.campaign, h.ended, count(b.*) FILTER (WHERE NOT b.throttled) AS burnt,
           count(b.*) FILTER (WHERE b.throttled) AS throttled,
           min(b.completed_at) FILTER (WHERE NOT b.throttled) AS since
    FROM hour h LEFT JOIN burnt b USING (lane, campaign) WHERE h.ended > 0 GROUP BY 1, 2, 3
), failing AS ( -- what these refused before they were paused is their fault too
    SELECT substr(scope, 10) AS campaign, evidence ->> 'rejected' AS reason FROM ledger.outages
    WHERE reason = 'campaign-failing' AND coalesce(ended_at, 'infinity') > now() - interval '1 hour'
), volumes AS (
    SELECT coalesce(k.name, '(unknown)') AS campaign, sum(triggers) AS triggers
    FROM hour LEFT JOIN known k ON k.name = hour.campaign GROUP BY 1
), sending AS (
    SELECT lane, sending_since AS since FROM hour
    UNION ALL
    SELECT t.lane, coalesce(t.first_dispatched_at, t.round_opened_at)
    FROM ledger.held_payloads h
    CROSS JOIN LATERAL (SELECT * FROM ledger.triggers WHERE request_id = h.request_id OFFSET 0) AS t
    WHERE h.resumed_by IS NOT NULL AND t.state = 'sending'
), parked AS MATERIALIZED (
    SELECT coalesce(k.name, '(unknown)') AS campaign, count(*) AS triggers, min(greatest(held_at, resume_at)) AS since
    FROM ledger.held_payloads h LEFT JOIN known k ON k.name = h.campaign
    WHERE resume_at IS NOT NULL GROUP BY 1
), held AS ( -- by an operator, who has said so: they have an alert of their own
    SELECT name AS campaign FROM ledger.campaigns g JOIN ledger.circuits c ON c.state = 'held' AND (
        c.scope = 'campaign:' || g.name OR c.scope LIKE 'destination:' || g.lane || '@%' OR c.scope LIKE 'token:%')
), undefined AS ( -- as have these
    SELECT coalesce(k.name, '(unknown)') AS campaign, sum(u.triggers) AS triggers, min(u.oldest) AS since
    FROM audit.unknown_definitions u LEFT JOIN known k ON k.name = u.campaign
    WHERE u.lasts AND u.triggers > 0 GROUP BY 1
), died AS MATERIALIZED (
    SELECT coalesce(k.name, '(unknown)') AS campaign, t.state = 'unconfirmed' AS unconfirmed,
           coalesce(t.reason, t.state) AS reason, count(*) AS letters, min(h.held_at) AS since
    FROM ledger.held_payloads h
    CROSS JOIN LATERAL (SELECT state, reason FROM ledger.triggers WHERE request_id = h.request_id OFFSET 0) AS t
    LEFT JOIN known k ON k.name = h.campaign
    WHERE h.held_at >= now() - interval '1 hour' AND ledger.is_dead(t.state)
    GROUP BY 1, 2, 3
), dead AS (
    SELECT d.campaign || '/' || d.reason AS scope, coalesce(f.blamed, d.reason) AS reason,
           f.blamed IS NOT NULL AS failing,
           d.letters, d.since,
           d.letters / greatest(v.triggers, d.letters)::float8 AS share,
           CASE d.campaign WHEN '(unknown)' THEN '' ELSE ' --campaign ' || d.campaign END
               || ' --reason ' || d.reason || ' --since 1h' AS options
    FROM died d LEFT JOIN volumes v USING (campaign)
    LEFT JOIN (
        SELECT DISTINCT campaign, reason, 'campaign-failing' AS blamed FROM failing
    ) AS f USING (campaign, reason)
    WHERE NOT d.unconfirmed
), unconfirmed AS (
    SELECT d.campaign, d.letters, d.since, d.letters / greatest(v.triggers, d.letters)::float8 AS share
    FROM (SELECT campaign, sum(letters) AS letters, min(since) AS since FROM died WHERE unconfirmed GROUP BY 1) AS d
    LEFT JOIN volumes v USING (campaign)
), shares (alert, scope, since, value, count, reason, summary) AS (
    SELECT 'budget-burn', lane, min(since), (sum(burnt) / sum(ended))::float8, sum(burnt)::bigint, NULL::text,
           format('%s of %s triggers that ended in the last 5 minutes took above half a budget, or failed; '
                  'first: ajo-dispatch delays --since 5m', sum(burnt), sum(ended))
    FROM spent GROUP BY lane
    UNION ALL
    SELECT 'dead-letters-share', scope, since, share, letters, reason,
           format('dead letters in the last hour: %s, which is %s %% of the campaign''s triggers; '
                  'first: ajo-dispatch dead list%s', letters, round(100 * share::numeric, 1), options)
    FROM dead WHERE NOT failing
    UNION ALL
    SELECT 'unconfirmed-share', campaign, since, share, letters, NULL,
           format('perhaps accepted, perhaps not, in the last hour: %s, which is %s %% of the campaign''s triggers; '
                  'first: ajo-dispatch dead list --state unconfirmed --since 1h',
                  letters, round(100 * share::numeric, 1))
    FROM unconfirmed
    UNION ALL
    SELECT 'throttled', s.campaign, s.since, extract(epoch FROM now() - s.since)::float8, coalesce(w.waiting, 0), NULL,
           format('429s slow it to %s of %s calls a second, %s triggers wait with workers; '
                  'first: ajo-dispatch outage list',
                  round(s.calls_per_second::numeric, 1), round(s.rate_limit::numeric, 1), coalesce(w.waiting, 0))
    FROM audit.slow_rates s LEFT JOIN audit.waiting w USING (campaign) WHERE s.cause = 'throttle'
    UNION ALL
    SELECT 'throttled-share', s.campaign, s.since, p.throttled / p.ended::float8, p.throttled, NULL,
           format('429s slow it to %s of %s calls a second, and kept %s of %s triggers that ended in the last '
                  '5 minutes '
                  'above half a budget, or failed them; first: ajo-dispatch outage list',
                  round(s.calls_per_second::numeric, 1), round(s.rate_limit::numeric, 1), p.throttled, p.ended)
    FROM audit.slow_rates s JOIN spent p USING (campaign) WHERE s.cause = 'throttle'
), paged AS ( -- what a page tells, no ticket repeats
    SELECT s.alert, s.scope FROM shares s JOIN ledger.alert_thresholds t USING (alert)
    WHERE s.value > t.threshold AND s.count >= coalesce(t.floor, 0)
), measured (alert, scope, since, value, reason, summary) AS (
    SELECT 'sending-age', lane, min(since), extract(epoch FROM now() - min(since))::float8, NULL::text,
           format('a trigger has been sending for %s s; first: ajo-dispatch status',
                  extract(epoch FROM now() - min(since))::int)
    FROM sending GROUP BY lane
    UNION ALL
    SELECT 'queue-age', lane, received_at, p95, NULL,
           format('1 in 20 triggers of the last 5 minutes waited %s s or longer for a worker; '
                  'first: ajo-dispatch delays --since 5m', p95::bigint)
    FROM (
        SELECT lane, min(received_at) AS received_at,
               percentile_cont(0.95) WITHIN GROUP
                   (ORDER BY extract(epoch FROM received_at - enqueued_at)::float8) AS p95
        FROM ledger.triggers LEFT JOIN (
            SELECT lane, range_agg(during) AS during FROM (
                SELECT lane, during FROM kept WHERE lane IS NOT NULL
                UNION ALL -- workers had all in hand that they may, since most of it waited for a rate that 429s slow
                SELECT lane.lane, tstzmultirange(tstzrange(f.began_at, f.ended_at, '[]'))
                FROM ledger.full_intakes f JOIN ledger.workers w ON w.worker_id = f.worker
                CROSS JOIN LATERAL unnest(CASE WHEN f.lane IS NULL THEN w.lanes ELSE ARRAY[f.lane] END) AS lane (lane)
                WHERE f.because = 'throttle' AND f.ended_at > now() - interval '1 hour'
            ) AS k GROUP BY lane
        ) AS s USING (lane)
        WHERE received_at >= now() - interval '5 minutes'
          AND NOT coalesce(s.during && tstzrange(enqueued_at, greatest(enqueued_at, received_at)), false)
        GROUP BY lane
    ) AS q
    UNION ALL
    SELECT 'outbox-age', coalesce(k.name, '(unknown)'), min(since), max(p95), NULL,
           format('1 in 20 triggers of the last 5 minutes had been in an outbox (of %s) for %s s or longer; '
                  'first: ajo-dispatch outbox status, at the producer', (array_agg(producer ORDER BY p95 DESC))[1],
                  max(p95)::bigint)
    FROM (
        SELECT campaign, producer, min(received_at) AS since,
               percentile_cont(0.95) WITHIN GROUP
                   (ORDER BY extract(epoch FROM enqueued_at - outbox_at)::float8) AS p95
        FROM ledger.triggers WHERE received_at >= now() - interval '5 minutes' AND outbox_at IS NOT NULL
        GROUP BY campaign, producer
    ) AS o LEFT JOIN known k ON k.name = o.campaign GROUP BY 2
    UNION ALL
    SELECT 'no-worker', NULL, w.at, coalesce(extract(epoch FROM now() - w.at)::float8, 'Infinity'), NULL,
           format('no worker is alive: %s sending, %s parked, and the broker holds what comes; '
                  'first: ajo-dispatch worker', coalesce(s.sending, 0), coalesce(p.parked, 0))
    FROM (SELECT max(ledger.last_sign(w)) AS at FROM ledger.workers w) AS w
    CROSS JOIN (SELECT sum(sending) AS sending FROM hour) AS s
    CROSS JOIN (SELECT sum(triggers) AS parked FROM parked) AS p
    UNION ALL
    SELECT 'dead-letters', scope, since, letters::float8, reason,
           format('dead letters in the last hour: %s, which is %s %% of the campaign''s triggers; '
                  'first: ajo-dispatch dead list%s', letters, round(100 * share::numeric, 1), options)
    FROM dead WHERE ('dead-letters-share', scope) NOT IN (SELECT alert, scope FROM paged)
    UNION ALL
    SELECT 'unconfirmed', campaign, since, letters::float8, NULL,
           format('perhaps accepted, perhaps not, in the last hour: %s; '
                  'first: ajo-dispatch dead list --state unconfirmed --since 1h', letters)
    FROM unconfirmed WHERE ('unconfirmed-share', campaign) NOT IN (SELECT alert, scope FROM paged)
    UNION ALL
    SELECT 'clock-step', campaign, min(since), sum(letters)::float8, NULL,
           format('ended without another attempt, since the database''s clock was set back: %s; '
                  'first: ajo-dispatch dead list --reason clock-step --since 1h', sum(letters))
    FROM died WHERE reason = 'clock-step' GROUP BY campaign
    UNION ALL
    SELECT 'database-clock', NULL, min(noticed_at), max(abs(seconds)), NULL,
           format('the database''s clock was set by %s s; first: synchronize it slowly (NTP), then ajo-dispatch doctor',
                  round((array_agg(seconds ORDER BY abs(seconds) DESC))[1]::numeric, 1))
    FROM ledger.clock_steps WHERE noticed_at BETWEEN now() - interval '1 hour' AND now()
    HAVING count(*) > 0
    UNION ALL
    SELECT 'rollup-failing', NULL, min(minute), count(*)::float8, NULL,
           format('minutes that reports lack, since they can''t be rolled up: %s (%s); '
                  'first: SELECT * FROM audit.rollup_failures',
                  count(*), (array_agg(fault ORDER BY failed_at DESC))[1])
    FROM ledger.rollup_failures
    HAVING count(*) > 0
    UNION ALL
    SELECT 'differing-copies', coalesce(k.name, '(unknown)'), min(d.first_seen_at), count(*)::float8, NULL,
           format('one key for two messages in the last hour: %s, of which only the first is sent; '
                  'first: ajo-dispatch status %s', count(*), (array_agg(d.request_id ORDER BY d.last_seen_at DESC))[1])
    FROM ledger.differing_copies d LEFT JOIN known k ON k.name = d.campaign
    WHERE d.last_seen_at >= now() - interval '1 hour' GROUP BY 2
    UNION ALL
    SELECT 'excluded', x.campaign || coalesce('/' || x.reason, ''), min(x.received_at),
           count(DISTINCT x.request_id)::float8, NULL,
           format('accepted, then excluded by Journey Optimizer, told of in the last hour: %s; '
                  'first: ajo-dispatch status %s',
                  count(DISTINCT x.request_id), (array_agg(x.request_id ORDER BY x.received_at DESC))[1])
    FROM (SELECT coalesce(k.name, '(unknown)') AS campaign, e.received_at, e.request_id,
                 coalesce(substring(e.reason FROM '^[A-Za-z0-9_-]{1,64}$'), e.code) AS reason
          FROM audit.exclusions e LEFT JOIN known k ON k.name = e.campaign
          WHERE e.received_at >= now() - interval '1 hour') AS x
    GROUP BY x.campaign, x.reason
    UNION ALL
    SELECT 'outage-' || split_part(c.scope, ':', 1), c.scope, s.at, extract(epoch FROM now() - s.at)::float8,
           coalesce(o.reason, c.state),
           format('%s for %s s, %s; first: ajo-dispatch outage show %s', c.state,
                  extract(epoch FROM now() - s.at)::bigint,
                  coalesce(concat_ws(': ', o.reason, o.evidence ->> 'failure'), 'no outage on record'),
                  coalesce(o.outage_id::text, c.scope))
    FROM ledger.circuits c LEFT JOIN ledger.outages o USING (outage_id)
    CROSS JOIN LATERAL (SELECT coalesce(o.opened_at, c.changed_at) AS at) AS s
    WHERE c.state = 'open'
    UNION ALL
    SELECT CASE WHEN o.held_until IS NULL THEN 'hold' ELSE 'hold-overdue' END, c.scope, s.at,
           extract(epoch FROM now() - coalesce(o.held_until, s.at))::float8, NULL,
           format('held by %s for %s s, %s (%s); first: ajo-dispatch outage show %s',
                  coalesce(o.opened_by, 'nobody knows whom'), extract(epoch FROM now() - s.at)::bigint,
                  coalesce('until ' || to_char(o.held_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC',
                           'without an end'),
                  coalesce(o.evidence ->> 'why', 'no reason on record'), coalesce(o.outage_id::text, c.scope))
    FROM ledger.circuits c LEFT JOIN ledger.outages o USING (outage_id)
    CROSS JOIN LATERAL (SELECT coalesce(o.opened_at, c.changed_at) AS at) AS s
    WHERE c.state = 'held'
    UNION ALL
    SELECT 'silence', scope, min(began_at), max(seconds), NULL,
           format('nothing answered for %s s to %s worker(s), new triggers wait; first: ajo-dispatch outage list',
                  max(seconds)::bigint, count(*))
    FROM audit.silences WHERE lasts GROUP BY scope
    UNION ALL
    SELECT 'token-refused', NULL, min(responded_at), count(*)::float8, NULL,
           format('the access token was refused %s times in the last 5 minutes; first: ajo-dispatch doctor', count(*))
    FROM ledger.attempts WHERE responded_at >= now() - interval '5 minutes' AND outcome = 'unauthorized'
      -- What was refused before there was no token, or while there was none, has the one alert of that.
      AND responded_at > coalesce((SELECT max(coalesce(ended_at, 'infinity')) FROM ledger.outages
                                   WHERE scope LIKE 'token:%'), '-infinity')
    UNION ALL
    SELECT 'stray-answers', NULL, min(responded_at), count(*)::float8, NULL,
           format('calls answered with another trigger''s answer in the last hour: %s; a gateway mixes answers up; '
                  'first: ajo-dispatch status %s', count(*), (array_agg(request_id ORDER BY responded_at DESC))[1])
    FROM ledger.attempts
    WHERE responded_at >= now() - interval '1 hour' AND answered_request_id IS NOT NULL AND outcome <> 'accepted'
    UNION ALL
    SELECT 'token-failing', NULL, min(token_failed_at), extract(epoch FROM now() - min(token_failed_at))::float8, NULL,
           format('living workers without an access token: %s (%s); first: ajo-dispatch doctor', count(*),
                  (array_agg(token_failure ORDER BY token_failed_at))[1])
    FROM ledger.workers w WHERE ledger.lives(w) AND token_failed_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM ledger.circuits WHERE scope LIKE 'token:%' AND state IN ('open', 'held'))
    UNION ALL
    SELECT 'parked-age', campaign, since, extract(epoch FROM now() - since)::float8, NULL,
           format('parked: %s, the oldest for %s s; first: ajo-dispatch outage list', triggers,
                  extract(epoch FROM now() - since)::bigint)
    FROM parked
    WHERE NOT EXISTS (SELECT FROM undefined u WHERE u.campaign = parked.campaign AND u.since <= parked.since)
      AND campaign NOT IN (SELECT campaign FROM held)
    UNION ALL
    SELECT 'definition-unknown', campaign, since, extract(epoch FROM now() - since)::float8, NULL,
           format('parked, since no worker has the definition they were made by: %s; first: ajo-dispatch status',
                  triggers)
    FROM undefined
    UNION ALL
    SELECT 'definition-gone', n.name, NULL, sum(q.messages + q.unopened)::float8, NULL,
           format('no worker alive has its definition, and messages wait in its lane, '
                  'whose only a worker would know: %s; '
                  'first: ajo-dispatch status', sum(q.messages + q.unopened))
    FROM (SELECT DISTINCT h.campaign AS name, h.lane FROM hour h JOIN known k ON k.name = h.campaign) AS n
    JOIN audit.queues q ON q.lane = n.lane AND q.looked_at > now() - interval '1 minute'
    WHERE NOT EXISTS (SELECT FROM ledger.workers w WHERE ledger.lives(w) AND w.definitions ? n.name)
      AND EXISTS (SELECT FROM ledger.workers w WHERE ledger.lives(w))
      AND n.name NOT IN (SELECT campaign FROM undefined)
    GROUP BY n.name
    UNION ALL
    SELECT 'queue-unconsumed', queue, NULL, messages::float8, NULL,
           format('messages that nobody takes, since no worker alive consumes the lane %s: %s; '
                  'first: ajo-dispatch worker, with that lane in AJO_LANES', lane, messages)
    FROM audit.queues WHERE workers = 0 AND looked_at > now() - interval '1 minute'
    UNION ALL
    SELECT 'clock-skew', hostname, NULL, max(abs(clock_skew_seconds)), NULL,
           format('its clock is %s s from the database''s; first: synchronize both (NTP), then ajo-dispatch doctor',
                  round(max(abs(clock_skew_seconds))::numeric, 1))
    FROM ledger.workers w WHERE ledger.lives(w) GROUP BY hostname
    UNION ALL
    SELECT 'quarantine', queue, min(received_at), count(*)::float8, NULL,
           format('unreadable in the last hour: %s; first: ajo-dispatch quarantine --since 1h', count(*))
    FROM (SELECT queue, received_at FROM ledger.quarantine ORDER BY quarantine_id DESC LIMIT 10000) AS q
    WHERE received_at >= now() - interval '1 hour' GROUP BY queue
    UNION ALL
    -- Ids that are no UUIDv7, or of other days, are at home there.
    SELECT 'missing-partitions', d.relation, NULL, count(*)::float8, NULL,
           'rows of the last day are in the default partition; first: ajo-dispatch db upgrade'
    FROM (
        (SELECT 'triggers_default' AS relation FROM ledger.triggers_default
         WHERE request_id >= ledger.uuid7_floor(now() - interval '1 day')
           AND request_id < ledger.uuid7_floor(now() + interval '1 minute') LIMIT 10000)
        UNION ALL
        (SELECT 'attempts_default' FROM ledger.attempts_default
         WHERE request_id >= ledger.uuid7_floor(now() - interval '1 day')
           AND request_id < ledger.uuid7_floor(now() + interval '1 minute') LIMIT 10000)
    ) AS d GROUP BY d.relation
)
SELECT m.alert, t.severity, coalesce(a.audience, t.audience) AS audience, m.scope, m.since, m.value, t.threshold,
       m.count, t.floor, m.value > t.threshold AND (m.count >= t.floor) IS NOT FALSE AS holds, m.summary
FROM (
    SELECT * FROM shares UNION ALL SELECT alert, scope, since, value, NULL, reason, summary FROM measured
) AS m
JOIN ledger.alert_thresholds t USING (alert)
LEFT JOIN ledger.alert_audiences a USING (reason)
WHERE m.value IS NOT NULL
  AND NOT (m.alert = 'throttled'
      AND EXISTS (SELECT FROM paged p WHERE p.alert = 'throttled-share' AND p.scope = m.scope));

COMMENT ON VIEW audit.alert_measures IS
    'What every alert measures now, whether it holds or not: how far from its threshold it is.';
SELECT ledger.describe_like('audit.alert_measures', 'ledger.alert_thresholds');
COMMENT ON COLUMN audit.alert_measures.severity IS 'page or ticket.';
COMMENT ON COLUMN audit.alert_measures.audience IS
    'Whom it is for: operators, adobe-support, campaign-owners, producers, database or credentials.';
COMMENT ON COLUMN audit.alert_measures.scope IS
    'What it is about: a lane, a campaign, CAMPAIGN/REASON, an outage''s scope, a queue, a machine or a partition; '
    'null for everything.';
COMMENT ON COLUMN audit.alert_measures.since IS 'The oldest evidence for it; null if that has no time.';
COMMENT ON COLUMN audit.alert_measures.value IS
    'What was measured, in the unit that ledger.alert_thresholds.measures names.';
COMMENT ON COLUMN audit.alert_measures.threshold IS 'It holds while the value is above this.';
COMMENT ON COLUMN audit.alert_measures.count IS 'How many it is about, where that is a matter of number; else null.';
COMMENT ON COLUMN audit.alert_measures.floor IS 'How many it must be about at least.';
COMMENT ON COLUMN audit.alert_measures.holds IS
    'Whether the alert holds: the value is above the threshold, and the count, if there is one, no less than the '
    'floor.';
COMMENT ON COLUMN audit.alert_measures.summary IS 'What was seen, and the command to begin with.';

CREATE OR REPLACE VIEW audit.alerts AS
SELECT alert, severity, audience, scope, since, value, threshold, count, floor, summary
FROM audit.alert_measures WHERE holds;

COMMENT ON VIEW audit.alerts IS
    'One row for each condition that holds now and needs somebody; ledger.alert_thresholds says above what, and for '
    'whom.';
SELECT ledger.describe_like('audit.alerts', 'audit.alert_measures');
COMMENT ON COLUMN audit.alerts.audience IS 'Whom it is for.';
COMMENT ON COLUMN audit.alerts.scope IS 'What it is about; null for everything.';
COMMENT ON COLUMN audit.alerts.value IS 'What was measured.';
COMMENT ON COLUMN audit.alerts.threshold IS 'What it is above.';
