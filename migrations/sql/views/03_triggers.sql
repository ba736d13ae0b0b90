-- What ajo_worker.states says, for SQL.
CREATE OR REPLACE FUNCTION ledger.is_dead(of_state text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN of_state IN ('rejected', 'expired', 'unconfirmed');

COMMENT ON FUNCTION ledger.is_dead IS 'Whether a trigger in this state is a dead letter: it ended unaccepted.';

CREATE OR REPLACE VIEW audit.triggers AS
SELECT request_id, campaign, lane, state, reason, round, attempts_started AS attempts,
       occurred_at, outbox_at, enqueued_at, received_at, round_opened_at, first_dispatched_at, last_intent_at,
       completed_at, expires_at,
       extract(epoch FROM completed_at - coalesce(occurred_at, outbox_at, enqueued_at))::float8 AS total_seconds,
       possible_duplicate, duplicate_causes, redeliveries, execution_id, batch_id, producer, trace_id, owner,
       recipients,
       CASE WHEN recipient_hashes IS NOT NULL
            THEN ARRAY(SELECT encode(hash, 'hex') FROM unnest(recipient_hashes) AS hash) END AS recipient_hashes
FROM ledger.triggers;

COMMENT ON VIEW audit.triggers IS 'One row for each trigger: who asked, and how it ended.';
SELECT ledger.describe_like('audit.triggers', 'ledger.triggers');
COMMENT ON COLUMN audit.triggers.attempts IS
    'Attempts announced in this round; the newest may have no row in audit.attempts yet.';
COMMENT ON COLUMN audit.triggers.received_at IS 'When a worker first received it.';
COMMENT ON COLUMN audit.triggers.round_opened_at IS
    'When the current round was opened; null in round 1, which opens at received_at.';
COMMENT ON COLUMN audit.triggers.last_intent_at IS 'When the newest attempt was announced.';
COMMENT ON COLUMN audit.triggers.total_seconds IS
    'Seconds from the event (or, if its time is unknown, from the outbox or publishing) to completed_at.';
COMMENT ON COLUMN audit.triggers.duplicate_causes IS 'Why: ambiguous-answer, worker-crash.';
COMMENT ON COLUMN audit.triggers.owner IS 'The worker that has it, or had it last: audit.workers.worker_id.';
COMMENT ON COLUMN audit.triggers.recipients IS 'How many recipients it has.';
COMMENT ON COLUMN audit.triggers.recipient_hashes IS
    'Keyed hashes of the recipients'' user ids, in hexadecimal; null without a key.';

CREATE OR REPLACE VIEW audit.attempts AS
SELECT request_id, round, attempt, worker, intended_at, dispatched_at, responded_at,
       waited.*,
       to_headers_seconds, to_body_seconds, lag_seconds, retry_after_seconds,
       http_status, error_code, error_title, outcome, ambiguous, failure, adobe_request_id,
       answered_request_id, execution_id
FROM ledger.attempts
CROSS JOIN LATERAL ( -- a wait that was none at all is kept as null
    SELECT coalesce(intake_wait_seconds, none) AS intake_wait_seconds,
           coalesce(backoff_wait_seconds, none) AS backoff_wait_seconds,
           coalesce(slot_wait_seconds, none) AS slot_wait_seconds,
           coalesce(congestion_wait_seconds, none) AS congestion_wait_seconds,
           coalesce(rate_limit_wait_seconds, none) AS rate_limit_wait_seconds,
           coalesce(throttle_wait_seconds, none) AS throttle_wait_seconds,
           coalesce(ramp_wait_seconds, none) AS ramp_wait_seconds,
           coalesce(silence_wait_seconds, none) AS silence_wait_seconds,
           coalesce(token_wait_seconds, none) AS token_wait_seconds,
           coalesce(ledger_wait_seconds, none) AS ledger_wait_seconds
    FROM (SELECT CASE WHEN outcome <> 'interrupted' THEN 0::float8 END) AS n (none)
) AS waited;

COMMENT ON VIEW audit.attempts IS
    'One row for each HTTP call that came to an end, or was cut off by its worker''s death.';
SELECT ledger.describe_like('audit.attempts', 'ledger.attempts');
COMMENT ON COLUMN audit.attempts.intended_at IS 'When it was announced in the ledger.';
COMMENT ON COLUMN audit.attempts.dispatched_at IS
    'When the HTTP call began; for an interrupted attempt its announcement.';
COMMENT ON COLUMN audit.attempts.responded_at IS
    'When the call ended: the arrival of the answer''s last byte, or what broke the call; null if it was interrupted.';
COMMENT ON COLUMN audit.attempts.backoff_wait_seconds IS
    'Seconds of back-off before it; null, like all waits, if it was interrupted.';
COMMENT ON COLUMN audit.attempts.answered_request_id IS
    'The requestId that the answer named, where it wasn''t the trigger''s: the gateway''s own, or, of a call that was '
    'not accepted, another trigger''s.';
