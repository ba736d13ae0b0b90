-- Outages, silences and unknown definitions as auditors see them.

CREATE OR REPLACE VIEW audit.outages AS
SELECT o.outage_id, o.scope, o.reason, coalesce(c.state, 'over') AS state,
       o.opened_at, o.opened_by, o.held_until, e.ended_at, o.ended_by,
       extract(epoch FROM coalesce(e.ended_at, now()) - o.opened_at)::float8 AS duration_seconds,
       p.probes, p.last_probe_at, p.last_probe_found, o.evidence
FROM ledger.outages o
LEFT JOIN ledger.circuits c ON c.outage_id = o.outage_id AND c.state <> 'closed'
CROSS JOIN LATERAL (
    SELECT count(*) AS probes, max(probed_at) AS last_probe_at,
           (array_agg(found ORDER BY probed_at DESC))[1] AS last_probe_found
    FROM ledger.probes WHERE outage_id = o.outage_id
) AS p
-- An operator's hold takes an open outage's place, and begins one of its own.
CROSS JOIN LATERAL (
    SELECT coalesce(o.ended_at, min(n.opened_at)) AS ended_at
    FROM ledger.outages n WHERE n.scope = o.scope AND n.outage_id > o.outage_id
) AS e;

COMMENT ON VIEW audit.outages IS 'One row for each time that a destination or a campaign was kept back.';
SELECT ledger.describe_like('audit.outages', 'ledger.outages');
COMMENT ON COLUMN audit.outages.state IS 'open, held, recovering, or over.';
COMMENT ON COLUMN audit.outages.opened_at IS 'When it began.';
COMMENT ON COLUMN audit.outages.held_until IS
    'When an operator''s hold ends, or would have ended, by itself; null for one without such an end, and for outages.';
COMMENT ON COLUMN audit.outages.ended_at IS
    'When a probe was accepted, an operator resumed, a hold came to its end, or another outage of the scope took its '
    'place; null while it lasts.';
COMMENT ON COLUMN audit.outages.duration_seconds IS 'How long it lasted, or has lasted so far.';
COMMENT ON COLUMN audit.outages.probes IS 'How many triggers tried the way.';
COMMENT ON COLUMN audit.outages.last_probe_at IS 'When the last one had its answer; null without any.';
COMMENT ON COLUMN audit.outages.last_probe_found IS 'What it found.';
COMMENT ON COLUMN audit.outages.evidence IS 'What was seen when it began.';

-- A worker that died in a silence listened until its last heartbeat.
CREATE OR REPLACE VIEW audit.silences AS
SELECT s.scope, s.lane, s.worker, s.began_at, e.ended_at, s.calls,
       extract(epoch FROM coalesce(e.ended_at, now()) - s.began_at)::float8 AS seconds, e.ended_at IS NULL AS lasts
FROM ledger.silences s LEFT JOIN ledger.workers w ON w.worker_id = s.worker
CROSS JOIN LATERAL (
    SELECT coalesce(s.ended_at, nullif(greatest(s.began_at, upper(ledger.lived(w))), 'infinity')) AS ended_at
) AS e;

COMMENT ON VIEW audit.silences IS
    'One row for each time that a destination answered none of a worker''s calls, and hardly any new ones were '
    'started there. No outage.';
SELECT ledger.describe_like('audit.silences', 'ledger.silences');
COMMENT ON COLUMN audit.silences.ended_at IS
    'When a call was answered, an outage took its place, no call was open any more, or the worker died; null while it '
    'lasts.';
COMMENT ON COLUMN audit.silences.seconds IS 'How long it lasted, or has lasted so far.';
COMMENT ON COLUMN audit.silences.lasts IS 'Whether it lasts.';

CREATE OR REPLACE VIEW audit.unknown_definitions AS
SELECT u.campaign, u.call_digest, u.began_at, u.ended_at, u.ended_at IS NULL AS lasts,
       extract(epoch FROM coalesce(u.ended_at, now()) - u.began_at)::float8 AS seconds, p.triggers, p.oldest,
       ARRAY(SELECT DISTINCT jsonb_array_elements_text(w.definitions -> u.campaign)
             FROM ledger.workers w WHERE ledger.lives(w) ORDER BY 1) AS others
FROM ledger.unknown_definitions u
CROSS JOIN LATERAL (
    SELECT count(*) AS triggers, min(h.held_at) AS oldest FROM ledger.held_payloads h
    WHERE u.ended_at IS NULL AND h.campaign = u.campaign AND h.call_digest = u.call_digest AND h.resume_at IS NOT NULL
) AS p;

COMMENT ON VIEW audit.unknown_definitions IS
    'One row for each time that triggers were parked, and no living worker had the definition that they are to be '
    'sent by.';
SELECT ledger.describe_like('audit.unknown_definitions', 'ledger.unknown_definitions');
COMMENT ON COLUMN audit.unknown_definitions.began_at IS 'Since when.';
COMMENT ON COLUMN audit.unknown_definitions.lasts IS 'Whether it lasts.';
COMMENT ON COLUMN audit.unknown_definitions.seconds IS 'How long it lasted, or has lasted so far.';
COMMENT ON COLUMN audit.unknown_definitions.triggers IS 'How many wait now; 0 if it is over.';
COMMENT ON COLUMN audit.unknown_definitions.oldest IS 'Since when the first of them has waited; null without any.';
COMMENT ON COLUMN audit.unknown_definitions.others IS 'Call digests of that name that living workers have.';
