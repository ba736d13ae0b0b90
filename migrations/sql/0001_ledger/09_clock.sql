-- When the database's clock was set: by whoever, by NTP, or by a failover to a server whose clock is another one.
--
-- Nothing else of the ledger can tell: a round that began before the clock was set back looks younger than it is.
-- Workers notice, since their monotonic clocks go on; one that has just started finds heartbeats from the future.
CREATE TABLE ledger.clock_steps (
    noticed_at    timestamptz NOT NULL,
    stamped_since timestamptz NOT NULL,
    stamped_until timestamptz NOT NULL,
    worker        uuid NOT NULL,
    seconds       double precision NOT NULL,
    CONSTRAINT clock_steps_pkey PRIMARY KEY (noticed_at, worker)
);

-- Steps are few, but a worker's statements scan no table.
CREATE INDEX clock_steps_stamped ON ledger.clock_steps (stamped_until);

COMMENT ON TABLE ledger.clock_steps IS
    'One row for each worker that noticed that the database''s clock had been set, by more than 2 s.';
COMMENT ON COLUMN ledger.clock_steps.noticed_at IS 'When it noticed, by the clock as it is since.';
COMMENT ON COLUMN ledger.clock_steps.stamped_since IS
    'Rounds that were under way began after this, by the clock as it was before.';
COMMENT ON COLUMN ledger.clock_steps.stamped_until IS
    'The last that can have been stamped with the clock as it was before.';
COMMENT ON COLUMN ledger.clock_steps.worker IS 'The worker that noticed.';
COMMENT ON COLUMN ledger.clock_steps.seconds IS 'By how many seconds it was set: forward, or back (negative).';
