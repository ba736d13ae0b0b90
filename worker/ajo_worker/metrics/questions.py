"""What is asked of the ledger for Prometheus, a question for each figure.

Every question costs the same on a busy ledger as on a quiet one, or is bounded to minutes. A campaign that no worker
ever had a definition of is ``(unknown)``, since its name came with a message.
"""

from ajo_worker.views.spread import drawn_of, spread_of

KNOWN = "SELECT DISTINCT name FROM ledger.campaigns"
QUANTILES = "ARRAY['0.5', '0.95', '0.99']"
MEASURES = "SELECT alert, severity, audience, coalesce(scope, '') AS scope, value, holds FROM audit.alert_measures"
TRIGGERS = f"""
    SELECT coalesce(k.name, '(unknown)') AS campaign, t.state, sum(t.triggers) AS value
    FROM (SELECT campaign, state, count(*) AS triggers FROM ledger.triggers
          WHERE received_at >= now() - interval '5 minutes' GROUP BY 1, 2) AS t
    LEFT JOIN ({KNOWN}) AS k ON k.name = t.campaign GROUP BY 1, 2
"""  # noqa: S608 - built from the texts above
# A look-up for each held payload, as in ajo_worker.deadletters.choosing.
DEAD_LETTERS = f"""
    SELECT coalesce(k.name, '(unknown)') AS campaign, t.state, coalesce(t.reason, '') AS reason, count(*) AS value
    FROM ledger.held_payloads h
    CROSS JOIN LATERAL (SELECT state, reason FROM ledger.triggers WHERE request_id = h.request_id OFFSET 0) AS t
    LEFT JOIN ({KNOWN}) AS k ON k.name = h.campaign
    WHERE ledger.is_dead(t.state) GROUP BY 1, 2, 3
"""  # noqa: S608 - as above
PARKED = f"""
    SELECT coalesce(k.name, '(unknown)') AS campaign, count(*) AS value
    FROM ledger.held_payloads h LEFT JOIN ({KNOWN}) AS k ON k.name = h.campaign
    WHERE h.resume_at IS NOT NULL GROUP BY 1
"""  # noqa: S608 - as above
CIRCUITS = """
    SELECT c.scope, s.state, (c.state = s.state)::int AS value
    FROM ledger.circuits c CROSS JOIN unnest(ARRAY['closed', 'open', 'held', 'recovering']) AS s(state)
"""
# The newest probe of the last hour of each endpoint.
NETWORK = """
    SELECT p.endpoint, s.step, s.value
    FROM (SELECT DISTINCT ON (endpoint) * FROM ledger.network_probes
          WHERE probed_at >= now() - interval '1 hour' ORDER BY endpoint, probed_at DESC) AS p
    CROSS JOIN LATERAL (VALUES ('dns', p.dns_seconds), ('connect', p.connect_seconds), ('tls', p.tls_seconds),
                               ('first_byte', p.first_byte_seconds)) AS s(step, value)
    WHERE s.value IS NOT NULL
"""
NETWORK_FAILED = """
    SELECT DISTINCT ON (endpoint) endpoint, (failure IS NOT NULL)::int AS value FROM ledger.network_probes
    WHERE probed_at >= now() - interval '1 hour' ORDER BY endpoint, probed_at DESC
"""
# A reason is one word of Adobe's; a text is none, and may say more than a label should.
EXCLUDED = f"""
    SELECT coalesce(k.name, '(unknown)') AS campaign, coalesce(e.code, '') AS code,
           coalesce(substring(e.reason FROM '^[A-Za-z0-9_-]{{1,64}}$'), '') AS reason,
           count(DISTINCT e.request_id) AS value
    FROM audit.exclusions e LEFT JOIN ({KNOWN}) AS k ON k.name = e.campaign
    WHERE e.received_at >= now() - interval '1 hour' GROUP BY 1, 2, 3
"""  # noqa: S608 - as above
# Of every lane and campaign that a living worker sends, slowed or not; more causes than one leave the product of them.
RATE_SHARES = """
    SELECT l.lane, coalesce(l.campaign, '') AS campaign,
           CASE WHEN min(s.share) = 0 THEN 0 ELSE exp(sum(ln(coalesce(nullif(s.share, 0), 1)))) END AS value
    FROM audit.rate_limits l
    LEFT JOIN audit.slow_rates s ON s.share IS NOT NULL AND (s.lane IS NULL OR s.lane = l.lane)
        AND (s.campaign = l.campaign OR s.campaign IS NULL)
    WHERE l.campaign IS NULL OR EXISTS (
        SELECT FROM ledger.workers w WHERE ledger.lives(w) AND w.definitions ? l.campaign)
    GROUP BY 1, 2
"""
SLOW_RATES = """
    SELECT coalesce(lane, '') AS lane, coalesce(campaign, '') AS campaign, cause, scope,
           greatest(extract(epoch FROM now() - since), 0) AS value
    FROM audit.slow_rates
"""
# What nobody has seen for a minute is missing, and no number.
QUEUES = """
    SELECT q.queue, q.lane, p.place, p.value FROM audit.queues q
    CROSS JOIN LATERAL (VALUES ('broker', q.messages), ('workers', q.unopened)) AS p (place, value)
    WHERE q.looked_at > now() - interval '1 minute'
"""
QUEUE_LOOKS = """
    SELECT queue, greatest(extract(epoch FROM now() - looked_at), 0) AS value FROM audit.queues
    WHERE looked_at > now() - interval '1 hour'
"""
WAITING = "SELECT lane, campaign, waiting AS value FROM audit.waiting"
STRAYS = """
    SELECT count(*) AS value FROM ledger.attempts
    WHERE responded_at >= now() - interval '1 hour' AND answered_request_id IS NOT NULL AND outcome <> 'accepted'
"""
DIFFERING = f"""
    SELECT coalesce(k.name, '(unknown)') AS campaign, count(*) AS value
    FROM audit.differing_copies d LEFT JOIN ({KNOWN}) AS k ON k.name = d.campaign
    WHERE d.last_seen_at >= now() - interval '1 hour' GROUP BY 1
"""  # noqa: S608 - as above
WORKERS = """
    SELECT s.status, count(w.status) AS value
    FROM unnest(ARRAY['alive', 'dead', 'stopped']) AS s(status)
    LEFT JOIN (
        SELECT ledger.worker_status(w) AS status FROM ledger.workers w WHERE heartbeat_at >= now() - interval '1 hour'
    ) AS w USING (status)
    GROUP BY 1
"""
ATTEMPTS = f"""
    WITH recent AS MATERIALIZED (
        SELECT request_id, coalesce(to_body_seconds, to_headers_seconds) AS seconds FROM ledger.attempts
        WHERE responded_at >= now() - interval '5 minutes'
    ), spread AS (
        SELECT coalesce(k.name, '(unknown)') AS campaign, {spread_of("r.seconds")} AS seconds
        FROM recent r
        CROSS JOIN LATERAL (SELECT campaign FROM ledger.triggers WHERE request_id = r.request_id OFFSET 0) AS t
        LEFT JOIN ({KNOWN}) AS k ON k.name = t.campaign
        WHERE {drawn_of("recent")}
        GROUP BY 1
    )
    SELECT campaign, q.quantile, q.value FROM spread, unnest({QUANTILES}, seconds[:3]) AS q(quantile, value)
    WHERE q.value IS NOT NULL
"""  # noqa: S608 - as above
# Of triggers that came to their end: their phases, and their total.
PHASES = f"""
    WITH recent AS MATERIALIZED (
        SELECT request_id FROM ledger.triggers
        WHERE received_at >= now() - interval '5 minutes' AND completed_at IS NOT NULL
    ), drawn AS (
        SELECT d.seconds || d.total_seconds AS seconds FROM recent r
        CROSS JOIN LATERAL (SELECT * FROM ledger.delays WHERE request_id = r.request_id OFFSET 0) AS d
        WHERE {drawn_of("recent")}
    ), spread AS (
        SELECT s.position, {spread_of("s.seconds")} AS seconds
        FROM drawn CROSS JOIN LATERAL unnest(drawn.seconds) WITH ORDINALITY AS s(seconds, position) GROUP BY s.position
    )
    SELECT n.phase, q.quantile, q.value
    FROM spread JOIN (
        SELECT position, phase FROM ledger.phases UNION ALL SELECT position, phase FROM audit.sums
    ) AS n USING (position) CROSS JOIN LATERAL unnest({QUANTILES}, spread.seconds[:3]) AS q(quantile, value)
    WHERE q.value IS NOT NULL
"""  # noqa: S608 - as above
