CREATE TABLE ledger.triggers (
    request_id          uuid NOT NULL,
    batch_id            uuid NOT NULL,
    owner               uuid,
    fence               integer NOT NULL DEFAULT 1,
    redeliveries        integer NOT NULL DEFAULT 0,
    recipients          smallint NOT NULL,
    round               smallint NOT NULL DEFAULT 1,
    attempts_started    smallint NOT NULL DEFAULT 0,
    possible_duplicate  boolean NOT NULL DEFAULT false,
    occurred_at         timestamptz,
    outbox_at           timestamptz,
    enqueued_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    expires_at          timestamptz,
    round_opened_at     timestamptz,
    last_intent_at      timestamptz,
    -- What changes at the end stands together: an update's WAL holds all from the first byte that differs to the last.
    first_dispatched_at timestamptz,
    completed_at        timestamptz,
    state               text NOT NULL,
    reason              text,
    execution_id        text,
    campaign            text NOT NULL,
    lane                text NOT NULL,
    producer            text NOT NULL,
    trace_id            text,
    recipient_hashes    bytea[],
    content_digest      bytea,
    duplicate_causes    text[] NOT NULL DEFAULT '{}',
    waited_in_vain      jsonb,
    CONSTRAINT triggers_pkey PRIMARY KEY (request_id),
    -- Moments beyond these overflow in one reader or the other, and one such row would blind them all.
    CONSTRAINT triggers_moments CHECK (
        (occurred_at IS NULL OR occurred_at >= '2000-01-01 00:00+00' AND occurred_at < '2100-01-01 00:00+00')
        AND (outbox_at IS NULL OR outbox_at >= '2000-01-01 00:00+00' AND outbox_at < '2100-01-01 00:00+00')
        AND enqueued_at >= '2000-01-01 00:00+00' AND enqueued_at < '2100-01-01 00:00+00'
        AND (expires_at IS NULL OR expires_at >= '2000-01-01 00:00+00' AND expires_at < '2100-01-01 00:00+00')),
    CONSTRAINT triggers_state CHECK (state IN ('sending', 'accepted', 'rejected', 'expired', 'unconfirmed', 'parked'))
) PARTITION BY RANGE (request_id);

-- Every trigger's row is updated once or more, so no index may hold a column that changes: then the update stays
-- inside its page (HOT) and touches no index. Therefore no index on state or owner: see docs/ledger.md for the figures.
-- received_at never changes, and rows come nearly in its order: a block range index of a few pages finds "since".
CREATE INDEX triggers_received ON ledger.triggers USING brin (received_at)
    WITH (pages_per_range = 32, autosummarize = on);

-- Few are ever marked, and the mark never goes: this index is touched by the marking alone.
CREATE INDEX triggers_duplicates ON ledger.triggers (received_at) WHERE possible_duplicate;

COMMENT ON TABLE ledger.triggers IS
    'One row for each trigger that a worker ever received: who asked, whose turn it is, how it ended. Daily '
    'partitions by request_id (UUIDv7).';
COMMENT ON COLUMN ledger.triggers.request_id IS 'Adobe''s requestId: the same in every attempt and round.';
COMMENT ON COLUMN ledger.triggers.batch_id IS 'The broker message it first came with.';
COMMENT ON COLUMN ledger.triggers.owner IS
    'The worker that has it in hand, or had it last; null once a stopping worker gave it up.';
COMMENT ON COLUMN ledger.triggers.occurred_at IS
    'When the business event happened, by its source''s clock; null if the producer didn''t say.';
COMMENT ON COLUMN ledger.triggers.outbox_at IS
    'When the producer added it to its outbox, by the producer''s clock; null if it was published without one.';
COMMENT ON COLUMN ledger.triggers.enqueued_at IS
    'When the producer handed it to a connection to the broker that stood, by the producer''s clock.';
COMMENT ON COLUMN ledger.triggers.received_at IS
    'When a worker first received it, by the ledger''s clock. Never changed.';
COMMENT ON COLUMN ledger.triggers.round_opened_at IS
    'When the current round was opened by a redrive or after an outage; null in round 1, which opens at received_at.';
COMMENT ON COLUMN ledger.triggers.first_dispatched_at IS
    'First dispatch of the current round: its budget counts from here.';
COMMENT ON COLUMN ledger.triggers.last_intent_at IS
    'When the newest attempt was announced; that attempt may have no row in ledger.attempts yet.';
COMMENT ON COLUMN ledger.triggers.completed_at IS 'When it came to its end; null while sending or parked.';
COMMENT ON COLUMN ledger.triggers.expires_at IS 'No attempt starts after this; null for never.';
COMMENT ON COLUMN ledger.triggers.fence IS
    'Grows with each takeover: a worker that lost the trigger can announce no attempt.';
COMMENT ON COLUMN ledger.triggers.redeliveries IS 'Copies from the broker that took it over from a dead worker.';
COMMENT ON COLUMN ledger.triggers.recipients IS 'How many recipients it has (1 to 20).';
COMMENT ON COLUMN ledger.triggers.round IS 'Which budget it is in; a redrive opens the next.';
COMMENT ON COLUMN ledger.triggers.attempts_started IS 'Attempts announced in this round.';
COMMENT ON COLUMN ledger.triggers.possible_duplicate IS
    'True if its recipients may have got the message twice, or a call that its worker''s death or freeze cut off may '
    'yet be finished.';
COMMENT ON COLUMN ledger.triggers.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.triggers.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.triggers.state IS 'sending, accepted, rejected, expired, unconfirmed or parked.';
COMMENT ON COLUMN ledger.triggers.reason IS 'Why it ended, if not accepted, or why it is parked.';
COMMENT ON COLUMN ledger.triggers.producer IS 'The application that published it.';
COMMENT ON COLUMN ledger.triggers.trace_id IS 'The producer''s trace id, if it gave one.';
COMMENT ON COLUMN ledger.triggers.execution_id IS 'Adobe''s executionId, from the 202.';
COMMENT ON COLUMN ledger.triggers.recipient_hashes IS 'Keyed hashes of the recipients'' user ids; null without a key.';
COMMENT ON COLUMN ledger.triggers.content_digest IS
    'Keyed digest of its recipients and content, of this trigger alone: a copy with another one is in '
    'ledger.differing_copies.';
COMMENT ON COLUMN ledger.triggers.waited_in_vain IS
    'How long its round waited for an attempt that was not made after all, and so has no row: seconds by column of '
    'ledger.attempts. Null if it ended otherwise.';
COMMENT ON COLUMN ledger.triggers.duplicate_causes IS 'Why it may be a duplicate: ambiguous-answer, worker-crash.';

CREATE TABLE ledger.attempts (
    request_id              uuid NOT NULL,
    worker                  uuid NOT NULL,
    intended_at             timestamptz NOT NULL,
    dispatched_at           timestamptz NOT NULL,
    responded_at            timestamptz,
    intake_wait_seconds     double precision,
    backoff_wait_seconds    double precision,
    slot_wait_seconds       double precision,
    congestion_wait_seconds double precision,
    rate_limit_wait_seconds double precision,
    throttle_wait_seconds   double precision,
    ramp_wait_seconds       double precision,
    silence_wait_seconds    double precision,
    token_wait_seconds      double precision,
    ledger_wait_seconds     double precision,
    to_headers_seconds      double precision,
    to_body_seconds         double precision,
    lag_seconds             double precision,
    retry_after_seconds     double precision,
    round                   smallint NOT NULL,
    attempt                 smallint NOT NULL,
    http_status             smallint,
    ambiguous               boolean NOT NULL,
    outcome                 text NOT NULL,
    failure                 text,
    error_code              text,
    error_title             text,
    adobe_request_id        text,
    answered_request_id     text,
    execution_id            text,
    CONSTRAINT attempts_pkey PRIMARY KEY (request_id, round, attempt),
    CONSTRAINT attempts_outcome CHECK
        (outcome IN ('accepted', 'refused', 'retryable', 'unauthorized', 'interrupted'))
) PARTITION BY RANGE (request_id);

-- Feedback names an execution. Rows here are inserted once, so an index costs no update its place in the page; and a
-- trigger that was accepted twice has two executions.
CREATE INDEX attempts_execution ON ledger.attempts USING hash (execution_id) WHERE execution_id IS NOT NULL;

-- Answers that were taken for those to other calls: none, as a rule.
CREATE INDEX attempts_stray ON ledger.attempts (responded_at)
    WHERE answered_request_id IS NOT NULL AND outcome <> 'accepted';

COMMENT ON TABLE ledger.attempts IS
    'One row for each HTTP call that came to an end, or was cut off by its worker''s death. Daily partitions by '
    'request_id (UUIDv7), as ledger.triggers.';
COMMENT ON COLUMN ledger.attempts.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.attempts.worker IS 'The worker that made the call.';
COMMENT ON COLUMN ledger.attempts.intended_at IS 'When it was announced in the ledger: no intent, no send.';
COMMENT ON COLUMN ledger.attempts.dispatched_at IS
    'When the HTTP call began; for an interrupted attempt its announcement, the last that is known of it.';
COMMENT ON COLUMN ledger.attempts.responded_at IS
    'When the call ended: the arrival of the answer''s last byte, whenever the worker took it, or what broke the '
    'call; null if it was interrupted.';
COMMENT ON COLUMN ledger.attempts.intake_wait_seconds IS
    'Seconds that the worker''s loop had not come round to it: to its message or its new round (first attempts), and '
    'to begin its call.';
COMMENT ON COLUMN ledger.attempts.backoff_wait_seconds IS
    'Seconds of back-off before it. Null, like all waits, if there was none, or if it was interrupted.';
COMMENT ON COLUMN ledger.attempts.slot_wait_seconds IS
    'Seconds it waited for its turn among the attempts in flight, as it would have done with calls that were not slow.';
COMMENT ON COLUMN ledger.attempts.congestion_wait_seconds IS
    'Seconds longer that it waited for its turn since calls in flight were slow.';
COMMENT ON COLUMN ledger.attempts.rate_limit_wait_seconds IS
    'Seconds it was held back by a rate limit, as it is configured.';
COMMENT ON COLUMN ledger.attempts.throttle_wait_seconds IS
    'Seconds longer that it was held back since answers 429 had slowed the rate.';
COMMENT ON COLUMN ledger.attempts.ramp_wait_seconds IS
    'Seconds longer that it was held back while the rate came back after an outage of Adobe''s.';
COMMENT ON COLUMN ledger.attempts.silence_wait_seconds IS
    'Seconds it was held back since its destination answered nothing.';
COMMENT ON COLUMN ledger.attempts.token_wait_seconds IS 'Seconds it waited for an access token.';
COMMENT ON COLUMN ledger.attempts.ledger_wait_seconds IS
    'Seconds until the ledger gave permits, and committed its announcement.';
COMMENT ON COLUMN ledger.attempts.to_headers_seconds IS
    'Seconds from the dispatch to the answer''s headers; null without an answer.';
COMMENT ON COLUMN ledger.attempts.to_body_seconds IS
    'Seconds from the dispatch to the end of the answer''s body, or of the failure.';
COMMENT ON COLUMN ledger.attempts.lag_seconds IS
    'Seconds from responded_at until the worker took the answer: its own lag, and not Adobe''s.';
COMMENT ON COLUMN ledger.attempts.retry_after_seconds IS 'What the answer''s Retry-After asked for, in seconds.';
COMMENT ON COLUMN ledger.attempts.round IS 'The round it belongs to.';
COMMENT ON COLUMN ledger.attempts.attempt IS 'Number within the round, from 1.';
COMMENT ON COLUMN ledger.attempts.http_status IS 'Status of the answer; null without one.';
COMMENT ON COLUMN ledger.attempts.ambiguous IS 'True if Adobe may have accepted it although no 202 was seen.';
COMMENT ON COLUMN ledger.attempts.outcome IS
    'accepted, refused, retryable, unauthorized or interrupted (its worker died).';
COMMENT ON COLUMN ledger.attempts.failure IS 'Kind of transport failure, if there was no usable answer.';
COMMENT ON COLUMN ledger.attempts.error_code IS 'Adobe''s error code, of the service or the gateway.';
COMMENT ON COLUMN ledger.attempts.error_title IS 'Adobe''s short text of the error.';
COMMENT ON COLUMN ledger.attempts.answered_request_id IS
    'The requestId that the answer named, where it wasn''t the trigger''s: the gateway''s own, or, if the attempt is '
    'a stray answer, another trigger''s.';
COMMENT ON COLUMN ledger.attempts.adobe_request_id IS
    'The gateway''s own x-request-id, which Adobe''s support asks for.';
COMMENT ON COLUMN ledger.attempts.execution_id IS 'Adobe''s executionId, from the 202.';
