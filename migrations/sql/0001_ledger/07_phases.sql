-- The phases of a trigger: all that is known of them stands here, once. Views, roll-ups, programs and pages read it, and
-- ledger.derive_delays makes the views of what each trigger spent in each. A new phase is a row, and its seconds: a
-- column of ledger.attempts (a wait before an attempt), a kind of audit.standstills (a wait in the queue), both, or an
-- expression in ledger.derive_delays. docs/audit.md says why each is charged as it is.
CREATE TABLE ledger.phases (
    position       smallint PRIMARY KEY,
    precedence     smallint UNIQUE,
    level_seconds  double precision,
    after_end      boolean NOT NULL DEFAULT false,
    always_known   boolean NOT NULL DEFAULT true,
    phase          text NOT NULL UNIQUE,
    system         text,
    attempt_column text,
    means          text NOT NULL,
    CONSTRAINT phases_position CHECK (position > 0),
    CONSTRAINT phases_phase CHECK (phase ~ '^[a-z]+(-[a-z]+)*$'),
    CONSTRAINT phases_system CHECK
        (system IN ('producer', 'clocks', 'broker', 'worker', 'adobe-api', 'adobe-departure', 'downstream'))
);

COMMENT ON TABLE ledger.phases IS 'The phases that a trigger''s time is cut into, and the system that each is charged to. Changed by migrations alone, which call ledger.derive_delays then.';
COMMENT ON COLUMN ledger.phases.position IS 'Place in the order.';
COMMENT ON COLUMN ledger.phases.precedence IS 'Of what keeps queues waiting (a kind of audit.standstills): where two do at once, the one with the lower number is charged. Null for other phases.';
COMMENT ON COLUMN ledger.phases.level_seconds IS 'How long it may take, unless ledger.service_levels says otherwise; null if it is never late.';
COMMENT ON COLUMN ledger.phases.after_end IS 'True if it comes after the trigger''s end, and is no part of its total.';
COMMENT ON COLUMN ledger.phases.always_known IS 'False if it may be unknown, and null then: not over yet, or never told.';
COMMENT ON COLUMN ledger.phases.phase IS 'Name; as a column, with _ for - and _seconds after it.';
COMMENT ON COLUMN ledger.phases.system IS 'Who is charged with it: producer, broker, worker, adobe-api, adobe-departure, downstream; clocks, which is no delay; or null: unexplained.';
COMMENT ON COLUMN ledger.phases.attempt_column IS 'The column of ledger.attempts in which each attempt has it, if it is a wait before one.';
COMMENT ON COLUMN ledger.phases.means IS 'What it is.';

INSERT INTO ledger.phases (position, phase, system, level_seconds, precedence, attempt_column, means) VALUES
    (1, 'producer', 'producer', 5, NULL, NULL, 'From the business event until it was added to the producer''s outbox or, without one, until the message is handed to a connection to the broker that stands, by the producer''s clocks.'),
    (2, 'outbox', 'producer', 5, NULL, NULL, 'In the producer''s outbox, until its relay hands the message to a connection to the broker that stands, by the producer''s clocks.'),
    (3, 'skew', 'clocks', 1, NULL, NULL, 'No time at all: by how much the producer''s clock is behind the ledger''s (negative: ahead), as far as it is proved.'),
    (4, 'broker', 'broker', 1, NULL, NULL, 'In the queue, while workers could have taken it. Negative: the producer''s clock is ahead, by at least that much.'),
    (5, 'absent', 'worker', 1, 6, NULL, 'In the queue, or waiting for another round, while no worker of its lane lived.'),
    (6, 'full', 'worker', 1, 8, NULL, 'The same, while a worker of its lane had in hand all that it may have, through no fault of Adobe''s.'),
    (7, 'backed-up', 'adobe-api', 1, 7, NULL, 'The same, while most of what a worker had in hand waited for Adobe.'),
    (8, 'silence', 'adobe-api', 1, 5, 'silence_wait_seconds', 'Held back, in the queue or in the worker, since the destination answered nothing.'),
    (9, 'outage', 'adobe-api', 1, 3, NULL, 'In the queue, or waiting for another round, while an outage of its destination kept it back, until all was as before, or workers without a token did.'),
    (10, 'paused', 'worker', 1, 2, NULL, 'The same, while its campaign was kept back since Adobe refused its triggers for good.'),
    (11, 'held', 'worker', 1, 1, NULL, 'The same, while an operator held its destination or campaign back, or our credentials were refused.'),
    (12, 'undefined', 'worker', 1, 9, NULL, 'Waiting for another round, while no living worker had its definition.'),
    (13, 'redrive', 'worker', 1, NULL, NULL, 'Waiting for another round for any other reason: for an operator''s redrive, or to be resumed.'),
    (14, 'intake', 'worker', 1, NULL, 'intake_wait_seconds', 'In the worker, whose loop had not come round to its message, its new round or its call.'),
    (15, 'back-off', 'adobe-api', 1, NULL, 'backoff_wait_seconds', 'Back-off after failed calls, and what Retry-After asked for.'),
    (16, 'slot', 'worker', 1, NULL, 'slot_wait_seconds', 'Waiting for a turn among the attempts in flight, and of its campaign, though calls were not slow.'),
    (17, 'congestion', 'adobe-api', 1, NULL, 'congestion_wait_seconds', 'The same for longer, since calls in flight were slow.'),
    (18, 'rate-limit', 'worker', 1, NULL, 'rate_limit_wait_seconds', 'Held back by a rate limit as it is configured.'),
    (19, 'throttle', 'adobe-api', 1, NULL, 'throttle_wait_seconds', 'Held back for longer, since answers 429 had slowed the rate.'),
    (20, 'ramp', 'adobe-api', 1, NULL, 'ramp_wait_seconds', 'Held back for longer, while the rate came back after an outage.'),
    (21, 'token', 'adobe-api', 1, NULL, 'token_wait_seconds', 'Waiting for an access token, all tries together.'),
    (22, 'ledger', 'worker', 1, NULL, 'ledger_wait_seconds', 'Until the announcements of its attempts were committed.'),
    (23, 'other', 'worker', 1, NULL, NULL, 'In the worker, doing anything else.'),
    (24, 'proxy', 'worker', 1, 4, NULL, 'Calls that got no tunnel through our proxy, the back-off after them, and the wait while an outage of the proxy kept the queue back.'),
    (25, 'headers', 'adobe-api', 2, NULL, NULL, 'From the request to the answer''s headers, or to the failure.'),
    (26, 'body', 'adobe-api', 1, NULL, NULL, 'From the headers to the end of the answer''s body.'),
    (27, 'lag', 'worker', 1, NULL, NULL, 'From the arrival of an answer until the worker took it.'),
    (28, 'handover', 'worker', 1, NULL, NULL, 'From the last sign of a worker that died or gave up to the next worker''s first step.'),
    (29, 'ending', 'worker', 1, NULL, NULL, 'From the last answer to the end: the decision and its commit.'),
    (30, 'residual', NULL, NULL, NULL, NULL, 'What the phases don''t explain: wall clock and monotonic clock of the same calls differ by it.'),
    (31, 'departure', 'adobe-departure', 60, NULL, NULL, 'From the end to the departure from Journey Optimizer; slightly negative if it was quicker than our commit.'),
    (32, 'delivery', 'downstream', 300, NULL, NULL, 'From the departure to the delivery, or the failure for good: cloud and mailbox providers.');
UPDATE ledger.phases SET after_end = true WHERE phase IN ('departure', 'delivery');
UPDATE ledger.phases SET always_known = false WHERE phase IN ('producer', 'ending', 'departure', 'delivery');

CREATE VIEW audit.phases AS SELECT position, phase, system, means, after_end, always_known FROM ledger.phases;

COMMENT ON VIEW audit.phases IS 'The phases of a trigger in their order, and the system that each is charged to.';
COMMENT ON COLUMN audit.phases.position IS 'Place in the order.';
COMMENT ON COLUMN audit.phases.phase IS 'Name; audit.delays has it as a column, with _ for - and _seconds after it.';
COMMENT ON COLUMN audit.phases.system IS 'Who is charged with it: producer, broker, worker, adobe-api, adobe-departure, downstream; clocks, which is no delay; or null: unexplained.';
COMMENT ON COLUMN audit.phases.means IS 'What it is.';
COMMENT ON COLUMN audit.phases.after_end IS 'True if it comes after the trigger''s end, and is no part of its total.';
COMMENT ON COLUMN audit.phases.always_known IS 'False if it may be unknown, and null then: not over yet, or never told.';

-- What is summed up beside the phases, and is none: these follow them wherever phases are rolled up.
CREATE VIEW audit.sums (position, phase, means) AS
SELECT most + number, phase, means
FROM (SELECT max(position) AS most FROM ledger.phases) AS p
CROSS JOIN (VALUES
    (1, 'total', 'From the event (or from the outbox or publishing, if its time is unknown) to the end.'),
    (2, 'end-to-end', 'From the same to the delivery, as far as that is known.'),
    (3, 'budget', 'From the first dispatch of a trigger''s round to its end.')
) AS v (number, phase, means);

COMMENT ON VIEW audit.sums IS 'What is rolled up like a phase, and is none.';
COMMENT ON COLUMN audit.sums.position IS 'Place after the phases.';
COMMENT ON COLUMN audit.sums.phase IS 'Name.';
COMMENT ON COLUMN audit.sums.means IS 'What it is.';

-- For every phase the time that is long enough to ask why. Operators add rows for campaigns, or change these.
INSERT INTO ledger.service_levels (campaign, phase, seconds)
SELECT '*', phase, level_seconds FROM ledger.phases WHERE level_seconds IS NOT NULL;

CREATE VIEW audit.service_levels AS SELECT campaign, phase, seconds FROM ledger.service_levels;

COMMENT ON VIEW audit.service_levels IS 'How long each phase of a trigger may take; above it, the phase is late, and its system is named.';
COMMENT ON COLUMN audit.service_levels.campaign IS 'Name of the campaign definition; * for all that have no row of their own.';
COMMENT ON COLUMN audit.service_levels.phase IS 'Name of the phase.';
COMMENT ON COLUMN audit.service_levels.seconds IS 'Seconds.';

CREATE VIEW ledger.levels AS
SELECT c.campaign,
       array_agg(coalesce(l.seconds, CASE c.campaign WHEN '*' THEN p.level_seconds END) ORDER BY n.position) AS seconds
FROM (SELECT '*' AS campaign UNION SELECT campaign FROM ledger.service_levels) AS c
CROSS JOIN (SELECT generate_series(1, max(position)) AS position FROM ledger.phases) AS n
LEFT JOIN ledger.phases p ON p.position = n.position
LEFT JOIN ledger.service_levels l ON l.campaign = c.campaign AND l.phase = p.phase
GROUP BY c.campaign;

COMMENT ON VIEW ledger.levels IS 'ledger.service_levels, one row a campaign, for ledger.delays.';
COMMENT ON COLUMN ledger.levels.campaign IS 'Name of the campaign definition, or *.';
COMMENT ON COLUMN ledger.levels.seconds IS 'Seconds that each phase may take, by its position; null where the campaign has no row of its own.';

-- While nothing was taken from queues, or not all that could be: since when, until when, and why, as the phase that it
-- makes; and while workers were present at all. A lane recovers in growing numbers, so an outage lasts until all is as
-- before.
CREATE VIEW ledger.stretches AS
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
SELECT CASE WHEN o.reason IN ('held', 'credentials-refused') THEN 'held' WHEN o.reason = 'campaign-failing' THEN 'paused'
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

COMMENT ON VIEW ledger.stretches IS 'When workers were present, and when queues stood still, or nearly: one row each time.';
COMMENT ON COLUMN ledger.stretches.kind IS 'present (a worker lived), or why a queue stood still, as the phase that it makes.';
COMMENT ON COLUMN ledger.stretches.lane IS 'The lane; null if it is about a campaign.';
COMMENT ON COLUMN ledger.stretches.campaign IS 'The campaign; null if it is about a lane.';
COMMENT ON COLUMN ledger.stretches.during IS 'Since when, until when.';

-- Clients read a range without a bound; an infinite instant many can't.
CREATE FUNCTION ledger.without_infinity(during tstzmultirange) RETURNS tstzmultirange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(range_agg(tstzrange(nullif(lower(r), '-infinity'), nullif(upper(r), 'infinity'))), '{}')
            FROM unnest(during) AS r);

COMMENT ON FUNCTION ledger.without_infinity IS 'The same stretches, but those that begin or end at an infinite instant have no bound there.';

CREATE VIEW audit.standstills AS
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
COMMENT ON COLUMN audit.standstills.kind IS 'Why, as the phase that it makes: absent, full, backed-up, silence, outage, proxy, paused, held or undefined (see audit.phases).';
COMMENT ON COLUMN audit.standstills.lane IS 'The lane; null if it is about a campaign.';
COMMENT ON COLUMN audit.standstills.campaign IS 'The campaign; null if it is about a lane.';
COMMENT ON COLUMN audit.standstills.during IS 'All times of it.';

CREATE FUNCTION ledger.seconds(during tstzmultirange) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)::float8 FROM unnest(during) AS r);

COMMENT ON FUNCTION ledger.seconds IS 'How many seconds a multirange has.';
