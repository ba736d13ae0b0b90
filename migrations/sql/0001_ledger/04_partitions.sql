CREATE TABLE ledger.triggers_default PARTITION OF ledger.triggers DEFAULT WITH (fillfactor = 60);

CREATE TABLE ledger.attempts_default PARTITION OF ledger.attempts DEFAULT;

COMMENT ON TABLE ledger.triggers_default IS 'Triggers whose id is no UUIDv7, or of a day without a partition.';
COMMENT ON TABLE ledger.attempts_default IS
    'Attempts of triggers whose id is no UUIDv7, or of a day without a partition.';
