-- Who lives, and since when and until when: nothing else says it. Nobody can beat while the database is away: its start
-- counts as everybody's heartbeat, unless its clock was set back behind it since. The time is the statement's, and not
-- the clock's, so that they are inlined.
CREATE OR REPLACE FUNCTION ledger.database_start() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN pg_postmaster_start_time() <= statement_timestamp() THEN pg_postmaster_start_time() END;

CREATE OR REPLACE FUNCTION ledger.last_sign(worker ledger.workers) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(worker.stopped_at, greatest(worker.heartbeat_at, ledger.database_start()));

CREATE OR REPLACE FUNCTION ledger.lives(worker ledger.workers) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN worker.worker_id IS NOT NULL AND worker.stopped_at IS NULL
        AND greatest(worker.heartbeat_at, ledger.database_start())
            > statement_timestamp() - make_interval(secs => worker.owner_timeout_seconds);

CREATE OR REPLACE FUNCTION ledger.lived(worker ledger.workers) RETURNS tstzrange
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN tstzrange(worker.started_at, CASE WHEN ledger.lives(worker) THEN 'infinity'
        ELSE greatest(worker.started_at, coalesce(worker.stopped_at, worker.heartbeat_at)) END);

CREATE OR REPLACE FUNCTION ledger.worker_status(worker ledger.workers) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN worker.worker_id IS NULL THEN 'unknown' WHEN worker.stopped_at IS NOT NULL THEN 'stopped'
                WHEN ledger.lives(worker) THEN 'alive' ELSE 'dead' END;

CREATE OR REPLACE FUNCTION ledger.knows(worker ledger.workers, of_campaign text, digest text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN worker.definitions ? of_campaign AND (digest = '' OR worker.definitions -> of_campaign ? digest);

COMMENT ON FUNCTION ledger.knows IS
    'Whether a worker has a definition by which it sends the triggers of a campaign with this call digest; with none '
    '(empty), any definition of that name will do.';
COMMENT ON FUNCTION ledger.database_start IS
    'When the database started; null if its clock was set back behind that since.';
COMMENT ON FUNCTION ledger.last_sign IS
    'When a worker last said that it lives, or that it stops; the database''s start counts as a heartbeat of all that '
    'had not stopped.';
COMMENT ON FUNCTION ledger.lives IS
    'Whether a worker lives: it has not stopped, and its newest heartbeat, or the database''s start, is younger than '
    'its owner_timeout_seconds. False for no row.';
COMMENT ON FUNCTION ledger.lived IS
    'When a worker lived: from its start until it stopped, or until the last heartbeat of one that died; without an '
    'end while it lives.';
COMMENT ON FUNCTION ledger.worker_status IS
    'alive, dead (it doesn''t live, and didn''t stop), stopped, or unknown for no row.';
