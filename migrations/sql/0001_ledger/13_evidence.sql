-- Evidence that rows of past days are what they were: digests of them, each bound to all before it; and every change
-- that came later, with what the row was before. docs/evidence.md says what that proves, and what it doesn't.

CREATE TABLE ledger.digests (
    digest_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sealed_at     timestamptz NOT NULL,
    covers_until  timestamptz NOT NULL,
    revisions     bigint NOT NULL,
    rows          bigint NOT NULL,
    day           date NOT NULL,
    relation      text NOT NULL,
    from_id       uuid,
    to_id         uuid,
    key_id        text,
    cause         text NOT NULL,
    open_triggers uuid[] NOT NULL,
    digest        bytea NOT NULL,
    previous      bytea NOT NULL,
    chain         bytea NOT NULL
);

CREATE INDEX digests_day ON ledger.digests (day, relation);

COMMENT ON TABLE ledger.digests IS
    'One row for each time that a part of a closed day was sealed: an hour of ids, or the whole day. Never changed; '
    'each row is bound to the one before it.';
COMMENT ON COLUMN ledger.digests.digest_id IS 'Order of sealing; numbers may be missing in between.';
COMMENT ON COLUMN ledger.digests.sealed_at IS 'When it was sealed.';
COMMENT ON COLUMN ledger.digests.covers_until IS
    'Rows that came (received_at, intended_at) before this are covered; later ones are not.';
COMMENT ON COLUMN ledger.digests.revisions IS
    'The newest ledger.revisions.revision_id that was in force: of rows changed later, what they were before is '
    'digested.';
COMMENT ON COLUMN ledger.digests.rows IS 'How many rows are covered.';
COMMENT ON COLUMN ledger.digests.day IS 'The day (UTC).';
COMMENT ON COLUMN ledger.digests.relation IS
    'Which rows: a table of the schema ledger; triggers_default and attempts_default by day of receipt.';
COMMENT ON COLUMN ledger.digests.from_id IS 'The least id of the hour; null where the whole day is sealed at once.';
COMMENT ON COLUMN ledger.digests.to_id IS 'The least id after the hour; null likewise.';
COMMENT ON COLUMN ledger.digests.key_id IS 'The key that the chain is made with; null: anybody can compute it.';
COMMENT ON COLUMN ledger.digests.cause IS
    'closed; or why it was sealed again, separated by commas: operation N, late answer, feedback, ended, came late.';
COMMENT ON COLUMN ledger.digests.open_triggers IS 'Triggers that had not ended: of them only the id is covered.';
COMMENT ON COLUMN ledger.digests.digest IS 'SHA-256 over the fingerprints of all rows, in the order of their keys.';
COMMENT ON COLUMN ledger.digests.previous IS 'The chain value of the row before; zeros for the first.';
COMMENT ON COLUMN ledger.digests.chain IS 'HMAC-SHA-256 or SHA-256 of the previous value and of what this row says.';

CREATE TABLE ledger.revisions (
    revision_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at    timestamptz NOT NULL,
    request_id    uuid NOT NULL,
    round         smallint NOT NULL,
    attempt       smallint,
    relation      text NOT NULL,
    was           text NOT NULL,
    became        text NOT NULL,
    reason        text,
    database_role text NOT NULL,
    fingerprint   bytea NOT NULL
);

CREATE INDEX revisions_request ON ledger.revisions (request_id);

COMMENT ON TABLE ledger.revisions IS
    'One row for each change of what was over and done with, a day or more after its id: what the row was before. '
    'Written by the database itself, never changed.';
COMMENT ON COLUMN ledger.revisions.revision_id IS 'Order of the changes.';
COMMENT ON COLUMN ledger.revisions.changed_at IS 'When.';
COMMENT ON COLUMN ledger.revisions.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.revisions.round IS 'The round that it, or the attempt, was in.';
COMMENT ON COLUMN ledger.revisions.attempt IS 'The attempt; null for a row of ledger.triggers.';
COMMENT ON COLUMN ledger.revisions.relation IS 'triggers or attempts.';
COMMENT ON COLUMN ledger.revisions.was IS 'State of the trigger, or outcome of the attempt, before.';
COMMENT ON COLUMN ledger.revisions.became IS 'The same, after.';
COMMENT ON COLUMN ledger.revisions.reason IS 'The trigger''s reason after.';
COMMENT ON COLUMN ledger.revisions.database_role IS 'Who was logged in to the database.';
COMMENT ON COLUMN ledger.revisions.fingerprint IS 'The fingerprint of the row before.';
