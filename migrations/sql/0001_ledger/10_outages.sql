-- Outages and silences: as workers write them, and as auditors see them.

CREATE TABLE ledger.silences (
    worker   uuid NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    scope    text NOT NULL,
    lane     text NOT NULL,
    calls    integer NOT NULL,
    CONSTRAINT silences_pkey PRIMARY KEY (worker, scope, began_at)
);

COMMENT ON TABLE ledger.silences IS 'When a destination answered none of a worker''s calls, so that the worker started hardly any new ones there. No outage.';
COMMENT ON COLUMN ledger.silences.worker IS 'The worker; each sees its own calls.';
COMMENT ON COLUMN ledger.silences.began_at IS 'When it held the first trigger back.';
COMMENT ON COLUMN ledger.silences.ended_at IS 'When one was answered, an outage took its place, or no call was open any more; null while it lasts, and for ever if the worker died in it.';
COMMENT ON COLUMN ledger.silences.scope IS 'destination:LANE@HOST.';
COMMENT ON COLUMN ledger.silences.lane IS 'The lane.';
COMMENT ON COLUMN ledger.silences.calls IS 'How many calls were open when it began.';

CREATE VIEW audit.outages AS
SELECT o.outage_id, o.scope, o.reason, coalesce(c.state, 'over') AS state,
       o.opened_at, o.opened_by, e.ended_at, o.ended_by,
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
COMMENT ON COLUMN audit.outages.outage_id IS 'Number of the outage.';
COMMENT ON COLUMN audit.outages.scope IS 'destination:LANE@HOST, or campaign:NAME.';
COMMENT ON COLUMN audit.outages.reason IS 'Why: cosmos-identity, cosmos-key, suspected-cosmos, sustained-failures, no-answers, campaign-failing or held.';
COMMENT ON COLUMN audit.outages.state IS 'open, held, recovering, or over.';
COMMENT ON COLUMN audit.outages.opened_at IS 'When it began.';
COMMENT ON COLUMN audit.outages.opened_by IS 'The worker that saw it, or the operator who held it.';
COMMENT ON COLUMN audit.outages.ended_at IS 'When a probe was accepted, an operator resumed, or another outage of the scope took its place; null while it lasts.';
COMMENT ON COLUMN audit.outages.ended_by IS 'The worker whose probe was accepted, or the operator who resumed.';
COMMENT ON COLUMN audit.outages.duration_seconds IS 'How long it lasted, or has lasted so far.';
COMMENT ON COLUMN audit.outages.probes IS 'How many triggers tried the way.';
COMMENT ON COLUMN audit.outages.last_probe_at IS 'When the last one had its answer; null without any.';
COMMENT ON COLUMN audit.outages.last_probe_found IS 'What it found.';
COMMENT ON COLUMN audit.outages.evidence IS 'What was seen when it began.';
