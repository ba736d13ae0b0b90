-- The ledger's tables. Times are timestamptz; durations are seconds of the monotonic clock, in columns *_seconds.
--
-- No foreign keys: rows of many triggers are committed together and each key check would cost a look-up on the hot
-- path, and the daily partitions of both big tables are dropped independently.

COMMENT ON SCHEMA ledger IS 'What was done for every trigger; written by the workers alone. Readers use the schema audit.';

-- Alembic made this one a moment ago.
COMMENT ON TABLE ledger.alembic_version IS 'The migration that this database is at.';
COMMENT ON COLUMN ledger.alembic_version.version_num IS 'Its number: the begin of its file''s name in migrations/versions.';

CREATE TABLE ledger.workers (
    worker_id             uuid PRIMARY KEY,
    hostname              text NOT NULL,
    pid                   integer NOT NULL,
    version               text NOT NULL,
    started_at            timestamptz NOT NULL,
    heartbeat_at          timestamptz NOT NULL,
    stopped_at            timestamptz,
    clock_skew_seconds    double precision,
    token_failed_at       timestamptz,
    token_failure         text,
    owner_timeout_seconds double precision NOT NULL,
    budget_seconds        double precision NOT NULL,
    lanes                 text[] NOT NULL,
    definitions           jsonb NOT NULL DEFAULT '{}',
    rate_limits           jsonb NOT NULL DEFAULT '{}',
    rate_recovery_seconds double precision,
    ramp_rate             double precision,
    ramp_doubling_seconds double precision,
    unopened              jsonb NOT NULL DEFAULT '{}',
    waiting               jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50); -- a row is updated at every heartbeat, and no index holds what changes

COMMENT ON TABLE ledger.workers IS 'One row for each worker process that ever ran; its heartbeat says whether it owns its triggers.';
COMMENT ON COLUMN ledger.workers.worker_id IS 'UUIDv7 that the process takes when it starts.';
COMMENT ON COLUMN ledger.workers.hostname IS 'Machine or container it runs on.';
COMMENT ON COLUMN ledger.workers.pid IS 'Process id there.';
COMMENT ON COLUMN ledger.workers.version IS 'Version of ajo-dispatch.';
COMMENT ON COLUMN ledger.workers.started_at IS 'When it started.';
COMMENT ON COLUMN ledger.workers.heartbeat_at IS 'When it last said that it lives, by the database''s clock.';
COMMENT ON COLUMN ledger.workers.stopped_at IS 'When it stopped in good order; null while it runs, or if it died.';
COMMENT ON COLUMN ledger.workers.clock_skew_seconds IS 'Its wall clock minus the database''s, in seconds.';
COMMENT ON COLUMN ledger.workers.token_failed_at IS 'Since when it has asked for an access token in vain; null unless it does now.';
COMMENT ON COLUMN ledger.workers.budget_seconds IS 'The budget that it gives each round.';
COMMENT ON COLUMN ledger.workers.lanes IS 'The lanes that it consumes.';
COMMENT ON COLUMN ledger.workers.definitions IS 'The campaign definitions that it has: by name, the call digests of the triggers that it sends.';
COMMENT ON COLUMN ledger.workers.rate_limits IS 'Calls a second of all workers together, by lane, as it has them.';
COMMENT ON COLUMN ledger.workers.rate_recovery_seconds IS 'Seconds in which a rate that 429s slowed grows back from nothing.';
COMMENT ON COLUMN ledger.workers.ramp_rate IS 'Calls a second with which what was kept back begins again.';
COMMENT ON COLUMN ledger.workers.ramp_doubling_seconds IS 'Seconds in which that rate doubles.';
COMMENT ON COLUMN ledger.workers.unopened IS 'Messages that it has taken from each queue and not yet opened, as of its newest heartbeat.';
COMMENT ON COLUMN ledger.workers.waiting IS 'Triggers that it has in hand, and none of whose calls is under way, by lane and campaign, as of its newest heartbeat.';
COMMENT ON COLUMN ledger.workers.token_failure IS 'What the newest of these failures was; nothing secret.';
COMMENT ON COLUMN ledger.workers.owner_timeout_seconds IS 'Without a heartbeat for that long, it counts as dead.';

-- Who lives, and since when and until when: nothing else says it. Nobody can beat while the database is away: its start
-- counts as everybody's heartbeat, unless its clock was set back behind it since. The time is the statement's, and not the
-- clock's, so that they are inlined.
CREATE FUNCTION ledger.database_start() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN pg_postmaster_start_time() <= statement_timestamp() THEN pg_postmaster_start_time() END;

CREATE FUNCTION ledger.last_sign(worker ledger.workers) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(worker.stopped_at, greatest(worker.heartbeat_at, ledger.database_start()));

CREATE FUNCTION ledger.lives(worker ledger.workers) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN worker.worker_id IS NOT NULL AND worker.stopped_at IS NULL
        AND greatest(worker.heartbeat_at, ledger.database_start())
            > statement_timestamp() - make_interval(secs => worker.owner_timeout_seconds);

CREATE FUNCTION ledger.lived(worker ledger.workers) RETURNS tstzrange
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN tstzrange(worker.started_at, CASE WHEN ledger.lives(worker) THEN 'infinity'
        ELSE greatest(worker.started_at, coalesce(worker.stopped_at, worker.heartbeat_at)) END);

CREATE FUNCTION ledger.worker_status(worker ledger.workers) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN worker.worker_id IS NULL THEN 'unknown' WHEN worker.stopped_at IS NOT NULL THEN 'stopped'
                WHEN ledger.lives(worker) THEN 'alive' ELSE 'dead' END;

CREATE FUNCTION ledger.knows(worker ledger.workers, of_campaign text, digest text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN worker.definitions ? of_campaign AND (digest = '' OR worker.definitions -> of_campaign ? digest);

COMMENT ON FUNCTION ledger.knows IS 'Whether a worker has a definition by which it sends the triggers of a campaign with this call digest; with none (empty), any definition of that name will do.';
COMMENT ON FUNCTION ledger.database_start IS 'When the database started; null if its clock was set back behind that since.';
COMMENT ON FUNCTION ledger.last_sign IS 'When a worker last said that it lives, or that it stops; the database''s start counts as a heartbeat of all that had not stopped.';
COMMENT ON FUNCTION ledger.lives IS 'Whether a worker lives: it has not stopped, and its newest heartbeat, or the database''s start, is younger than its owner_timeout_seconds. False for no row.';
COMMENT ON FUNCTION ledger.lived IS 'When a worker lived: from its start until it stopped, or until the last heartbeat of one that died; without an end while it lives.';
COMMENT ON FUNCTION ledger.worker_status IS 'alive, dead (it doesn''t live, and didn''t stop), stopped, or unknown for no row.';

CREATE TABLE ledger.triggers (
    request_id          uuid NOT NULL,
    batch_id            uuid NOT NULL,
    owner               uuid,
    occurred_at         timestamptz,
    outbox_at           timestamptz,
    enqueued_at         timestamptz NOT NULL,
    received_at         timestamptz NOT NULL,
    round_opened_at     timestamptz,
    first_dispatched_at timestamptz,
    last_intent_at      timestamptz,
    completed_at        timestamptz,
    expires_at          timestamptz,
    fence               integer NOT NULL DEFAULT 1,
    redeliveries        integer NOT NULL DEFAULT 0,
    recipients          smallint NOT NULL,
    round               smallint NOT NULL DEFAULT 1,
    attempts_started    smallint NOT NULL DEFAULT 0,
    possible_duplicate  boolean NOT NULL DEFAULT false,
    campaign            text NOT NULL,
    lane                text NOT NULL,
    state               text NOT NULL,
    reason              text,
    producer            text NOT NULL,
    trace_id            text,
    execution_id        text,
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

COMMENT ON TABLE ledger.triggers IS 'One row for each trigger that a worker ever received: who asked, whose turn it is, how it ended. Daily partitions by request_id (UUIDv7).';
COMMENT ON COLUMN ledger.triggers.request_id IS 'Adobe''s requestId: the same in every attempt and round.';
COMMENT ON COLUMN ledger.triggers.batch_id IS 'The broker message it first came with.';
COMMENT ON COLUMN ledger.triggers.owner IS 'The worker that has it in hand, or had it last; null once a stopping worker gave it up.';
COMMENT ON COLUMN ledger.triggers.occurred_at IS 'When the business event happened, by its source''s clock; null if the producer didn''t say.';
COMMENT ON COLUMN ledger.triggers.outbox_at IS 'When the producer added it to its outbox, by the producer''s clock; null if it was published without one.';
COMMENT ON COLUMN ledger.triggers.enqueued_at IS 'When the producer handed it to a connection to the broker that stood, by the producer''s clock.';
COMMENT ON COLUMN ledger.triggers.received_at IS 'When a worker first received it, by the ledger''s clock. Never changed.';
COMMENT ON COLUMN ledger.triggers.round_opened_at IS 'When the current round was opened by a redrive or after an outage; null in round 1, which opens at received_at.';
COMMENT ON COLUMN ledger.triggers.first_dispatched_at IS 'First dispatch of the current round: its budget counts from here.';
COMMENT ON COLUMN ledger.triggers.last_intent_at IS 'When the newest attempt was announced; that attempt may have no row in ledger.attempts yet.';
COMMENT ON COLUMN ledger.triggers.completed_at IS 'When it came to its end; null while sending or parked.';
COMMENT ON COLUMN ledger.triggers.expires_at IS 'No attempt starts after this; null for never.';
COMMENT ON COLUMN ledger.triggers.fence IS 'Grows with each takeover: a worker that lost the trigger can announce no attempt.';
COMMENT ON COLUMN ledger.triggers.redeliveries IS 'Copies from the broker that took it over from a dead worker.';
COMMENT ON COLUMN ledger.triggers.recipients IS 'How many recipients it has (1 to 20).';
COMMENT ON COLUMN ledger.triggers.round IS 'Which budget it is in; a redrive opens the next.';
COMMENT ON COLUMN ledger.triggers.attempts_started IS 'Attempts announced in this round.';
COMMENT ON COLUMN ledger.triggers.possible_duplicate IS 'True if its recipients may have got the message twice, or a call that its worker''s death or freeze cut off may yet be finished.';
COMMENT ON COLUMN ledger.triggers.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.triggers.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.triggers.state IS 'sending, accepted, rejected, expired, unconfirmed or parked.';
COMMENT ON COLUMN ledger.triggers.reason IS 'Why it ended, if not accepted, or why it is parked.';
COMMENT ON COLUMN ledger.triggers.producer IS 'The application that published it.';
COMMENT ON COLUMN ledger.triggers.trace_id IS 'The producer''s trace id, if it gave one.';
COMMENT ON COLUMN ledger.triggers.execution_id IS 'Adobe''s executionId, from the 202.';
COMMENT ON COLUMN ledger.triggers.recipient_hashes IS 'Keyed hashes of the recipients'' user ids; null without a key.';
COMMENT ON COLUMN ledger.triggers.content_digest IS 'Keyed digest of its recipients and content, of this trigger alone: a copy with another one is in ledger.differing_copies.';
COMMENT ON COLUMN ledger.triggers.waited_in_vain IS 'How long its round waited for an attempt that was not made after all, and so has no row: seconds by column of ledger.attempts. Null if it ended otherwise.';
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

COMMENT ON TABLE ledger.attempts IS 'One row for each HTTP call that came to an end, or was cut off by its worker''s death. Daily partitions by request_id (UUIDv7), as ledger.triggers.';
COMMENT ON COLUMN ledger.attempts.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.attempts.worker IS 'The worker that made the call.';
COMMENT ON COLUMN ledger.attempts.intended_at IS 'When it was announced in the ledger: no intent, no send.';
COMMENT ON COLUMN ledger.attempts.dispatched_at IS 'When the HTTP call began; for an interrupted attempt its announcement, the last that is known of it.';
COMMENT ON COLUMN ledger.attempts.responded_at IS 'When the call ended: the arrival of the answer''s last byte, whenever the worker took it, or what broke the call; null if it was interrupted.';
COMMENT ON COLUMN ledger.attempts.intake_wait_seconds IS 'Seconds that the worker''s loop had not come round to it: to its message or its new round (first attempts), and to begin its call.';
COMMENT ON COLUMN ledger.attempts.backoff_wait_seconds IS 'Seconds of back-off before it; null (like all waits) if it was interrupted.';
COMMENT ON COLUMN ledger.attempts.slot_wait_seconds IS 'Seconds it waited for its turn among the attempts in flight, as it would have done with calls that were not slow.';
COMMENT ON COLUMN ledger.attempts.congestion_wait_seconds IS 'Seconds longer that it waited for its turn since calls in flight were slow.';
COMMENT ON COLUMN ledger.attempts.rate_limit_wait_seconds IS 'Seconds it was held back by a rate limit, as it is configured.';
COMMENT ON COLUMN ledger.attempts.throttle_wait_seconds IS 'Seconds longer that it was held back since answers 429 had slowed the rate.';
COMMENT ON COLUMN ledger.attempts.ramp_wait_seconds IS 'Seconds longer that it was held back while the rate came back after an outage.';
COMMENT ON COLUMN ledger.attempts.silence_wait_seconds IS 'Seconds it was held back since its destination answered nothing.';
COMMENT ON COLUMN ledger.attempts.token_wait_seconds IS 'Seconds it waited for an access token.';
COMMENT ON COLUMN ledger.attempts.ledger_wait_seconds IS 'Seconds until its announcement was committed.';
COMMENT ON COLUMN ledger.attempts.to_headers_seconds IS 'Seconds from the dispatch to the answer''s headers; null without an answer.';
COMMENT ON COLUMN ledger.attempts.to_body_seconds IS 'Seconds from the dispatch to the end of the answer''s body, or of the failure.';
COMMENT ON COLUMN ledger.attempts.lag_seconds IS 'Seconds from responded_at until the worker took the answer: its own lag, and not Adobe''s.';
COMMENT ON COLUMN ledger.attempts.retry_after_seconds IS 'What the answer''s Retry-After asked for, in seconds.';
COMMENT ON COLUMN ledger.attempts.round IS 'The round it belongs to.';
COMMENT ON COLUMN ledger.attempts.attempt IS 'Number within the round, from 1.';
COMMENT ON COLUMN ledger.attempts.http_status IS 'Status of the answer; null without one.';
COMMENT ON COLUMN ledger.attempts.ambiguous IS 'True if Adobe may have accepted it although no 202 was seen.';
COMMENT ON COLUMN ledger.attempts.outcome IS 'accepted, refused, retryable, unauthorized or interrupted (its worker died).';
COMMENT ON COLUMN ledger.attempts.failure IS 'Kind of transport failure, if there was no usable answer.';
COMMENT ON COLUMN ledger.attempts.error_code IS 'Adobe''s error code, of the service or the gateway.';
COMMENT ON COLUMN ledger.attempts.error_title IS 'Adobe''s short text of the error.';
COMMENT ON COLUMN ledger.attempts.answered_request_id IS 'The requestId that the answer named, where it wasn''t the trigger''s: the gateway''s own, or, if the attempt is a stray answer, another trigger''s.';
COMMENT ON COLUMN ledger.attempts.adobe_request_id IS 'The gateway''s own x-request-id, which Adobe''s support asks for.';
COMMENT ON COLUMN ledger.attempts.execution_id IS 'Adobe''s executionId, from the 202.';

CREATE TABLE ledger.held_payloads (
    request_id  uuid PRIMARY KEY,
    resumed_by  uuid,
    held_at     timestamptz NOT NULL,
    resume_at   timestamptz,
    round       smallint NOT NULL,
    campaign    text NOT NULL,
    call_digest text NOT NULL DEFAULT '',
    reason      text NOT NULL,
    key_id      text,
    payload     bytea NOT NULL
);

-- Two short indexes: most rows are dead letters, in neither.
CREATE INDEX held_payloads_resumable ON ledger.held_payloads (campaign, call_digest, resume_at)
    WHERE resume_at IS NOT NULL;
CREATE INDEX held_payloads_resumed ON ledger.held_payloads (resumed_by) WHERE resumed_by IS NOT NULL;

COMMENT ON TABLE ledger.held_payloads IS 'Payloads of parked triggers and dead letters, and of what was resumed and is not yet accepted; of no others.';
COMMENT ON COLUMN ledger.held_payloads.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.held_payloads.resumed_by IS 'The worker that resumed it and has it in hand; null while parked, and for dead letters.';
COMMENT ON COLUMN ledger.held_payloads.held_at IS 'Since when.';
COMMENT ON COLUMN ledger.held_payloads.resume_at IS 'From when on a parked trigger may go on, once nothing holds its campaign; null for dead letters and what was resumed.';
COMMENT ON COLUMN ledger.held_payloads.round IS 'The round after which it was held.';
COMMENT ON COLUMN ledger.held_payloads.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.held_payloads.call_digest IS 'Which definition of that name it was made by, and must be sent by; empty if any will do: its producer didn''t say, or an operator redrove it.';
COMMENT ON COLUMN ledger.held_payloads.reason IS 'Why: the trigger''s reason.';
COMMENT ON COLUMN ledger.held_payloads.key_id IS 'The key it is encrypted with; null for plain.';
COMMENT ON COLUMN ledger.held_payloads.payload IS 'The trigger as JSON, as batches carry it.';

CREATE TABLE ledger.differing_copies (
    request_id       uuid NOT NULL,
    batch_id         uuid NOT NULL,
    worker           uuid NOT NULL,
    first_seen_at    timestamptz NOT NULL,
    last_seen_at     timestamptz NOT NULL,
    enqueued_at      timestamptz NOT NULL,
    copies           bigint NOT NULL,
    recipients       smallint NOT NULL,
    campaign         text NOT NULL,
    producer         text NOT NULL,
    trace_id         text,
    content_digest   bytea NOT NULL,
    recipient_hashes bytea[],
    CONSTRAINT differing_copies_pkey PRIMARY KEY (request_id, content_digest)
);

CREATE INDEX differing_copies_seen ON ledger.differing_copies (last_seen_at);

COMMENT ON TABLE ledger.differing_copies IS 'Copies of known triggers with other recipients or other content: one key stood for two messages, and only the first is ever sent.';
COMMENT ON COLUMN ledger.differing_copies.request_id IS 'The trigger whose request id it had.';
COMMENT ON COLUMN ledger.differing_copies.batch_id IS 'The broker message it first came with.';
COMMENT ON COLUMN ledger.differing_copies.worker IS 'The worker that first received it.';
COMMENT ON COLUMN ledger.differing_copies.first_seen_at IS 'When a worker first received it, by the ledger''s clock.';
COMMENT ON COLUMN ledger.differing_copies.last_seen_at IS 'When it came last.';
COMMENT ON COLUMN ledger.differing_copies.enqueued_at IS 'When it was first published, by the producer''s clock.';
COMMENT ON COLUMN ledger.differing_copies.copies IS 'How often it came with this content.';
COMMENT ON COLUMN ledger.differing_copies.recipients IS 'How many recipients it has.';
COMMENT ON COLUMN ledger.differing_copies.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.differing_copies.producer IS 'The application that published it.';
COMMENT ON COLUMN ledger.differing_copies.trace_id IS 'The producer''s trace id, if it gave one.';
COMMENT ON COLUMN ledger.differing_copies.content_digest IS 'Keyed digest of its recipients and content.';
COMMENT ON COLUMN ledger.differing_copies.recipient_hashes IS 'Keyed hashes of its recipients'' user ids; null without a key.';

CREATE TABLE ledger.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at   timestamptz NOT NULL,
    worker        uuid NOT NULL,
    body_bytes    integer NOT NULL,
    queue         text NOT NULL,
    reason        text NOT NULL,
    headers       jsonb,
    body          bytea NOT NULL
);

COMMENT ON TABLE ledger.quarantine IS 'Messages and triggers that could not be read, kept raw and bounded, so that nothing is ever dropped unread.';
COMMENT ON COLUMN ledger.quarantine.quarantine_id IS 'Number of the row.';
COMMENT ON COLUMN ledger.quarantine.received_at IS 'When a worker received it.';
COMMENT ON COLUMN ledger.quarantine.worker IS 'That worker.';
COMMENT ON COLUMN ledger.quarantine.body_bytes IS 'Length of the whole body.';
COMMENT ON COLUMN ledger.quarantine.queue IS 'The queue it came from.';
COMMENT ON COLUMN ledger.quarantine.reason IS 'What could not be read.';
COMMENT ON COLUMN ledger.quarantine.headers IS 'Its plain headers.';
COMMENT ON COLUMN ledger.quarantine.body IS 'The first 64 kB of the body.';

CREATE TABLE ledger.campaigns (
    name            text NOT NULL,
    digest          text NOT NULL,
    campaign_id     text NOT NULL,
    lane            text NOT NULL,
    first_loaded_at timestamptz NOT NULL,
    last_loaded_at  timestamptz NOT NULL,
    loaded_by       uuid NOT NULL,
    definition      jsonb NOT NULL,
    CONSTRAINT campaigns_pkey PRIMARY KEY (name, digest)
);

COMMENT ON TABLE ledger.campaigns IS 'Every campaign definition that a worker ever ran with; a changed definition is a new row.';
COMMENT ON COLUMN ledger.campaigns.name IS 'Name of the definition''s file.';
COMMENT ON COLUMN ledger.campaigns.digest IS 'Digest of the definition''s content.';
COMMENT ON COLUMN ledger.campaigns.campaign_id IS 'Adobe''s campaignId.';
COMMENT ON COLUMN ledger.campaigns.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.campaigns.first_loaded_at IS 'When a worker first ran with it.';
COMMENT ON COLUMN ledger.campaigns.last_loaded_at IS 'When a worker last started with it.';
COMMENT ON COLUMN ledger.campaigns.loaded_by IS 'That worker.';
COMMENT ON COLUMN ledger.campaigns.definition IS 'The definition.';
