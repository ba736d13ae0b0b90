-- Where each trigger's time went: phases that follow one another from the event to the delivery, over all rounds; and
-- which system holds the delay.
--
--   event -> enqueued -> received -> waits -> call -> … -> last answer -> end -> departure -> delivery
--   producer   queue      worker     waits    api   gaps     ending     Adobe, before it | providers, after it
--
-- Instants are subtracted as they are, and what the phases don't explain is residual_seconds: with it, phases sum to
-- total_seconds. A gap between two attempts is named by what lies between them: a dead worker, a wait for another round,
-- or (a few milliseconds) the worker itself.

CREATE VIEW audit.phases (position, phase, system, means) AS VALUES
    (1, 'producer', 'producer', 'From the business event to publishing, by the producer''s clocks.'),
    (2, 'skew', 'clocks', 'No time at all: by how much the producer''s clock is behind the ledger''s; negative: ahead.'),
    (3, 'broker', 'broker', 'In the queue, while workers could have taken it.'),
    (4, 'absent', 'worker', 'In the queue, or waiting for another round, while no worker of its lane lived.'),
    (5, 'full', 'worker', 'The same, while a worker of its lane had all that it may have in hand.'),
    (6, 'outage', 'adobe-api', 'The same, while an outage of its destination or campaign kept it back, until all was as before.'),
    (7, 'held', 'worker', 'The same, while an operator held its destination or campaign back.'),
    (8, 'redrive', 'worker', 'Waiting for another round for any other reason: for an operator''s redrive, or to be resumed.'),
    (9, 'slot', 'worker', 'Waiting for a turn among the attempts in flight, and of its campaign.'),
    (10, 'rate-limit', 'worker', 'Held back by a rate limit.'),
    (11, 'token', 'adobe-api', 'Waiting for an access token.'),
    (12, 'ledger', 'worker', 'Until the announcements of its attempts were committed.'),
    (13, 'other', 'worker', 'In the worker, doing anything else.'),
    (14, 'back-off', 'adobe-api', 'Back-off after failed calls, and what Retry-After asked for.'),
    (15, 'headers', 'adobe-api', 'From the request to the answer''s headers, or to the failure.'),
    (16, 'body', 'adobe-api', 'From the headers to the end of the answer''s body.'),
    (17, 'handover', 'worker', 'From the last sign of a worker that died or gave up to the next worker''s first step.'),
    (18, 'ending', 'worker', 'From the last answer to the end: the decision and its commit.'),
    (19, 'departure', 'adobe-departure', 'From the end to the departure from Journey Optimizer.'),
    (20, 'delivery', 'downstream', 'From the departure to the delivery, or the failure for good: cloud and mailbox providers.');

COMMENT ON VIEW audit.phases IS 'The phases of a trigger in their order, and the system that each is charged to.';
COMMENT ON COLUMN audit.phases.position IS 'Place in the order.';
COMMENT ON COLUMN audit.phases.phase IS 'Name; audit.delays has it as a column, with _ for - and _seconds after it.';
COMMENT ON COLUMN audit.phases.system IS 'Who is charged with it: producer, broker, worker, adobe-api, adobe-departure, downstream; or clocks, which is no delay.';
COMMENT ON COLUMN audit.phases.means IS 'What it is.';

-- For every phase the time that is long enough to ask why. Operators add rows for campaigns, or change these.
INSERT INTO ledger.service_levels (campaign, phase, seconds)
SELECT '*', phase, CASE phase WHEN 'producer' THEN 5 WHEN 'headers' THEN 2 WHEN 'departure' THEN 60
                              WHEN 'delivery' THEN 300 ELSE 1 END
FROM audit.phases;

CREATE VIEW audit.service_levels AS SELECT campaign, phase, seconds FROM ledger.service_levels;

COMMENT ON VIEW audit.service_levels IS 'How long each phase of a trigger may take; above it, the phase is late, and its system is named.';
COMMENT ON COLUMN audit.service_levels.campaign IS 'Name of the campaign definition; * for all that have no row of their own.';
COMMENT ON COLUMN audit.service_levels.phase IS 'Name of the phase.';
COMMENT ON COLUMN audit.service_levels.seconds IS 'Seconds.';

-- While nothing was taken from queues, or not all that could be: since when, until when. A worker that died lived until
-- its last heartbeat. A lane recovers in growing numbers, so an outage lasts until all is as before.
CREATE VIEW audit.standstills AS
WITH lane (lane) AS (VALUES ('standard'), ('high-throughput'))
SELECT 'absent' AS kind, lane.lane, NULL::text AS campaign,
       tstzmultirange(tstzrange('-infinity', 'infinity')) - coalesce(range_agg(lived.during), '{}') AS during
FROM lane LEFT JOIN LATERAL (
    SELECT ledger.lived(w) AS during FROM ledger.workers w WHERE lane.lane = ANY(lanes)
) AS lived ON true
GROUP BY lane.lane
UNION ALL
SELECT 'full', lane.lane, NULL, range_agg(tstzrange(f.began_at, f.ended_at))
FROM lane JOIN ledger.workers w ON lane.lane = ANY(w.lanes)
JOIN ledger.full_intakes f ON f.worker = w.worker_id AND coalesce(f.lane, lane.lane) = lane.lane
GROUP BY lane.lane
UNION ALL
SELECT 'silence', s.lane, NULL, range_agg(tstzrange(s.began_at, greatest(s.began_at, coalesce(s.ended_at, upper(ledger.lived(w))))))
FROM ledger.silences s JOIN ledger.workers w ON w.worker_id = s.worker GROUP BY s.lane
UNION ALL
SELECT CASE WHEN o.reason IN ('held', 'credentials-refused') THEN 'held' ELSE 'outage' END,
       CASE WHEN o.scope LIKE 'destination:%' THEN split_part(substr(o.scope, 13), '@', 1) ELSE lane.lane END,
       CASE WHEN o.scope LIKE 'campaign:%' THEN substr(o.scope, 10) END,
       range_agg(tstzrange(o.opened_at, coalesce(o.recovered_at,
           CASE WHEN c.state IN ('open', 'held', 'recovering') THEN 'infinity' ELSE o.ended_at END)))
FROM ledger.outages o LEFT JOIN ledger.circuits c ON c.outage_id = o.outage_id
LEFT JOIN lane ON o.scope LIKE 'token:%' -- without a token nothing is sent
GROUP BY 1, 2, 3;

COMMENT ON VIEW audit.standstills IS 'When queues stood still, or nearly, and why.';
COMMENT ON COLUMN audit.standstills.kind IS 'absent (no worker lived), full (a worker had all in hand that it may have), silence (a destination answered nothing), outage, or held by an operator.';
COMMENT ON COLUMN audit.standstills.lane IS 'The lane; null if it is about a campaign.';
COMMENT ON COLUMN audit.standstills.campaign IS 'The campaign; null if it is about a lane.';
COMMENT ON COLUMN audit.standstills.during IS 'All times of it.';

CREATE FUNCTION ledger.seconds(during tstzmultirange) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 FROM unnest(during) AS r);

COMMENT ON FUNCTION ledger.seconds IS 'How many seconds a multirange has.';

-- One row a campaign, a column a phase.
CREATE VIEW ledger.levels AS
SELECT campaign,
       max(seconds) FILTER (WHERE phase = 'producer') AS producer, max(seconds) FILTER (WHERE phase = 'skew') AS skew,
       max(seconds) FILTER (WHERE phase = 'broker') AS broker, max(seconds) FILTER (WHERE phase = 'absent') AS absent,
       max(seconds) FILTER (WHERE phase = 'full') AS "full", max(seconds) FILTER (WHERE phase = 'outage') AS outage,
       max(seconds) FILTER (WHERE phase = 'held') AS held, max(seconds) FILTER (WHERE phase = 'redrive') AS redrive,
       max(seconds) FILTER (WHERE phase = 'slot') AS slot, max(seconds) FILTER (WHERE phase = 'rate-limit') AS rate_limit,
       max(seconds) FILTER (WHERE phase = 'token') AS token, max(seconds) FILTER (WHERE phase = 'ledger') AS ledger,
       max(seconds) FILTER (WHERE phase = 'other') AS other, max(seconds) FILTER (WHERE phase = 'back-off') AS back_off,
       max(seconds) FILTER (WHERE phase = 'headers') AS headers, max(seconds) FILTER (WHERE phase = 'body') AS body,
       max(seconds) FILTER (WHERE phase = 'handover') AS handover, max(seconds) FILTER (WHERE phase = 'ending') AS ending,
       max(seconds) FILTER (WHERE phase = 'departure') AS departure,
       max(seconds) FILTER (WHERE phase = 'delivery') AS delivery
FROM ledger.service_levels GROUP BY campaign;

COMMENT ON VIEW ledger.levels IS 'ledger.service_levels, one row a campaign, for audit.delays.';
COMMENT ON COLUMN ledger.levels.campaign IS 'Name of the campaign definition, or *.';
COMMENT ON COLUMN ledger.levels.producer IS 'Seconds that the phase producer may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.skew IS 'Seconds that the phase skew may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.broker IS 'Seconds that the phase broker may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.absent IS 'Seconds that the phase absent may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels."full" IS 'Seconds that the phase full may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.outage IS 'Seconds that the phase outage may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.held IS 'Seconds that the phase held may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.redrive IS 'Seconds that the phase redrive may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.slot IS 'Seconds that the phase slot may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.rate_limit IS 'Seconds that the phase rate-limit may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.token IS 'Seconds that the phase token may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.ledger IS 'Seconds that the phase ledger may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.other IS 'Seconds that the phase other may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.back_off IS 'Seconds that the phase back-off may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.headers IS 'Seconds that the phase headers may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.body IS 'Seconds that the phase body may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.handover IS 'Seconds that the phase handover may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.ending IS 'Seconds that the phase ending may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.departure IS 'Seconds that the phase departure may take; null if the campaign has no row for it.';
COMMENT ON COLUMN ledger.levels.delivery IS 'Seconds that the phase delivery may take; null if the campaign has no row for it.';

CREATE VIEW audit.delays AS
SELECT t.request_id, t.campaign, t.lane, t.producer, t.state, t.reason, t.round, a.attempts,
       t.possible_duplicate, t.occurred_at, t.enqueued_at, t.received_at, t.completed_at, d.departed_at, d.delivered_at,
       d.failed_at,
       p.producer_seconds, p.skew_seconds, p.broker_seconds, p.absent_seconds, p.full_seconds, p.outage_seconds,
       p.held_seconds, p.redrive_seconds, p.slot_seconds, p.rate_limit_seconds, p.token_seconds, p.ledger_seconds,
       p.other_seconds, p.back_off_seconds, p.headers_seconds, p.body_seconds, p.handover_seconds, p.ending_seconds,
       p.residual_seconds, p.departure_seconds, p.delivery_seconds,
       extract(epoch FROM t.completed_at - began.at)::float8 AS total_seconds,
       extract(epoch FROM coalesce(d.delivered_at, d.failed_at, d.departed_at, t.completed_at) - began.at)::float8
           AS end_to_end_seconds,
       CASE WHEN late.systems IS NOT NULL THEN late.systems[1]
            WHEN t.state IN ('rejected', 'expired')
              OR d.departed_at IS NOT NULL AND (d.delivered_at IS NOT NULL OR d.failed_at IS NOT NULL) THEN 'none'
            ELSE 'not-yet-known' END AS system,
       late.phases[1] AS phase, late.seconds[1] AS delay_seconds,
       coalesce(late.systems, '{}') AS systems, coalesce(late.seconds, '{}') AS system_seconds,
       coalesce(late.late_phases, '{}') AS late_phases,
       coalesce(p.disagreement_seconds > coalesce(own.skew, every.skew, 1), false) AS clock_skew,
       extract(epoch FROM t.completed_at - t.first_dispatched_at)::float8 AS budget_used_seconds
FROM ledger.triggers t
LEFT JOIN ledger.deliveries d ON d.request_id = t.request_id
LEFT JOIN ledger.levels own ON own.campaign = t.campaign
LEFT JOIN ledger.levels every ON every.campaign = '*'
CROSS JOIN LATERAL (SELECT coalesce(t.occurred_at, t.enqueued_at) AS at) AS began
LEFT JOIN LATERAL (
    SELECT skew_seconds FROM ledger.producer_clocks
    WHERE producer = t.producer AND minute <= t.received_at AND minute > t.received_at - interval '10 minutes'
    ORDER BY minute DESC LIMIT 1
) AS clock ON true
-- The attempts of all rounds. A look-up for each trigger: its cost grows with the triggers asked for, not with the table.
CROSS JOIN LATERAL (
    SELECT count(*)::int2 AS attempts, max(round) AS round, max(end_at) FILTER (WHERE newest) AS end_at,
           coalesce(bool_or(outcome = 'interrupted') FILTER (WHERE newest), false) AS interrupted_last,
           coalesce(sum(slot_wait_seconds), 0) AS slot_seconds,
           coalesce(sum(rate_limit_wait_seconds), 0) AS rate_limit_seconds,
           coalesce(sum(token_wait_seconds), 0) AS token_seconds,
           coalesce(sum(ledger_wait_seconds), 0) AS ledger_seconds,
           coalesce(sum(backoff_wait_seconds), 0) AS back_off_seconds,
           coalesce(sum(coalesce(to_headers_seconds, to_body_seconds)), 0) AS headers_seconds,
           coalesce(sum(to_body_seconds - coalesce(to_headers_seconds, to_body_seconds)), 0) AS body_seconds,
           coalesce(sum(extract(epoch FROM end_at - dispatched_at)::float8 - coalesce(to_body_seconds, 0)), 0)
               AS residual_seconds,
           coalesce(sum(extract(epoch FROM begin_at - CASE kind WHEN 'other' THEN before ELSE opened_at END)::float8), 0)
               AS other_seconds,
           coalesce(sum(extract(epoch FROM begin_at - before)::float8) FILTER (WHERE kind = 'handover'), 0)
               AS handover_seconds,
           coalesce(sum(extract(epoch FROM coalesce(opened_at, begin_at) - before)::float8)
                        FILTER (WHERE kind = 'waiting'), 0) AS waiting_seconds,
           range_agg(tstzrange(before, coalesce(opened_at, begin_at)))
               FILTER (WHERE kind = 'waiting' AND before < coalesce(opened_at, begin_at)) AS waiting
    FROM (
        SELECT *, CASE WHEN round > round_before AND round = t.round THEN t.round_opened_at END AS opened_at,
               CASE WHEN round > round_before THEN 'waiting'
                    WHEN outcome_before = 'interrupted' OR outcome_before IS NOT NULL AND t.fence > t.round THEN 'handover'
                    ELSE 'other' END AS kind
        FROM (
            SELECT *, coalesce(lag(end_at) OVER w, t.received_at) AS before, coalesce(lag(round) OVER w, 1) AS round_before,
                   lag(outcome) OVER w AS outcome_before, lead(attempt) OVER w IS NULL AS newest
            FROM (
                SELECT round, attempt, outcome, dispatched_at, coalesce(responded_at, dispatched_at) AS end_at,
                       slot_wait_seconds, rate_limit_wait_seconds, token_wait_seconds, ledger_wait_seconds,
                       backoff_wait_seconds, to_headers_seconds, coalesce(to_body_seconds, to_headers_seconds,
                           extract(epoch FROM responded_at - dispatched_at)::float8) AS to_body_seconds,
                       dispatched_at - make_interval(secs => coalesce(backoff_wait_seconds, 0)
                           + coalesce(slot_wait_seconds, 0) + coalesce(rate_limit_wait_seconds, 0)
                           + coalesce(token_wait_seconds, 0) + coalesce(ledger_wait_seconds, 0)) AS begin_at
                FROM ledger.attempts WHERE request_id = t.request_id
            ) AS attempt
            WINDOW w AS (ORDER BY round, attempt)
        ) AS followed
    ) AS named
) AS a
-- After the last attempt: a round that was opened and has none yet, or the way to the end.
CROSS JOIN LATERAL (
    SELECT coalesce(a.end_at, t.received_at) AS end_at, t.round > coalesce(a.round, 1) AS newer_round,
           extract(epoch FROM t.received_at - t.enqueued_at)::float8 - coalesce(clock.skew_seconds, 0) AS queue_seconds,
           t.enqueued_at + make_interval(secs => coalesce(clock.skew_seconds, 0)) AS enqueued_at
) AS e
CROSS JOIN LATERAL (
    SELECT a.waiting_seconds + CASE WHEN e.newer_round THEN
               coalesce(extract(epoch FROM t.round_opened_at - e.end_at)::float8, 0) ELSE 0 END AS waiting_seconds,
           coalesce(a.waiting, '{}') + CASE WHEN e.newer_round AND e.end_at < t.round_opened_at
               THEN tstzmultirange(tstzrange(e.end_at, t.round_opened_at)) ELSE '{}' END AS waiting,
           CASE WHEN e.queue_seconds > 1 AND e.enqueued_at < t.received_at
                THEN tstzmultirange(tstzrange(e.enqueued_at, t.received_at)) ELSE '{}' END AS queue,
           CASE WHEN t.completed_at IS NOT NULL THEN extract(epoch FROM
               t.completed_at - CASE WHEN e.newer_round THEN t.round_opened_at ELSE e.end_at END)::float8 END AS rest_seconds
) AS w
-- Why it waited: looked for only where it did.
LEFT JOIN LATERAL (
    SELECT ledger.seconds(waits * s.held) AS held_seconds,
           ledger.seconds(waits * (s.outage - s.held)) AS outage_seconds,
           ledger.seconds(waits * (s.absent - s.outage - s.held)) AS absent_seconds,
           ledger.seconds(waits * (s."full" - s.absent - s.outage - s.held)) AS full_seconds,
           ledger.seconds(w.queue * (s.held + s.outage + s.absent + s."full")) AS of_queue_seconds,
           ledger.seconds(w.waiting * (s.held + s.outage + s.absent + s."full")) AS of_waiting_seconds
    FROM (SELECT w.queue + w.waiting AS waits) AS q
    CROSS JOIN (
        SELECT coalesce(range_agg(during) FILTER (WHERE kind = 'held'), '{}') AS held,
               coalesce(range_agg(during) FILTER (WHERE kind = 'outage'), '{}') AS outage,
               coalesce(range_agg(during) FILTER (WHERE kind = 'absent'), '{}') AS absent,
               coalesce(range_agg(during) FILTER (WHERE kind = 'full'), '{}') AS "full"
        FROM audit.standstills WHERE lane = t.lane OR campaign = t.campaign
    ) AS s
    WHERE NOT isempty(waits)
) AS why ON true
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM t.enqueued_at - t.occurred_at)::float8 AS producer_seconds,
           coalesce(clock.skew_seconds, 0) AS skew_seconds,
           e.queue_seconds - coalesce(why.of_queue_seconds, 0) AS broker_seconds,
           coalesce(why.absent_seconds, 0) AS absent_seconds, coalesce(why.full_seconds, 0) AS full_seconds,
           coalesce(why.outage_seconds, 0) AS outage_seconds, coalesce(why.held_seconds, 0) AS held_seconds,
           w.waiting_seconds - coalesce(why.of_waiting_seconds, 0) AS redrive_seconds,
           a.slot_seconds, a.rate_limit_seconds, a.token_seconds, a.ledger_seconds, a.back_off_seconds,
           a.headers_seconds, a.body_seconds, a.residual_seconds,
           a.other_seconds + CASE WHEN e.newer_round OR a.attempts = 0 THEN coalesce(w.rest_seconds, 0) ELSE 0 END
               AS other_seconds,
           a.handover_seconds + CASE WHEN NOT e.newer_round AND a.interrupted_last THEN coalesce(w.rest_seconds, 0)
                                     ELSE 0 END AS handover_seconds,
           CASE WHEN e.newer_round OR a.attempts = 0 OR a.interrupted_last THEN w.rest_seconds * 0
                ELSE w.rest_seconds END AS ending_seconds,
           extract(epoch FROM d.departed_at - t.completed_at)::float8 AS departure_seconds,
           extract(epoch FROM coalesce(d.delivered_at, d.failed_at) - d.departed_at)::float8 AS delivery_seconds,
           greatest(abs(clock.skew_seconds), -e.queue_seconds, extract(epoch FROM t.occurred_at - t.enqueued_at)::float8,
                    extract(epoch FROM t.completed_at - d.departed_at)::float8) AS disagreement_seconds
) AS p
-- The rule: a phase above its service level is late, and its system is charged with all of it.
LEFT JOIN LATERAL (
    SELECT array_agg(system ORDER BY last, seconds DESC) AS systems,
           array_agg(seconds ORDER BY last, seconds DESC) AS seconds,
           array_agg(phases[1] ORDER BY last, seconds DESC) AS phases,
           string_to_array(string_agg(array_to_string(phases, ' '), ' ' ORDER BY last, seconds DESC), ' ') AS late_phases
    FROM (
        SELECT system, sum(seconds) AS seconds, array_agg(phase ORDER BY seconds DESC) AS phases,
               system = 'clocks' AS last
        FROM (VALUES
            ('producer', 'producer', p.producer_seconds, coalesce(own.producer, every.producer)),
            ('skew', 'clocks', p.disagreement_seconds, coalesce(own.skew, every.skew)),
            ('broker', 'broker', p.broker_seconds, coalesce(own.broker, every.broker)),
            ('absent', 'worker', p.absent_seconds, coalesce(own.absent, every.absent)),
            ('full', 'worker', p.full_seconds, coalesce(own."full", every."full")),
            ('outage', 'adobe-api', p.outage_seconds, coalesce(own.outage, every.outage)),
            ('held', 'worker', p.held_seconds, coalesce(own.held, every.held)),
            ('redrive', 'worker', p.redrive_seconds, coalesce(own.redrive, every.redrive)),
            ('slot', 'worker', p.slot_seconds, coalesce(own.slot, every.slot)),
            ('rate-limit', 'worker', p.rate_limit_seconds, coalesce(own.rate_limit, every.rate_limit)),
            ('token', 'adobe-api', p.token_seconds, coalesce(own.token, every.token)),
            ('ledger', 'worker', p.ledger_seconds, coalesce(own.ledger, every.ledger)),
            ('other', 'worker', p.other_seconds, coalesce(own.other, every.other)),
            ('back-off', 'adobe-api', p.back_off_seconds, coalesce(own.back_off, every.back_off)),
            ('headers', 'adobe-api', p.headers_seconds, coalesce(own.headers, every.headers)),
            ('body', 'adobe-api', p.body_seconds, coalesce(own.body, every.body)),
            ('handover', 'worker', p.handover_seconds, coalesce(own.handover, every.handover)),
            ('ending', 'worker', p.ending_seconds, coalesce(own.ending, every.ending)),
            ('departure', 'adobe-departure', p.departure_seconds, coalesce(own.departure, every.departure)),
            ('delivery', 'downstream', p.delivery_seconds, coalesce(own.delivery, every.delivery))
        ) AS v (phase, system, seconds, level)
        WHERE seconds > level
        GROUP BY system
    ) AS guilty
) AS late ON true;

COMMENT ON VIEW audit.delays IS 'One row for each trigger: the phases of its way, in seconds, and whose fault its delay is. The phases up to the end and residual_seconds sum to total_seconds; a phase that is not over is null, or counts what is known so far.';
COMMENT ON COLUMN audit.delays.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.delays.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN audit.delays.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN audit.delays.producer IS 'The application that published it.';
COMMENT ON COLUMN audit.delays.state IS 'Its state.';
COMMENT ON COLUMN audit.delays.reason IS 'Why it ended, if not accepted, or why it is parked.';
COMMENT ON COLUMN audit.delays.round IS 'The current round; phases are of all rounds.';
COMMENT ON COLUMN audit.delays.attempts IS 'Attempts of all rounds that came to an end.';
COMMENT ON COLUMN audit.delays.possible_duplicate IS 'True if its recipients may have got the message twice.';
COMMENT ON COLUMN audit.delays.occurred_at IS 'When the business event happened, by its source''s clock; null if the producer didn''t say.';
COMMENT ON COLUMN audit.delays.enqueued_at IS 'When the producer handed it to a connection to the broker that stood, by the producer''s clock.';
COMMENT ON COLUMN audit.delays.received_at IS 'When a worker first received it: the column to select times by.';
COMMENT ON COLUMN audit.delays.completed_at IS 'When it came to its end.';
COMMENT ON COLUMN audit.delays.departed_at IS 'When its last message left Journey Optimizer; null while not reported.';
COMMENT ON COLUMN audit.delays.delivered_at IS 'When its last message was delivered; null while not reported.';
COMMENT ON COLUMN audit.delays.failed_at IS 'When its last message failed for good; null while not reported.';
COMMENT ON COLUMN audit.delays.producer_seconds IS 'From the business event to publishing; null if the event''s time is unknown, and then not part of the total.';
COMMENT ON COLUMN audit.delays.skew_seconds IS 'By how much the producer''s clock is behind the ledger''s (negative: ahead), as far as that is proved. No time, but part of the sum: broker_seconds is without it.';
COMMENT ON COLUMN audit.delays.broker_seconds IS 'In the queue, while workers could have taken it. Negative: the producer''s clock is ahead, by at least that much.';
COMMENT ON COLUMN audit.delays.absent_seconds IS 'In the queue or between rounds, while no worker of its lane lived.';
COMMENT ON COLUMN audit.delays.full_seconds IS 'The same, while a worker of its lane had in hand all that it may have.';
COMMENT ON COLUMN audit.delays.outage_seconds IS 'The same, while an outage kept it back.';
COMMENT ON COLUMN audit.delays.held_seconds IS 'The same, while an operator kept it back.';
COMMENT ON COLUMN audit.delays.redrive_seconds IS 'Between rounds for any other reason.';
COMMENT ON COLUMN audit.delays.slot_seconds IS 'Waits for a turn among the attempts in flight, and of its campaign.';
COMMENT ON COLUMN audit.delays.rate_limit_seconds IS 'Held back by a rate limit.';
COMMENT ON COLUMN audit.delays.token_seconds IS 'Waits for an access token.';
COMMENT ON COLUMN audit.delays.ledger_seconds IS 'Commits of its announcements.';
COMMENT ON COLUMN audit.delays.other_seconds IS 'In the worker, doing anything else.';
COMMENT ON COLUMN audit.delays.back_off_seconds IS 'Back-off after failed calls, and what Retry-After asked for.';
COMMENT ON COLUMN audit.delays.headers_seconds IS 'From requests to the headers of their answers, or to their failures.';
COMMENT ON COLUMN audit.delays.body_seconds IS 'From headers to the ends of bodies.';
COMMENT ON COLUMN audit.delays.handover_seconds IS 'From the last sign of a worker that died or gave up to the next worker''s first step.';
COMMENT ON COLUMN audit.delays.ending_seconds IS 'From the last answer to the end: the decision and its commit; null before the end.';
COMMENT ON COLUMN audit.delays.residual_seconds IS 'What the phases don''t explain: wall clock and monotonic clock of the same calls differ by it.';
COMMENT ON COLUMN audit.delays.departure_seconds IS 'From the end to the departure from Journey Optimizer; slightly negative if it was quicker than our commit. Null while not reported.';
COMMENT ON COLUMN audit.delays.delivery_seconds IS 'From the departure to the delivery, or the failure for good; null while not reported.';
COMMENT ON COLUMN audit.delays.total_seconds IS 'From the event (or, if its time is unknown, from publishing) to the end; null before the end.';
COMMENT ON COLUMN audit.delays.end_to_end_seconds IS 'From the same to the delivery; as far as is known.';
COMMENT ON COLUMN audit.delays.system IS 'Whose fault the delay is: producer, broker, worker, adobe-api, adobe-departure or downstream; clocks (no delay, but clocks that disagree); none; or not-yet-known.';
COMMENT ON COLUMN audit.delays.phase IS 'The longest late phase of that system; null if nothing is late.';
COMMENT ON COLUMN audit.delays.delay_seconds IS 'All late phases of that system together; null if nothing is late.';
COMMENT ON COLUMN audit.delays.systems IS 'All systems with a late phase, the one with most seconds first; clocks come last.';
COMMENT ON COLUMN audit.delays.system_seconds IS 'The late phases of each of them together.';
COMMENT ON COLUMN audit.delays.late_phases IS 'All phases above their service level.';
COMMENT ON COLUMN audit.delays.clock_skew IS 'True if two machines'' clocks disagree by more than the service level of skew.';
COMMENT ON COLUMN audit.delays.budget_used_seconds IS 'From the first dispatch of the current round to the end; null before the end, and if nothing was dispatched.';
