-- What status, outages and evidence are read from: so whoever may read the schema audit, and nothing else, can ask too.
-- No view has a payload, the body or the headers of a message, or a recipient but by a keyed hash.

CREATE VIEW audit.workers AS
SELECT worker_id, hostname, pid, version, started_at, heartbeat_at, stopped_at, clock_skew_seconds,
       ledger.worker_status(w) AS status, token_failed_at, token_failure
FROM ledger.workers w;

COMMENT ON VIEW audit.workers IS 'One row for each worker process that ever ran.';
COMMENT ON COLUMN audit.workers.worker_id IS 'Its id: audit.attempts.worker.';
COMMENT ON COLUMN audit.workers.hostname IS 'The machine it runs on.';
COMMENT ON COLUMN audit.workers.pid IS 'Its process there.';
COMMENT ON COLUMN audit.workers.version IS 'The version of ajo-dispatch.';
COMMENT ON COLUMN audit.workers.started_at IS 'When it started.';
COMMENT ON COLUMN audit.workers.heartbeat_at IS 'When it last said that it lives.';
COMMENT ON COLUMN audit.workers.stopped_at IS 'When it stopped in good order; null otherwise.';
COMMENT ON COLUMN audit.workers.clock_skew_seconds IS 'How wrong its machine''s clock is; no phase depends on it.';
COMMENT ON COLUMN audit.workers.status IS 'alive, dead (no heartbeat) or stopped.';
COMMENT ON COLUMN audit.workers.token_failed_at IS 'Since when it has asked for an access token in vain; null if it has one.';
COMMENT ON COLUMN audit.workers.token_failure IS 'What the newest answer was.';

CREATE VIEW audit.quarantine AS
SELECT quarantine_id, received_at, queue, body_bytes,
       CASE WHEN headers ->> 'id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (headers ->> 'id')::uuid END AS message_id
FROM ledger.quarantine;

COMMENT ON VIEW audit.quarantine IS 'One row for each message or trigger that could not be read, without what it holds.';
COMMENT ON COLUMN audit.quarantine.quarantine_id IS 'Number of the row: ajo-dispatch quarantine NUMBER.';
COMMENT ON COLUMN audit.quarantine.received_at IS 'When a worker received it.';
COMMENT ON COLUMN audit.quarantine.queue IS 'The queue it came from.';
COMMENT ON COLUMN audit.quarantine.body_bytes IS 'Length of the whole body.';
COMMENT ON COLUMN audit.quarantine.message_id IS 'The message that it came with, as Flower has it: the batch, or its only trigger; null if it had no such id.';
