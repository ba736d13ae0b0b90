-- Where each trigger's time went: phases that follow one another from the event to the delivery, over all rounds.
--
--   event -> (outbox ->) enqueued -> received -> waits -> call -> … -> last answer -> end -> departure -> delivery
--   producer   outbox      queue      worker     waits    api   gaps     ending     Adobe, before it | providers, after
--
-- Instants are subtracted as they are, and what the phases don't explain is residual_seconds: with it, phases sum to
-- total_seconds. A gap between two attempts is named by what lies between them: a dead worker, a wait for another
-- round, or (a few milliseconds) the worker itself.
--
-- One view after the other adds what it says to what the one before has: attempts, the waits around them, why these
-- were long, and the seconds of each phase. The planner sees them as one statement.

CREATE OR REPLACE FUNCTION ledger.is_ours(failure text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(failure IN ('exhausted', 'proxy'), false);

COMMENT ON FUNCTION ledger.is_ours IS
    'Whether a call failed in this way before it left our side: no tunnel through our proxy, or no file, port or '
    'memory left on our machine. False for null.';

SELECT ledger.derive('ledger.attempt_spans', $view$
SELECT *, lag(end_at) OVER w AS end_before, coalesce(lag(round) OVER w, 1) AS round_before,
       lag(outcome) OVER w AS outcome_before, lag(failure) OVER w AS failure_before,
       lead(attempt) OVER w IS NULL AS newest
FROM (
    SELECT request_id, round, attempt, outcome, failure, dispatched_at, {wait columns}, to_headers_seconds,
           coalesce(to_body_seconds, to_headers_seconds,
               extract(epoch FROM responded_at - dispatched_at)::float8) AS to_body_seconds,
           coalesce(lag_seconds, 0) AS lag_seconds,
           coalesce(responded_at + make_interval(secs => coalesce(lag_seconds, 0)), dispatched_at) AS end_at,
           dispatched_at - make_interval(secs => {waits together}) AS begin_at
    FROM ledger.attempts
) AS attempt
WINDOW w AS (PARTITION BY request_id ORDER BY round, attempt)
$view$);

COMMENT ON VIEW ledger.attempt_spans IS
    'One row for each attempt: from when its waits began until its answer was taken, and what was before it.';
SELECT ledger.describe_like('ledger.attempt_spans', 'ledger.attempts');
COMMENT ON COLUMN ledger.attempt_spans.to_body_seconds IS 'The same as ledger.attempts has, or what is nearest to it.';
COMMENT ON COLUMN ledger.attempt_spans.end_at IS 'When a worker took its answer; the dispatch, if there was none.';
COMMENT ON COLUMN ledger.attempt_spans.begin_at IS 'When its waits began.';
COMMENT ON COLUMN ledger.attempt_spans.end_before IS 'When the attempt before it ended; null for the first.';
COMMENT ON COLUMN ledger.attempt_spans.round_before IS 'The round of the attempt before it; 1 for the first.';
COMMENT ON COLUMN ledger.attempt_spans.outcome_before IS 'The outcome of the attempt before it.';
COMMENT ON COLUMN ledger.attempt_spans.failure_before IS 'The failure of the attempt before it.';
COMMENT ON COLUMN ledger.attempt_spans.newest IS 'True if no attempt came after it.';

-- The attempts of all rounds. A look-up for each trigger: its cost grows with the triggers asked for, not with the
-- table.
SELECT ledger.derive('ledger.attempts_together', $view$
SELECT t.request_id, t.campaign, t.lane, t.producer, t.state, t.reason, t.round, t.possible_duplicate,
       t.occurred_at, t.outbox_at, t.enqueued_at, t.received_at, t.round_opened_at, t.first_dispatched_at,
       t.completed_at, t.waited_in_vain, d.departed_at, d.delivered_at, d.failed_at, clock.skew_seconds, a.*
FROM ledger.triggers t
LEFT JOIN ledger.deliveries d ON d.request_id = t.request_id
LEFT JOIN LATERAL (
    SELECT skew_seconds FROM ledger.producer_clocks
    WHERE producer = t.producer AND minute <= t.received_at AND minute > t.received_at - interval '10 minutes'
    ORDER BY minute DESC LIMIT 1
) AS clock ON true
CROSS JOIN LATERAL (
    SELECT count(*)::int2 AS attempts, max(round) AS last_round, max(end_at) FILTER (WHERE newest) AS last_end_at,
           coalesce(bool_or(outcome = 'interrupted') FILTER (WHERE newest), false) AS interrupted_last,
           min(dispatched_at) AS sent_at,
           {wait totals},
           coalesce(sum(lag_seconds), 0) AS lag_seconds,
           coalesce(sum(coalesce(to_headers_seconds, to_body_seconds))
                        FILTER (WHERE NOT ledger.is_ours(failure)), 0) AS headers_seconds,
           -- What didn't leave our own side, and what was waited after it, is nobody else's.
           coalesce(sum(to_body_seconds) FILTER (WHERE ledger.is_ours(failure)), 0) AS proxy_seconds,
           coalesce(sum(backoff_wait_seconds) FILTER (WHERE ledger.is_ours(failure_before)), 0) AS after_proxy_seconds,
           coalesce(bool_or(ledger.is_ours(failure)) FILTER (WHERE newest), false) AS proxy_last,
           coalesce(sum(to_body_seconds - coalesce(to_headers_seconds, to_body_seconds)), 0) AS body_seconds,
           coalesce(sum(extract(epoch FROM end_at - dispatched_at)::float8 - coalesce(to_body_seconds, 0)
                        - lag_seconds), 0) AS residual_seconds,
           coalesce(sum(extract(epoch FROM begin_at - CASE kind WHEN 'other' THEN before ELSE opened_at END)::float8),
                    0) AS other_seconds,
           coalesce(sum(extract(epoch FROM begin_at - before)::float8) FILTER (WHERE kind = 'handover'), 0)
               AS handover_seconds,
           coalesce(sum(extract(epoch FROM coalesce(opened_at, begin_at) - before)::float8)
                        FILTER (WHERE kind = 'waiting'), 0) AS between_seconds,
           range_agg(tstzrange(before, coalesce(opened_at, begin_at)))
               FILTER (WHERE kind = 'waiting' AND before < coalesce(opened_at, begin_at)) AS between_rounds
    FROM (
        SELECT *, coalesce(end_before, t.received_at) AS before,
               CASE WHEN round > round_before AND round = t.round THEN t.round_opened_at END AS opened_at,
               CASE WHEN round > round_before THEN 'waiting'
                    WHEN outcome_before = 'interrupted' OR outcome_before IS NOT NULL AND t.fence > t.round
                        THEN 'handover'
                    ELSE 'other' END AS kind
        FROM ledger.attempt_spans WHERE request_id = t.request_id
    ) AS span
) AS a
$view$);

COMMENT ON VIEW ledger.attempts_together IS
    'One row for each trigger: the seconds of its attempts and of their waits, all rounds together.';
SELECT ledger.describe_like('ledger.attempts_together', 'ledger.triggers', 'ledger.deliveries');
COMMENT ON COLUMN ledger.attempts_together.skew_seconds IS
    'By how much its producer''s clock was behind the ledger''s (negative: ahead); null if that is not known.';
COMMENT ON COLUMN ledger.attempts_together.attempts IS 'Attempts of all rounds that came to an end.';
COMMENT ON COLUMN ledger.attempts_together.last_round IS 'The round of the last one; null without any, as the next.';
COMMENT ON COLUMN ledger.attempts_together.last_end_at IS 'When the last one ended.';
COMMENT ON COLUMN ledger.attempts_together.interrupted_last IS 'True if the worker of the last one died in it.';
COMMENT ON COLUMN ledger.attempts_together.sent_at IS 'When the first one was sent.';
COMMENT ON COLUMN ledger.attempts_together.lag_seconds IS 'From the arrival of answers until a worker took them.';
COMMENT ON COLUMN ledger.attempts_together.headers_seconds IS 'Until answers'' headers, or until failures.';
COMMENT ON COLUMN ledger.attempts_together.proxy_seconds IS 'Of calls that didn''t leave our side: see ledger.is_ours.';
COMMENT ON COLUMN ledger.attempts_together.after_proxy_seconds IS 'Back-off after such calls.';
COMMENT ON COLUMN ledger.attempts_together.proxy_last IS 'True if the last one was such a call.';
COMMENT ON COLUMN ledger.attempts_together.body_seconds IS 'From answers'' headers to the end of their bodies.';
COMMENT ON COLUMN ledger.attempts_together.residual_seconds IS
    'By how much the wall clock and the monotonic clock of the same calls differ.';
COMMENT ON COLUMN ledger.attempts_together.other_seconds IS 'Between attempts, in the worker, with no wait noted.';
COMMENT ON COLUMN ledger.attempts_together.handover_seconds IS 'Between attempts, from one worker to the next.';
COMMENT ON COLUMN ledger.attempts_together.between_seconds IS 'Between rounds.';
COMMENT ON COLUMN ledger.attempts_together.between_rounds IS 'The times between rounds; null without any.';

-- Before the first attempt, and after the last: the queue, a round that was opened and has no attempt yet, or the way
-- to the end.
SELECT ledger.derive('ledger.trigger_waits', $view$
SELECT x.*, e.newer_round, e.queue_seconds,
       x.between_seconds + CASE WHEN e.newer_round
           THEN coalesce(extract(epoch FROM x.round_opened_at - e.end_at)::float8, 0) ELSE 0 END AS waiting_seconds,
       coalesce(x.between_rounds, '{}') + CASE WHEN e.newer_round AND e.end_at < x.round_opened_at
           THEN tstzmultirange(tstzrange(e.end_at, x.round_opened_at)) ELSE '{}' END AS waiting,
       CASE WHEN e.queue_seconds > 1 AND e.queued_at < x.received_at
            THEN tstzmultirange(tstzrange(e.queued_at, x.received_at)) ELSE '{}' END AS queue,
       CASE WHEN x.completed_at IS NOT NULL THEN extract(epoch FROM
           x.completed_at - CASE WHEN e.newer_round THEN x.round_opened_at ELSE e.end_at END)::float8 END
           AS rest_seconds
FROM ledger.attempts_together x
CROSS JOIN LATERAL (
    SELECT coalesce(x.last_end_at, x.received_at) AS end_at, x.round > coalesce(x.last_round, 1) AS newer_round,
           extract(epoch FROM x.received_at - x.enqueued_at)::float8 - coalesce(x.skew_seconds, 0) AS queue_seconds,
           x.enqueued_at + make_interval(secs => coalesce(x.skew_seconds, 0)) AS queued_at
) AS e
$view$);

COMMENT ON VIEW ledger.trigger_waits IS
    'The same, with its time in the queue, between rounds and after the last attempt.';
SELECT ledger.describe_like('ledger.trigger_waits', 'ledger.attempts_together');
COMMENT ON COLUMN ledger.trigger_waits.newer_round IS 'True if its round has no attempt yet, and isn''t the first.';
COMMENT ON COLUMN ledger.trigger_waits.queue_seconds IS 'Seconds in the queue, by the ledger''s clock.';
COMMENT ON COLUMN ledger.trigger_waits.waiting_seconds IS 'Seconds of all waits for another round.';
COMMENT ON COLUMN ledger.trigger_waits.waiting IS 'The times of all waits for another round.';
COMMENT ON COLUMN ledger.trigger_waits.queue IS 'The time in the queue, if it was more than a second.';
COMMENT ON COLUMN ledger.trigger_waits.rest_seconds IS
    'From the last attempt, or the opening of a newer round, to the end; null before the end.';

-- Why it waited: looked for only where it did.
SELECT ledger.derive('ledger.trigger_standstills', $view$
SELECT x.*, {known standstills},
       coalesce(why.of_queue_seconds, 0) AS of_queue_seconds,
       coalesce(why.of_waiting_seconds, 0) AS of_waiting_seconds
FROM ledger.trigger_waits x
LEFT JOIN LATERAL (
    SELECT {standstill seconds},
           ledger.seconds(x.queue * ({standstills together})) AS of_queue_seconds,
           ledger.seconds(x.waiting * ({standstills together})) AS of_waiting_seconds
    FROM (SELECT x.queue + x.waiting AS waits) AS q
    CROSS JOIN LATERAL (
        SELECT {standstills} FROM ledger.stretches
        WHERE NOT isempty(waits) AND (lane = x.lane OR campaign = x.campaign) AND during && range_merge(waits)
    ) AS s
    WHERE NOT isempty(waits)
) AS why ON true
$view$);

COMMENT ON VIEW ledger.trigger_standstills IS 'The same, with what kept it waiting.';
SELECT ledger.describe_like('ledger.trigger_standstills', 'ledger.trigger_waits');
COMMENT ON COLUMN ledger.trigger_standstills.of_queue_seconds IS 'Seconds in the queue that standstills explain.';
COMMENT ON COLUMN ledger.trigger_standstills.of_waiting_seconds IS
    'Seconds of waits for another round that standstills explain.';

SELECT ledger.derive('ledger.phase_seconds', $view$
SELECT x.request_id, x.campaign, x.lane, x.producer, x.state, x.reason, x.round, x.attempts, x.possible_duplicate,
       x.occurred_at, x.outbox_at, x.enqueued_at, x.received_at, x.first_dispatched_at, x.completed_at,
       x.departed_at, x.delivered_at, x.failed_at, {phases},
       greatest(abs(x.skew_seconds), -x.queue_seconds,
           extract(epoch FROM x.occurred_at - coalesce(x.outbox_at, x.enqueued_at))::float8,
           extract(epoch FROM x.outbox_at - x.enqueued_at)::float8,
           -- A slow Adobe may send the message long before it answers the call; never before it got it.
           extract(epoch FROM coalesce(x.sent_at, x.completed_at) - x.departed_at)::float8) AS disagreement_seconds
FROM ledger.trigger_standstills x
-- What was waited for the last attempt, if it was not made.
CROSS JOIN LATERAL (
    SELECT CASE WHEN x.completed_at IS NOT NULL THEN x.waited_in_vain END AS waits
) AS given_up
CROSS JOIN LATERAL (SELECT {waits in vain} FROM (SELECT given_up.waits) AS w) AS in_vain
CROSS JOIN LATERAL (
    SELECT x.rest_seconds - CASE WHEN given_up.waits IS NULL THEN 0
        ELSE (SELECT coalesce(sum(value::float8), 0) FROM jsonb_each_text(given_up.waits)) END AS seconds
) AS rest
-- What is neither a wait before an attempt nor a standstill.
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM coalesce(x.outbox_at, x.enqueued_at) - x.occurred_at)::float8 AS producer_seconds,
           coalesce(extract(epoch FROM x.enqueued_at - x.outbox_at)::float8, 0) AS outbox_seconds,
           coalesce(x.skew_seconds, 0) AS skew_seconds,
           x.queue_seconds - x.of_queue_seconds AS broker_seconds,
           x.waiting_seconds - x.of_waiting_seconds AS redrive_seconds,
           x.other_seconds + CASE WHEN x.newer_round OR x.attempts = 0 THEN coalesce(rest.seconds, 0) ELSE 0 END
               AS other_seconds,
           x.headers_seconds, x.body_seconds, x.lag_seconds,
           x.handover_seconds + CASE WHEN NOT x.newer_round AND x.interrupted_last
               THEN coalesce(rest.seconds, 0) ELSE 0 END AS handover_seconds,
           CASE WHEN x.newer_round OR x.attempts = 0 OR x.interrupted_last THEN rest.seconds * 0
                ELSE rest.seconds END AS ending_seconds,
           x.residual_seconds,
           extract(epoch FROM x.departed_at - x.completed_at)::float8 AS departure_seconds,
           extract(epoch FROM coalesce(x.delivered_at, x.failed_at) - x.departed_at)::float8 AS delivery_seconds
) AS c
$view$);

COMMENT ON VIEW ledger.phase_seconds IS
    'One row for each trigger: the seconds of each phase, as audit.delays has them.';
SELECT ledger.describe_like('ledger.phase_seconds', 'ledger.attempts_together');
COMMENT ON COLUMN ledger.phase_seconds.disagreement_seconds IS
    'By how many seconds two machines'' clocks disagree at least; negative or null if none is seen to.';

-- Columns that there are for each phase.
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT c.attrelid::regclass AS relation, c.attname AS name,
               CASE right(c.attname, 5)
                   WHEN '_wait' THEN 'Seconds of it before attempts. '
                   WHEN 'still' THEN 'Seconds of it in the queue and between rounds. '
                   ELSE 'Seconds of the phase ' || p.phase || '. ' END || p.means
                   || CASE WHEN p.always_known THEN '' ELSE ' Null while it is not known.' END AS means
        FROM ledger.phases p
        CROSS JOIN (VALUES ('_wait'), ('_standstill'), ('_seconds')) AS made (suffix)
        JOIN pg_attribute c ON c.attname = replace(p.phase, '-', '_') || made.suffix
        JOIN (VALUES ('ledger.attempts_together'::regclass, '_wait'),
                     ('ledger.trigger_waits', '_wait'),
                     ('ledger.trigger_standstills', '_wait'),
                     ('ledger.trigger_standstills', '_standstill'),
                     ('ledger.phase_seconds', '_seconds')) AS v (relation, suffix)
            ON v.relation = c.attrelid AND v.suffix = made.suffix
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', part.relation, part.name, part.means);
    END LOOP;
END
$$;
