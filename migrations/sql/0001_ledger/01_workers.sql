-- The ledger's tables. Times are timestamptz; durations are seconds of the monotonic clock, in columns *_seconds.
--
-- No foreign keys: rows of many triggers are committed together and each key check would cost a look-up on the hot
-- path, and the daily partitions of both big tables are dropped independently.
COMMENT ON SCHEMA ledger IS
    'What was done for every trigger; written by the workers alone. Readers use the schema audit.';

-- Alembic made this one a moment ago.
COMMENT ON TABLE ledger.alembic_version IS 'The migration that this database is at.';
COMMENT ON COLUMN ledger.alembic_version.version_num IS
    'Its number: the begin of its file''s name in migrations/versions.';

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

COMMENT ON TABLE ledger.workers IS
    'One row for each worker process that ever ran; its heartbeat says whether it owns its triggers.';
COMMENT ON COLUMN ledger.workers.worker_id IS 'UUIDv7 that the process takes when it starts.';
COMMENT ON COLUMN ledger.workers.hostname IS 'Machine or container it runs on.';
COMMENT ON COLUMN ledger.workers.pid IS 'Process id there.';
COMMENT ON COLUMN ledger.workers.version IS 'Version of ajo-dispatch.';
COMMENT ON COLUMN ledger.workers.started_at IS 'When it started.';
COMMENT ON COLUMN ledger.workers.heartbeat_at IS 'When it last said that it lives, by the database''s clock.';
COMMENT ON COLUMN ledger.workers.stopped_at IS 'When it stopped in good order; null while it runs, or if it died.';
COMMENT ON COLUMN ledger.workers.clock_skew_seconds IS 'Its wall clock minus the database''s, in seconds.';
COMMENT ON COLUMN ledger.workers.token_failed_at IS
    'Since when it has asked for an access token in vain; null unless it does now.';
COMMENT ON COLUMN ledger.workers.budget_seconds IS 'The budget that it gives each round.';
COMMENT ON COLUMN ledger.workers.lanes IS 'The lanes that it consumes.';
COMMENT ON COLUMN ledger.workers.definitions IS
    'The campaign definitions that it has: by name, the call digests of the triggers that it sends.';
COMMENT ON COLUMN ledger.workers.rate_limits IS 'Calls a second of all workers together, by lane, as it has them.';
COMMENT ON COLUMN ledger.workers.rate_recovery_seconds IS
    'Seconds in which a rate that 429s slowed grows back from nothing.';
COMMENT ON COLUMN ledger.workers.ramp_rate IS 'Calls a second with which what was kept back begins again.';
COMMENT ON COLUMN ledger.workers.ramp_doubling_seconds IS 'Seconds in which that rate doubles.';
COMMENT ON COLUMN ledger.workers.unopened IS
    'Messages that it has taken from each queue and not yet opened, as of its newest heartbeat.';
COMMENT ON COLUMN ledger.workers.waiting IS
    'Triggers that it has in hand, and none of whose calls is under way, by lane and campaign, as of its newest '
    'heartbeat.';
COMMENT ON COLUMN ledger.workers.token_failure IS 'What the newest of these failures was; nothing secret.';
COMMENT ON COLUMN ledger.workers.owner_timeout_seconds IS 'Without a heartbeat for that long, it counts as dead.';

-- What auditors read. Plain views run with their owner's rights, so readers need rights on this schema alone.
COMMENT ON SCHEMA audit IS 'What readers see of the ledger: views, and functions that read.';
