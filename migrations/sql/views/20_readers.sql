-- What status, outages and evidence are read from: so whoever may read the schema audit, and nothing else, can ask too.
-- No view has a payload, the body or the headers of a message, or a recipient but by a keyed hash.

CREATE OR REPLACE VIEW audit.workers AS
SELECT worker_id, hostname, pid, version, started_at, heartbeat_at, stopped_at, clock_skew_seconds,
       ledger.worker_status(w) AS status, token_failed_at, token_failure
FROM ledger.workers w;

COMMENT ON VIEW audit.workers IS 'One row for each worker process that ever ran.';
SELECT ledger.describe_like('audit.workers', 'ledger.workers');
COMMENT ON COLUMN audit.workers.worker_id IS 'Its id: audit.attempts.worker.';
COMMENT ON COLUMN audit.workers.hostname IS 'The machine it runs on.';
COMMENT ON COLUMN audit.workers.pid IS 'Its process there.';
COMMENT ON COLUMN audit.workers.version IS 'The version of ajo-dispatch.';
COMMENT ON COLUMN audit.workers.heartbeat_at IS 'When it last said that it lives.';
COMMENT ON COLUMN audit.workers.stopped_at IS 'When it stopped in good order; null otherwise.';
COMMENT ON COLUMN audit.workers.clock_skew_seconds IS 'How wrong its machine''s clock is; no phase depends on it.';
COMMENT ON COLUMN audit.workers.status IS 'alive, dead (no heartbeat) or stopped.';
COMMENT ON COLUMN audit.workers.token_failed_at IS
    'Since when it has asked for an access token in vain; null if it has one.';
COMMENT ON COLUMN audit.workers.token_failure IS 'What the newest answer was.';

CREATE OR REPLACE VIEW audit.quarantine AS
SELECT quarantine_id, received_at, queue, body_bytes,
       CASE WHEN headers ->> 'id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
           THEN (headers ->> 'id')::uuid END AS message_id
FROM ledger.quarantine;

COMMENT ON VIEW audit.quarantine IS
    'One row for each message or trigger that could not be read, without what it holds.';
SELECT ledger.describe_like('audit.quarantine', 'ledger.quarantine');
COMMENT ON COLUMN audit.quarantine.quarantine_id IS 'Number of the row: ajo-dispatch quarantine NUMBER.';
COMMENT ON COLUMN audit.quarantine.message_id IS
    'The message that it came with, as Flower has it: the batch, or its only trigger; null if it had no such id.';

CREATE OR REPLACE VIEW audit.held AS
SELECT request_id, campaign, call_digest, reason, round, held_at, resume_at, resumed_by, key_id
FROM ledger.held_payloads;

COMMENT ON VIEW audit.held IS
    'One row for each payload that is held, without the payload: of parked triggers, dead letters, and what was '
    'resumed and is not yet accepted.';
SELECT ledger.describe_like('audit.held', 'ledger.held_payloads');
COMMENT ON COLUMN audit.held.call_digest IS 'Which definition of that name it must be sent by; empty if any will do.';
COMMENT ON COLUMN audit.held.reason IS 'Why it is held: the trigger''s reason.';
COMMENT ON COLUMN audit.held.resume_at IS
    'From when on a parked trigger may go on; null for dead letters and what was resumed.';
COMMENT ON COLUMN audit.held.resumed_by IS 'The worker that has it in hand; null while parked, and for dead letters.';
COMMENT ON COLUMN audit.held.key_id IS 'The key it is encrypted with; null: it is plain.';

CREATE OR REPLACE VIEW audit.circuits AS
SELECT scope, state, outage_id, changed_at, probe_at FROM ledger.circuits;

COMMENT ON VIEW audit.circuits IS 'One row for each destination, campaign or token endpoint that was ever kept back.';
SELECT ledger.describe_like('audit.circuits', 'ledger.circuits');
COMMENT ON COLUMN audit.circuits.scope IS 'destination:LANE@HOST, campaign:NAME, or token:HOST.';
COMMENT ON COLUMN audit.circuits.state IS 'closed, open, held or recovering.';
COMMENT ON COLUMN audit.circuits.outage_id IS 'The outage that it is in, or was in last: audit.outages.';
COMMENT ON COLUMN audit.circuits.probe_at IS 'Not before this does the next probe start; null unless open.';

CREATE OR REPLACE VIEW audit.probes AS
SELECT outage_id, probed_at, request_id, worker, accepted, found FROM ledger.probes;

COMMENT ON VIEW audit.probes IS 'One row for each real trigger that tried the way during an outage.';
SELECT ledger.describe_like('audit.probes', 'ledger.probes');

CREATE OR REPLACE VIEW audit.operations AS
SELECT operation_id, done_at, operator, action, reason, triggers, chosen FROM ledger.operations;

COMMENT ON VIEW audit.operations IS
    'One row for each time that an operator did something by hand: who, why, and to what.';
SELECT ledger.describe_like('audit.operations', 'ledger.operations');
COMMENT ON COLUMN audit.operations.done_at IS 'When.';
COMMENT ON COLUMN audit.operations.operator IS 'Who did it.';
COMMENT ON COLUMN audit.operations.action IS 'What was done.';

CREATE OR REPLACE VIEW audit.removals AS
SELECT removal_id, removed_at, day, relation FROM ledger.removals;

COMMENT ON VIEW audit.removals IS 'One row for each day that retention dropped.';
SELECT ledger.describe_like('audit.removals', 'ledger.removals');
COMMENT ON COLUMN audit.removals.day IS
    'The day (UTC); of a default partition the newest that was cleared, with all before.';
COMMENT ON COLUMN audit.removals.relation IS 'What was dropped.';

CREATE OR REPLACE VIEW audit.network_probes AS
SELECT probe_id, worker, probed_at, certificate_expires_at, dns_seconds, connect_seconds, tls_seconds,
       first_byte_seconds, http_status, endpoint, address, failure, campaigns
FROM ledger.network_probes;

COMMENT ON VIEW audit.network_probes IS
    'One row for each fresh connection that a worker made to an endpoint to measure the way there; audit.network sums '
    'them up.';
SELECT ledger.describe_like('audit.network_probes', 'ledger.network_probes');
COMMENT ON COLUMN audit.network_probes.probed_at IS 'When it began.';
COMMENT ON COLUMN audit.network_probes.certificate_expires_at IS 'When the endpoint''s certificate ends.';
COMMENT ON COLUMN audit.network_probes.dns_seconds IS 'Until the name was resolved.';
COMMENT ON COLUMN audit.network_probes.connect_seconds IS 'From then until a connection stood.';
COMMENT ON COLUMN audit.network_probes.tls_seconds IS 'From then until TLS was agreed on.';
COMMENT ON COLUMN audit.network_probes.first_byte_seconds IS 'From the request to the first byte of its answer.';
COMMENT ON COLUMN audit.network_probes.http_status IS 'Status of the answer.';
COMMENT ON COLUMN audit.network_probes.address IS 'The host''s address that took the connection.';
COMMENT ON COLUMN audit.network_probes.failure IS 'The step that failed, and why; null if all went well.';
COMMENT ON COLUMN audit.network_probes.campaigns IS 'The campaigns whose attempts go to this endpoint.';

-- By bytes, and not by the text that audit.triggers shows: days are read whole. Who asks has made the hash with the
-- workers' key; nobody's is given away.
CREATE OR REPLACE FUNCTION audit.for_recipient(
    recipient_hash bytea, since timestamptz, until timestamptz, of_campaign text DEFAULT NULL, most integer DEFAULT 50
) RETURNS TABLE (
    request_id uuid, received_at timestamptz, campaign text, lane text, state text, reason text, round smallint,
    recipients smallint, possible_duplicate boolean, execution_id text
)
    LANGUAGE sql STABLE
    SECURITY DEFINER -- auditors have no right on the tables
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.request_id, t.received_at, t.campaign, t.lane, t.state, t.reason, t.round, t.recipients,
           t.possible_duplicate, t.execution_id
    FROM ledger.triggers t
    WHERE t.received_at >= since AND t.received_at < until AND recipient_hash = ANY (t.recipient_hashes)
      AND (of_campaign IS NULL OR t.campaign = of_campaign)
    ORDER BY t.received_at DESC LIMIT most;
END;

COMMENT ON FUNCTION audit.for_recipient IS
    'The triggers for one recipient, who is known by a keyed hash, newest first.';
