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

COMMENT ON TABLE ledger.held_payloads IS
    'Payloads of parked triggers and dead letters, and of what was resumed and is not yet accepted; of no others.';
COMMENT ON COLUMN ledger.held_payloads.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.held_payloads.resumed_by IS
    'The worker that resumed it and has it in hand; null while parked, and for dead letters.';
COMMENT ON COLUMN ledger.held_payloads.held_at IS 'Since when.';
COMMENT ON COLUMN ledger.held_payloads.resume_at IS
    'From when on a parked trigger may go on, once nothing holds its campaign; null for dead letters and what was '
    'resumed.';
COMMENT ON COLUMN ledger.held_payloads.round IS 'The round after which it was held.';
COMMENT ON COLUMN ledger.held_payloads.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.held_payloads.call_digest IS
    'Which definition of that name it was made by, and must be sent by; empty if any will do: its producer didn''t '
    'say, or an operator redrove it.';
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

COMMENT ON TABLE ledger.differing_copies IS
    'Copies of known triggers with other recipients or other content: one key stood for two messages, and only the '
    'first is ever sent.';
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
COMMENT ON COLUMN ledger.differing_copies.recipient_hashes IS
    'Keyed hashes of its recipients'' user ids; null without a key.';

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

COMMENT ON TABLE ledger.quarantine IS
    'Messages and triggers that could not be read, kept raw and bounded, so that nothing is ever dropped unread.';
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

COMMENT ON TABLE ledger.campaigns IS
    'Every campaign definition that a worker ever ran with; a changed definition is a new row.';
COMMENT ON COLUMN ledger.campaigns.name IS 'Name of the definition''s file.';
COMMENT ON COLUMN ledger.campaigns.digest IS 'Digest of the definition''s content.';
COMMENT ON COLUMN ledger.campaigns.campaign_id IS 'Adobe''s campaignId.';
COMMENT ON COLUMN ledger.campaigns.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.campaigns.first_loaded_at IS 'When a worker first ran with it.';
COMMENT ON COLUMN ledger.campaigns.last_loaded_at IS 'When a worker last started with it.';
COMMENT ON COLUMN ledger.campaigns.loaded_by IS 'That worker.';
COMMENT ON COLUMN ledger.campaigns.definition IS 'The definition.';
