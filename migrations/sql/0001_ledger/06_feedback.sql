-- What Journey Optimizer reports of messages after it accepted them, as it came; and what it means for each trigger.
--
-- A feedback's id is made of it: the instant that it tells of in a UUIDv7's bits (the day of its arrival if it tells of
-- none), a digest of its content in the rest. So the same feedback is stored once, and daily partitions do as for
-- triggers.

CREATE TABLE ledger.feedback (
    feedback_id            uuid NOT NULL,
    request_id             uuid,
    received_at            timestamptz NOT NULL,
    happened_at            timestamptz NOT NULL,
    matched_at             timestamptz,
    match_due_at           timestamptz,
    retry_count            integer,
    happened_at_is_arrival boolean NOT NULL,
    match                  text NOT NULL DEFAULT 'none',
    source                 text NOT NULL,
    status                 text NOT NULL,
    execution_id           text,
    adobe_request_id       text,
    campaign_id            text,
    channel                text,
    failure_category       text,
    failure_type           text,
    failure_code           text,
    failure_reason         text,
    recipient_hashes       bytea[],
    CONSTRAINT feedback_pkey PRIMARY KEY (feedback_id),
    CONSTRAINT feedback_match CHECK
        (match IN ('none', 'execution-id', 'request-id', 'recipient', 'ambiguous', 'apart')),
    CONSTRAINT feedback_source CHECK (source IN ('webhook', 'import'))
) PARTITION BY RANGE (feedback_id);

CREATE INDEX feedback_matched ON ledger.feedback (request_id) WHERE request_id IS NOT NULL;

-- Only what is not matched yet is in it, and only until it is given up.
CREATE INDEX feedback_due ON ledger.feedback (match_due_at) WHERE match_due_at IS NOT NULL;

-- What was found by its recipient leads others of the same execution to the same trigger.
CREATE INDEX feedback_executions ON ledger.feedback USING hash (execution_id) WHERE match = 'recipient';

-- What was accepted, and then excluded: few, and asked for often.
CREATE INDEX feedback_excluded ON ledger.feedback (received_at) WHERE lower(status) = 'exclude';

COMMENT ON TABLE ledger.feedback IS
    'One row for each feedback of Journey Optimizer, matched to a trigger or not yet. Daily partitions by feedback_id.';
COMMENT ON COLUMN ledger.feedback.feedback_id IS 'Made of its content: the same feedback, come again, is the same row.';
COMMENT ON COLUMN ledger.feedback.request_id IS
    'The trigger that it is about; null while none is found, or several may be.';
COMMENT ON COLUMN ledger.feedback.received_at IS 'When it first came, by the ledger''s clock.';
COMMENT ON COLUMN ledger.feedback.happened_at IS
    'When what it tells of happened, by Adobe''s clock; its arrival if it doesn''t say.';
COMMENT ON COLUMN ledger.feedback.matched_at IS 'When its trigger was found.';
COMMENT ON COLUMN ledger.feedback.match_due_at IS
    'When its trigger is looked for again; null once it is found, or given up.';
COMMENT ON COLUMN ledger.feedback.retry_count IS 'Retries that it tells of.';
COMMENT ON COLUMN ledger.feedback.happened_at_is_arrival IS 'True if happened_at is no more than the time of arrival.';
COMMENT ON COLUMN ledger.feedback.match IS
    'How its trigger was found: execution-id, request-id or recipient; none yet; ambiguous: several may be meant; or '
    'apart: it is of a campaign that isn''t ours, or no feedback at all.';
COMMENT ON COLUMN ledger.feedback.source IS 'webhook, or import of an export of the dataset.';
COMMENT ON COLUMN ledger.feedback.status IS
    'feedbackStatus as it came: sent, delivered, delay, bounce, error, exclude, duplicate, denylist, out_of_band, or '
    'unknown to us; inbound for a recipient''s message, or another event''s type.';
COMMENT ON COLUMN ledger.feedback.execution_id IS 'messageExecutionID: as we infer, the executionId of the 202.';
COMMENT ON COLUMN ledger.feedback.adobe_request_id IS 'Its requestId, ours or the gateway''s.';
COMMENT ON COLUMN ledger.feedback.campaign_id IS 'Adobe''s campaignID.';
COMMENT ON COLUMN ledger.feedback.channel IS 'email, sms or push, as it came.';
COMMENT ON COLUMN ledger.feedback.failure_category IS 'messageFailure.category.';
COMMENT ON COLUMN ledger.feedback.failure_type IS 'messageFailure.type.';
COMMENT ON COLUMN ledger.feedback.failure_code IS 'messageFailure.code, or messageExclusion.code.';
COMMENT ON COLUMN ledger.feedback.failure_reason IS
    'messageFailure.reason, or messageExclusion.reason, without addresses.';
COMMENT ON COLUMN ledger.feedback.recipient_hashes IS
    'Keyed hashes of the ids and addresses that it names; null without a key.';

CREATE TABLE ledger.deliveries (
    request_id      uuid NOT NULL,
    departed_at     timestamptz,
    delivered_at    timestamptz,
    failed_at       timestamptz,
    updated_at      timestamptz NOT NULL,
    departures      integer NOT NULL,
    deliveries      integer NOT NULL,
    failures        integer NOT NULL,
    delays          integer NOT NULL,
    arrival_stamped boolean NOT NULL,
    match           text NOT NULL,
    last_status     text NOT NULL,
    failure         text,
    CONSTRAINT deliveries_pkey PRIMARY KEY (request_id)
) PARTITION BY RANGE (request_id);

COMMENT ON TABLE ledger.deliveries IS
    'What became of each accepted trigger''s messages, made of all feedback matched to it. Daily partitions by '
    'request_id (UUIDv7), as ledger.triggers.';
COMMENT ON COLUMN ledger.deliveries.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.deliveries.departed_at IS
    'When its last message left Journey Optimizer, of those reported: the first ''sent'' of each message (an '
    'execution and a recipient), and of these the last. A time of arrival counts only where no other is known.';
COMMENT ON COLUMN ledger.deliveries.delivered_at IS 'When its last message was delivered, of those reported.';
COMMENT ON COLUMN ledger.deliveries.failed_at IS
    'When its last message failed for good (bounce, error, exclude, denylist), of those reported.';
COMMENT ON COLUMN ledger.deliveries.updated_at IS 'When this row was last made.';
COMMENT ON COLUMN ledger.deliveries.departures IS 'Messages reported as sent, however often.';
COMMENT ON COLUMN ledger.deliveries.deliveries IS 'Messages reported as delivered.';
COMMENT ON COLUMN ledger.deliveries.failures IS 'Messages reported as failed for good.';
COMMENT ON COLUMN ledger.deliveries.delays IS
    'How often the mailbox provider put its messages off (feedback ''delay''), by the source that tells of more.';
COMMENT ON COLUMN ledger.deliveries.arrival_stamped IS
    'True if one of the instants is no more than the arrival of its feedback: it may have been earlier.';
COMMENT ON COLUMN ledger.deliveries.match IS
    'The weakest kind of match among its feedback: recipient, then request-id, then execution-id.';
COMMENT ON COLUMN ledger.deliveries.last_status IS 'The status of the newest feedback, by the time that it tells of.';
COMMENT ON COLUMN ledger.deliveries.failure IS
    'What the newest failure said: its status, and type and code where it has them; of an exclusion its reason, too.';

CREATE TABLE ledger.feedback_default PARTITION OF ledger.feedback DEFAULT;

CREATE TABLE ledger.deliveries_default PARTITION OF ledger.deliveries DEFAULT;

COMMENT ON TABLE ledger.feedback_default IS 'Feedback of days without a partition.';
COMMENT ON TABLE ledger.deliveries_default IS
    'Deliveries of triggers whose id is no UUIDv7, or of a day without a partition.';
