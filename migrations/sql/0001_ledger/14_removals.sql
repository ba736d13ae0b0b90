-- Days that are old enough are dropped whole: that takes a moment, whatever they hold, and leaves nothing to vacuum.

CREATE TABLE ledger.removals (
    removal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    removed_at timestamptz NOT NULL,
    day        date NOT NULL,
    relation   text NOT NULL
);

CREATE INDEX removals_day ON ledger.removals (relation, day);

COMMENT ON TABLE ledger.removals IS
    'One row for each daily partition that was dropped for its age, and each time that a default partition was '
    'cleared of old rows. Never changed.';
COMMENT ON COLUMN ledger.removals.removal_id IS 'Number of the row.';
COMMENT ON COLUMN ledger.removals.removed_at IS 'When.';
COMMENT ON COLUMN ledger.removals.day IS
    'The day of the partition; of a default partition the newest day that was cleared, with all before.';
COMMENT ON COLUMN ledger.removals.relation IS 'The partitioned table, or its default partition.';
