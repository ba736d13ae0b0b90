CREATE OR REPLACE VIEW audit.phases AS SELECT position, phase, system, means, after_end, always_known
FROM ledger.phases;

COMMENT ON VIEW audit.phases IS 'The phases of a trigger in their order, and the system that each is charged to.';
SELECT ledger.describe_like('audit.phases', 'ledger.phases');
COMMENT ON COLUMN audit.phases.phase IS 'Name; audit.delays has it as a column, with _ for - and _seconds after it.';

-- What is summed up beside the phases, and is none: these follow them wherever phases are rolled up.
CREATE OR REPLACE VIEW audit.sums (position, phase, means) AS
SELECT most + number, phase, means
FROM (SELECT max(position) AS most FROM ledger.phases) AS p
CROSS JOIN (VALUES
    (1, 'total', 'From the event (or from the outbox or publishing, if its time is unknown) to the end.'),
    (2, 'end-to-end', 'From the same to the delivery, as far as that is known.'),
    (3, 'budget', 'From the first dispatch of a trigger''s round to its end.')
) AS v (number, phase, means);

COMMENT ON VIEW audit.sums IS 'What is rolled up like a phase, and is none.';
SELECT ledger.describe_like('audit.sums', 'ledger.phases');
COMMENT ON COLUMN audit.sums.position IS 'Place after the phases.';
COMMENT ON COLUMN audit.sums.phase IS 'Name.';

CREATE OR REPLACE VIEW audit.service_levels AS SELECT campaign, phase, seconds FROM ledger.service_levels;

COMMENT ON VIEW audit.service_levels IS
    'How long each phase of a trigger may take; above it, the phase is late, and its system is named.';
SELECT ledger.describe_like('audit.service_levels', 'ledger.service_levels');
COMMENT ON COLUMN audit.service_levels.phase IS 'Name of the phase.';

CREATE OR REPLACE VIEW ledger.levels AS
SELECT c.campaign,
       array_agg(coalesce(l.seconds, CASE c.campaign WHEN '*' THEN p.level_seconds END) ORDER BY n.position) AS seconds
FROM (SELECT '*' AS campaign UNION SELECT campaign FROM ledger.service_levels) AS c
CROSS JOIN (SELECT generate_series(1, max(position)) AS position FROM ledger.phases) AS n
LEFT JOIN ledger.phases p ON p.position = n.position
LEFT JOIN ledger.service_levels l ON l.campaign = c.campaign AND l.phase = p.phase
GROUP BY c.campaign;

COMMENT ON VIEW ledger.levels IS 'ledger.service_levels, one row a campaign, for ledger.delays.';
COMMENT ON COLUMN ledger.levels.campaign IS 'Name of the campaign definition, or *.';
COMMENT ON COLUMN ledger.levels.seconds IS
    'Seconds that each phase may take, by its position; null where the campaign has no row of its own.';
