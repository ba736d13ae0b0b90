-- While nothing was taken from queues, or not all that could be: since when, until when, and why, as the phase that it
-- makes; and while workers were present at all. A lane recovers in growing numbers, so an outage lasts until all is as
-- before.
CREATE OR REPLACE VIEW ledger.stretches AS
SELECT 'present' AS kind, lane.lane, NULL::text AS campaign, ledger.lived(w) AS during
FROM ledger.workers w CROSS JOIN LATERAL unnest(w.lanes) AS lane (lane)
UNION ALL
SELECT CASE p.system WHEN 'adobe-api' THEN 'backed-up' ELSE 'full' END, lane.lane, NULL,
       tstzrange(f.began_at, f.ended_at)
FROM ledger.full_intakes f JOIN ledger.workers w ON w.worker_id = f.worker
CROSS JOIN LATERAL unnest(CASE WHEN f.lane IS NULL THEN w.lanes ELSE ARRAY[f.lane] END) AS lane (lane)
LEFT JOIN ledger.phases p ON p.phase = f.because
UNION ALL
SELECT 'silence', s.lane, NULL,
       tstzrange(s.began_at, greatest(s.began_at, coalesce(s.ended_at, upper(ledger.lived(w)))))
FROM ledger.silences s LEFT JOIN ledger.workers w ON w.worker_id = s.worker
UNION ALL
SELECT CASE WHEN o.reason IN ('held', 'credentials-refused') THEN 'held'
            WHEN o.reason = 'campaign-failing' THEN 'paused'
            WHEN o.reason = 'proxy-failing' THEN 'proxy'
            ELSE 'outage' END,
       lane.lane, CASE WHEN o.scope LIKE 'campaign:%' THEN substr(o.scope, 10) END,
       tstzrange(o.opened_at, coalesce(o.recovered_at,
           CASE WHEN c.state IN ('open', 'held', 'recovering') THEN 'infinity' ELSE o.ended_at END))
FROM ledger.outages o LEFT JOIN ledger.circuits c ON c.outage_id = o.outage_id
CROSS JOIN LATERAL unnest(CASE
    WHEN o.scope LIKE 'destination:%' THEN ARRAY[split_part(substr(o.scope, 13), '@', 1)]
    WHEN o.scope LIKE 'token:%' THEN ARRAY['standard', 'high-throughput'] -- without a token nothing is sent
    ELSE ARRAY[NULL] END) AS lane (lane)
UNION ALL
SELECT 'undefined', NULL, u.campaign, tstzrange(u.began_at, coalesce(u.ended_at, 'infinity'))
FROM ledger.unknown_definitions u;

COMMENT ON VIEW ledger.stretches IS
    'When workers were present, and when queues stood still, or nearly: one row each time.';
COMMENT ON COLUMN ledger.stretches.kind IS
    'present (a worker lived), or why a queue stood still, as the phase that it makes.';
COMMENT ON COLUMN ledger.stretches.lane IS 'The lane; null if it is about a campaign.';
COMMENT ON COLUMN ledger.stretches.campaign IS 'The campaign; null if it is about a lane.';
COMMENT ON COLUMN ledger.stretches.during IS 'Since when, until when.';

-- Clients read a range without a bound; an infinite instant many can't.
CREATE OR REPLACE FUNCTION ledger.without_infinity(during tstzmultirange) RETURNS tstzmultirange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(range_agg(tstzrange(nullif(lower(r), '-infinity'), nullif(upper(r), 'infinity'))), '{}')
            FROM unnest(during) AS r);

COMMENT ON FUNCTION ledger.without_infinity IS
    'The same stretches, but those that begin or end at an infinite instant have no bound there.';

CREATE OR REPLACE VIEW audit.standstills AS
SELECT 'absent' AS kind, lane.lane, NULL::text AS campaign,
       ledger.without_infinity(tstzmultirange(tstzrange('-infinity', 'infinity')) - coalesce(range_agg(s.during), '{}'))
           AS during
FROM (VALUES ('standard'), ('high-throughput')) AS lane (lane)
LEFT JOIN ledger.stretches s ON s.kind = 'present' AND s.lane = lane.lane
GROUP BY lane.lane
UNION ALL
SELECT kind, lane, campaign, ledger.without_infinity(range_agg(during)) FROM ledger.stretches
WHERE kind <> 'present' GROUP BY 1, 2, 3;

COMMENT ON VIEW audit.standstills IS 'When queues stood still, or nearly, and why.';
SELECT ledger.describe_like('audit.standstills', 'ledger.stretches');
COMMENT ON COLUMN audit.standstills.kind IS
    'Why, as the phase that it makes: absent, full, backed-up, silence, outage, proxy, paused, held or undefined (see '
    'audit.phases).';
COMMENT ON COLUMN audit.standstills.during IS 'All times of it.';

CREATE OR REPLACE FUNCTION ledger.seconds(during tstzmultirange) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 FROM unnest(during) AS r);

COMMENT ON FUNCTION ledger.seconds IS 'How many seconds a multirange has.';
