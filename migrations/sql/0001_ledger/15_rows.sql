-- The rows that workers offer, as one array of one of these types instead of an array for each column: that halves what
-- it costs the driver and PostgreSQL. A type that a released worker uses never changes: one with other columns gets
-- another name, beside it.

CREATE TYPE ledger.admission_row AS (
    request_id       uuid,
    campaign         text,
    lane             text,
    batch_id         uuid,
    producer         text,
    trace_id         text,
    recipients       smallint,
    recipient_hashes text,
    state            text,
    reason           text,
    occurred_at      timestamptz,
    outbox_at        timestamptz,
    enqueued_at      timestamptz,
    received_at      timestamptz,
    intended_at      timestamptz,
    completed_at     timestamptz,
    attempts_started smallint,
    expires_at       timestamptz,
    owner            uuid,
    resume_at        timestamptz,
    key_id           text,
    payload          bytea,
    call_digest      text,
    content_digest   bytea
);

CREATE TYPE ledger.ending_row AS (
    request_id          uuid,
    fence               integer,
    campaign            text,
    state               text,
    reason              text,
    first_dispatched_at timestamptz,
    completed_at        timestamptz,
    attempts_started    smallint,
    execution_id        text,
    resume_at           timestamptz,
    key_id              text,
    payload             bytea,
    waited_in_vain      text,
    call_digest         text
);

-- The columns of ledger.attempts, as they are now.
DO $$
BEGIN
    EXECUTE (
        SELECT format('CREATE TYPE ledger.attempt_row AS (%s)',
                      string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
        FROM pg_attribute WHERE attrelid = 'ledger.attempts'::regclass AND attnum > 0 AND NOT attisdropped
    );
END
$$;

COMMENT ON TYPE ledger.admission_row IS 'A trigger''s first row, as a worker offers it.';
COMMENT ON TYPE ledger.attempt_row IS 'A row of ledger.attempts, as a worker offers it.';
COMMENT ON TYPE ledger.ending_row IS 'The state that a trigger ends in, as a worker offers it.';
