-- Where each trigger's time went: phases that follow one another from the event to the end, of the current round.
--
--   event -> enqueued -> received -> (round opened) -> first dispatch -> … attempts and waits … -> last answer -> end
--   producer   broker      earlier rounds    worker      api, own wait, handover                   ending
--
-- Instants of different machines are subtracted as they are: a negative phase is skew, and is shown. What the phases
-- don't explain is residual_seconds; with it they sum to total_seconds. Time that a durations column does not know
-- (an interrupted attempt's) is no guess's business: it is in handover_seconds, from that attempt to the next.

CREATE VIEW audit.delays AS
SELECT t.request_id, t.campaign, t.lane, t.state, t.reason, t.round, a.attempts,
       t.received_at, t.completed_at,
       p.producer_seconds, p.broker_seconds, p.earlier_rounds_seconds, p.worker_seconds,
       a.worker_slot_seconds, a.worker_rate_limit_seconds, a.worker_token_seconds, a.worker_ledger_seconds,
       p.worker_seconds - coalesce(a.worker_slot_seconds, 0) - coalesce(a.worker_rate_limit_seconds, 0)
           - coalesce(a.worker_token_seconds, 0) - coalesce(a.worker_ledger_seconds, 0) AS worker_other_seconds,
       a.own_wait_seconds, a.api_seconds, p.handover_seconds, p.ending_seconds,
       total.seconds AS total_seconds,
       total.seconds - (coalesce(p.producer_seconds, 0) + p.broker_seconds + p.earlier_rounds_seconds
           + p.worker_seconds + a.own_wait_seconds + a.api_seconds + p.handover_seconds + p.ending_seconds
       ) AS residual_seconds,
       p.broker_seconds < 0 OR coalesce(p.producer_seconds < 0, false) AS clock_skew
FROM ledger.triggers t
CROSS JOIN LATERAL (SELECT coalesce(t.round_opened_at, t.received_at) AS at) AS opened
-- The attempts of the round. A look-up for each trigger: its cost grows with the triggers asked for, not with the table.
CROSS JOIN LATERAL (
    SELECT count(*)::int2 AS attempts,
           min(dispatched_at) AS first_dispatched_at,
           max(answered_at) AS last_answered_at,
           max(attempt) FILTER (WHERE outcome = 'interrupted') IS NOT NULL AS interrupted,
           coalesce(max(attempt) FILTER (WHERE outcome = 'interrupted') = max(attempt), false) AS interrupted_last,
           sum(slot_wait_seconds) FILTER (WHERE attempt = 1) AS worker_slot_seconds,
           sum(rate_limit_wait_seconds) FILTER (WHERE attempt = 1) AS worker_rate_limit_seconds,
           sum(token_wait_seconds) FILTER (WHERE attempt = 1) AS worker_token_seconds,
           sum(ledger_wait_seconds) FILTER (WHERE attempt = 1) AS worker_ledger_seconds,
           coalesce(sum(wait_seconds) FILTER (WHERE attempt > 1), 0) AS own_wait_seconds,
           coalesce(sum(call_seconds), 0) AS api_seconds,
           -- From each answer to the begin of the next attempt's waits: all begins but the first, less all answers but
           -- the last, both counted from the opening of the round.
           coalesce(sum(extract(epoch FROM dispatched_at - opened.at)::float8 - wait_seconds)
                        FILTER (WHERE attempt > 1), 0)
               - (sum(extract(epoch FROM answered_at - opened.at)::float8)
                  - extract(epoch FROM max(answered_at) - opened.at)::float8) AS gap_seconds
    FROM (
        SELECT attempt, outcome, dispatched_at, coalesce(responded_at, dispatched_at) AS answered_at,
               slot_wait_seconds, rate_limit_wait_seconds, token_wait_seconds, ledger_wait_seconds,
               coalesce(backoff_wait_seconds, 0) + coalesce(slot_wait_seconds, 0) + coalesce(rate_limit_wait_seconds, 0)
                   + coalesce(token_wait_seconds, 0) + coalesce(ledger_wait_seconds, 0) AS wait_seconds,
               coalesce(to_body_seconds, to_headers_seconds, extract(epoch FROM responded_at - dispatched_at)::float8)
                   AS call_seconds
        FROM ledger.attempts
        WHERE request_id = t.request_id AND round = t.round
    ) AS attempt
) AS a
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM t.enqueued_at - t.occurred_at)::float8 AS producer_seconds,
           extract(epoch FROM t.received_at - t.enqueued_at)::float8 AS broker_seconds,
           extract(epoch FROM opened.at - t.received_at)::float8 AS earlier_rounds_seconds,
           -- A trigger that was never dispatched spent all of it here.
           extract(epoch FROM coalesce(a.first_dispatched_at, t.completed_at) - opened.at)::float8 AS worker_seconds,
           CASE WHEN a.interrupted OR t.fence > 1 THEN coalesce(a.gap_seconds, 0) ELSE 0 END
               + CASE WHEN a.interrupted_last
                      THEN coalesce(extract(epoch FROM t.completed_at - a.last_answered_at)::float8, 0)
                      ELSE 0 END AS handover_seconds,
           CASE WHEN t.completed_at IS NULL THEN NULL
                WHEN a.attempts = 0 OR a.interrupted_last THEN 0
                ELSE extract(epoch FROM t.completed_at - a.last_answered_at)::float8 END AS ending_seconds
) AS p
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM t.completed_at - coalesce(t.occurred_at, t.enqueued_at))::float8 AS seconds
) AS total;

COMMENT ON VIEW audit.delays IS 'One row for each trigger: the phases of its way, in seconds. Phases and residual_seconds sum to total_seconds; a phase that is not over is null, or counts what is known so far.';
COMMENT ON COLUMN audit.delays.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.delays.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN audit.delays.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN audit.delays.state IS 'Its state.';
COMMENT ON COLUMN audit.delays.reason IS 'Why it ended, if not accepted, or why it is parked.';
COMMENT ON COLUMN audit.delays.round IS 'The current round, whose phases these are.';
COMMENT ON COLUMN audit.delays.attempts IS 'Attempts of this round that came to an end.';
COMMENT ON COLUMN audit.delays.received_at IS 'When a worker first received it: the column to select times by.';
COMMENT ON COLUMN audit.delays.completed_at IS 'When it came to its end.';
COMMENT ON COLUMN audit.delays.producer_seconds IS 'From the business event to publishing; null if the event''s time is unknown, and then not part of the total.';
COMMENT ON COLUMN audit.delays.broker_seconds IS 'From publishing to the worker. Negative: the producer''s clock is ahead of the ledger''s.';
COMMENT ON COLUMN audit.delays.earlier_rounds_seconds IS 'From the worker to the opening of the current round; 0 in round 1.';
COMMENT ON COLUMN audit.delays.worker_seconds IS 'From the worker (or the opening of the round) to the first dispatch; to the end if it was never dispatched.';
COMMENT ON COLUMN audit.delays.worker_slot_seconds IS 'Of it: the wait for a turn among the attempts in flight.';
COMMENT ON COLUMN audit.delays.worker_rate_limit_seconds IS 'Of it: held back by a rate limit.';
COMMENT ON COLUMN audit.delays.worker_token_seconds IS 'Of it: the wait for an access token.';
COMMENT ON COLUMN audit.delays.worker_ledger_seconds IS 'Of it: the commit of the announcement.';
COMMENT ON COLUMN audit.delays.worker_other_seconds IS 'Of it: the rest.';
COMMENT ON COLUMN audit.delays.own_wait_seconds IS 'Waits before later attempts: back-off, turn, rate limit, token, commit.';
COMMENT ON COLUMN audit.delays.api_seconds IS 'Inside HTTP calls that came to an end.';
COMMENT ON COLUMN audit.delays.handover_seconds IS 'From the last sign of a worker that died to the next worker''s first step; 0 if none died.';
COMMENT ON COLUMN audit.delays.ending_seconds IS 'From the last answer to the end: the decision, and waits that no attempt followed.';
COMMENT ON COLUMN audit.delays.total_seconds IS 'From the event (or, if its time is unknown, from publishing) to the end; null before the end.';
COMMENT ON COLUMN audit.delays.residual_seconds IS 'What the phases don''t explain.';
COMMENT ON COLUMN audit.delays.clock_skew IS 'True if a phase between two machines is negative: their clocks disagree by at least that much.';
