-- What auditors read. Plain views run with their owner's rights, so readers need rights on this schema alone.

COMMENT ON SCHEMA audit IS 'What readers see of the ledger: views, and functions that read.';

CREATE VIEW audit.triggers AS
SELECT request_id, campaign, lane, state, reason, round, attempts_started AS attempts,
       occurred_at, outbox_at, enqueued_at, received_at, round_opened_at, first_dispatched_at, last_intent_at, completed_at,
       expires_at,
       extract(epoch FROM completed_at - coalesce(occurred_at, outbox_at, enqueued_at))::float8 AS total_seconds,
       possible_duplicate, duplicate_causes, redeliveries, execution_id, batch_id, producer, trace_id, owner, recipients,
       CASE WHEN recipient_hashes IS NOT NULL
            THEN ARRAY(SELECT encode(hash, 'hex') FROM unnest(recipient_hashes) AS hash) END AS recipient_hashes
FROM ledger.triggers;

COMMENT ON VIEW audit.triggers IS 'One row for each trigger: who asked, and how it ended.';
COMMENT ON COLUMN audit.triggers.request_id IS 'Adobe''s requestId: the same in every attempt and round.';
COMMENT ON COLUMN audit.triggers.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN audit.triggers.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN audit.triggers.state IS 'sending, accepted, rejected, expired, unconfirmed or parked.';
COMMENT ON COLUMN audit.triggers.reason IS 'Why it ended, if not accepted, or why it is parked.';
COMMENT ON COLUMN audit.triggers.round IS 'Which budget it is in; a redrive opens the next.';
COMMENT ON COLUMN audit.triggers.attempts IS 'Attempts announced in this round; the newest may have no row in audit.attempts yet.';
COMMENT ON COLUMN audit.triggers.occurred_at IS 'When the business event happened, by its source''s clock; null if the producer didn''t say.';
COMMENT ON COLUMN audit.triggers.outbox_at IS 'When the producer added it to its outbox, by the producer''s clock; null if it was published without one.';
COMMENT ON COLUMN audit.triggers.enqueued_at IS 'When the producer handed it to a connection to the broker that stood, by the producer''s clock.';
COMMENT ON COLUMN audit.triggers.received_at IS 'When a worker first received it.';
COMMENT ON COLUMN audit.triggers.round_opened_at IS 'When the current round was opened; null in round 1, which opens at received_at.';
COMMENT ON COLUMN audit.triggers.first_dispatched_at IS 'First dispatch of the current round: its budget counts from here.';
COMMENT ON COLUMN audit.triggers.last_intent_at IS 'When the newest attempt was announced.';
COMMENT ON COLUMN audit.triggers.completed_at IS 'When it came to its end; null while sending or parked.';
COMMENT ON COLUMN audit.triggers.expires_at IS 'No attempt starts after this; null for never.';
COMMENT ON COLUMN audit.triggers.total_seconds IS 'Seconds from the event (or, if its time is unknown, from the outbox or publishing) to completed_at.';
COMMENT ON COLUMN audit.triggers.possible_duplicate IS 'True if its recipients may have got the message twice, or a call that its worker''s death or freeze cut off may yet be finished.';
COMMENT ON COLUMN audit.triggers.duplicate_causes IS 'Why: ambiguous-answer, worker-crash.';
COMMENT ON COLUMN audit.triggers.redeliveries IS 'Copies from the broker that took it over from a dead worker.';
COMMENT ON COLUMN audit.triggers.execution_id IS 'Adobe''s executionId, from the 202.';
COMMENT ON COLUMN audit.triggers.batch_id IS 'The broker message it first came with.';
COMMENT ON COLUMN audit.triggers.producer IS 'The application that published it.';
COMMENT ON COLUMN audit.triggers.trace_id IS 'The producer''s trace id, if it gave one.';
COMMENT ON COLUMN audit.triggers.owner IS 'The worker that has it, or had it last: audit.workers.worker_id.';
COMMENT ON COLUMN audit.triggers.recipients IS 'How many recipients it has.';
COMMENT ON COLUMN audit.triggers.recipient_hashes IS 'Keyed hashes of the recipients'' user ids, in hexadecimal; null without a key.';

CREATE VIEW audit.attempts AS
SELECT request_id, round, attempt, worker, intended_at, dispatched_at, responded_at,
       intake_wait_seconds, backoff_wait_seconds, slot_wait_seconds, congestion_wait_seconds, rate_limit_wait_seconds,
       throttle_wait_seconds, ramp_wait_seconds, silence_wait_seconds, token_wait_seconds, ledger_wait_seconds,
       to_headers_seconds, to_body_seconds, lag_seconds, retry_after_seconds,
       http_status, error_code, error_title, outcome, ambiguous, failure, adobe_request_id,
       answered_request_id, execution_id
FROM ledger.attempts;

COMMENT ON VIEW audit.attempts IS 'One row for each HTTP call that came to an end, or was cut off by its worker''s death.';
COMMENT ON COLUMN audit.attempts.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.attempts.round IS 'The round it belongs to.';
COMMENT ON COLUMN audit.attempts.attempt IS 'Number within the round, from 1.';
COMMENT ON COLUMN audit.attempts.worker IS 'The worker that made the call.';
COMMENT ON COLUMN audit.attempts.intended_at IS 'When it was announced in the ledger.';
COMMENT ON COLUMN audit.attempts.dispatched_at IS 'When the HTTP call began; for an interrupted attempt its announcement.';
COMMENT ON COLUMN audit.attempts.responded_at IS 'When the call ended: the arrival of the answer''s last byte, or what broke the call; null if it was interrupted.';
COMMENT ON COLUMN audit.attempts.intake_wait_seconds IS 'Seconds that the worker''s loop had not come round to it: to its message or its new round (first attempts), and to begin its call.';
COMMENT ON COLUMN audit.attempts.backoff_wait_seconds IS 'Seconds of back-off before it; null (like all waits) if it was interrupted.';
COMMENT ON COLUMN audit.attempts.slot_wait_seconds IS 'Seconds it waited for its turn among the attempts in flight, as it would have done with calls that were not slow.';
COMMENT ON COLUMN audit.attempts.congestion_wait_seconds IS 'Seconds longer that it waited for its turn since calls in flight were slow.';
COMMENT ON COLUMN audit.attempts.rate_limit_wait_seconds IS 'Seconds it was held back by a rate limit, as it is configured.';
COMMENT ON COLUMN audit.attempts.throttle_wait_seconds IS 'Seconds longer that it was held back since answers 429 had slowed the rate.';
COMMENT ON COLUMN audit.attempts.ramp_wait_seconds IS 'Seconds longer that it was held back while the rate came back after an outage.';
COMMENT ON COLUMN audit.attempts.silence_wait_seconds IS 'Seconds it was held back since its destination answered nothing.';
COMMENT ON COLUMN audit.attempts.token_wait_seconds IS 'Seconds it waited for an access token.';
COMMENT ON COLUMN audit.attempts.ledger_wait_seconds IS 'Seconds until its announcement was committed.';
COMMENT ON COLUMN audit.attempts.to_headers_seconds IS 'Seconds from the dispatch to the answer''s headers; null without an answer.';
COMMENT ON COLUMN audit.attempts.to_body_seconds IS 'Seconds from the dispatch to the end of the answer''s body, or of the failure.';
COMMENT ON COLUMN audit.attempts.lag_seconds IS 'Seconds from responded_at until the worker took the answer: its own lag, and not Adobe''s.';
COMMENT ON COLUMN audit.attempts.retry_after_seconds IS 'What the answer''s Retry-After asked for, in seconds.';
COMMENT ON COLUMN audit.attempts.http_status IS 'Status of the answer; null without one.';
COMMENT ON COLUMN audit.attempts.error_code IS 'Adobe''s error code, of the service or the gateway.';
COMMENT ON COLUMN audit.attempts.error_title IS 'Adobe''s short text of the error.';
COMMENT ON COLUMN audit.attempts.outcome IS 'accepted, refused, retryable, unauthorized or interrupted (its worker died).';
COMMENT ON COLUMN audit.attempts.ambiguous IS 'True if Adobe may have accepted it although no 202 was seen.';
COMMENT ON COLUMN audit.attempts.failure IS 'Kind of transport failure, if there was no usable answer.';
COMMENT ON COLUMN audit.attempts.answered_request_id IS 'The requestId that the answer named, where it wasn''t the trigger''s: the gateway''s own, or, of a call that was not accepted, another trigger''s.';
COMMENT ON COLUMN audit.attempts.adobe_request_id IS 'The gateway''s own x-request-id, which Adobe''s support asks for.';
COMMENT ON COLUMN audit.attempts.execution_id IS 'Adobe''s executionId, from the 202.';
