-- Which system holds the delay of a trigger. The rule: a phase above its service level is late, and its system is
-- charged with all of it.

SELECT ledger.derive('ledger.delays', $view$
SELECT p.request_id, p.campaign, p.lane, p.producer, p.state, p.reason, p.round, p.attempts, p.possible_duplicate,
       p.occurred_at, p.outbox_at, p.enqueued_at, p.received_at, p.completed_at, p.departed_at, p.delivered_at,
       p.failed_at, {columns},
       extract(epoch FROM p.completed_at - began.at)::float8 AS total_seconds,
       extract(epoch FROM coalesce(p.delivered_at, p.failed_at, p.departed_at, p.completed_at) - began.at)::float8
           AS end_to_end_seconds,
       CASE WHEN late.systems IS NOT NULL THEN late.systems[1]
            WHEN p.state IN ('rejected', 'expired')
              OR p.departed_at IS NOT NULL AND (p.delivered_at IS NOT NULL OR p.failed_at IS NOT NULL) THEN 'none'
            ELSE 'not-yet-known' END AS system,
       late.phases[1] AS phase, late.seconds[1] AS delay_seconds,
       coalesce(late.systems, '{}') AS systems, coalesce(late.seconds, '{}') AS system_seconds,
       coalesce(late.late_phases, '{}') AS late_phases,
       coalesce(p.disagreement_seconds > coalesce(own.seconds[{skew}], every.seconds[{skew}]), false) AS clock_skew,
       extract(epoch FROM p.completed_at - p.first_dispatched_at)::float8 AS budget_used_seconds,
       ARRAY[{by position}] AS seconds
FROM ledger.phase_seconds p
LEFT JOIN ledger.levels own ON own.campaign = p.campaign
LEFT JOIN ledger.levels every ON every.campaign = '*'
CROSS JOIN LATERAL (SELECT coalesce(p.occurred_at, p.outbox_at, p.enqueued_at) AS at) AS began
LEFT JOIN LATERAL (
    SELECT array_agg(system ORDER BY last, seconds DESC) AS systems,
           array_agg(seconds ORDER BY last, seconds DESC) AS seconds,
           array_agg(phases[1] ORDER BY last, seconds DESC) AS phases,
           string_to_array(string_agg(array_to_string(phases, ' '), ' ' ORDER BY last, seconds DESC), ' ')
               AS late_phases
    FROM (
        SELECT system, sum(seconds) AS seconds, array_agg(phase ORDER BY seconds DESC) AS phases,
               system = 'clocks' AS last
        FROM (VALUES {judged}) AS v (phase, system, seconds, level)
        WHERE seconds > level
        GROUP BY system
    ) AS guilty
) AS late ON true
$view$);

SELECT ledger.derive('audit.delays', $view$
SELECT request_id, campaign, lane, producer, state, reason, round, attempts, possible_duplicate, occurred_at, outbox_at,
       enqueued_at, received_at, completed_at, departed_at, delivered_at, failed_at, {names}, total_seconds,
       end_to_end_seconds, system, phase, delay_seconds, systems, system_seconds, late_phases, clock_skew,
       budget_used_seconds
FROM ledger.delays
$view$);

CREATE OR REPLACE VIEW audit.shares AS
SELECT d.request_id, d.campaign, d.lane, d.received_at, s.system, s.seconds,
       s.seconds / nullif(s.together, 0) AS share
FROM ledger.delays d CROSS JOIN LATERAL (
    SELECT p.system, sum(spent.seconds) AS seconds, sum(sum(spent.seconds)) OVER () AS together
    FROM unnest(d.seconds) WITH ORDINALITY AS spent (seconds, position) JOIN ledger.phases p USING (position)
    WHERE spent.seconds <> 0 AND p.system <> 'clocks' GROUP BY p.system
) AS s;

COMMENT ON VIEW ledger.delays IS 'audit.delays, with the seconds of all phases by their position.';
SELECT ledger.describe_like('ledger.delays', 'ledger.phase_seconds');
COMMENT ON COLUMN ledger.delays.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.delays.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.delays.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.delays.producer IS 'The application that published it.';
COMMENT ON COLUMN ledger.delays.state IS 'Its state.';
COMMENT ON COLUMN ledger.delays.reason IS 'Why it ended, if not accepted, or why it is parked.';
COMMENT ON COLUMN ledger.delays.round IS 'The current round; phases are of all rounds.';
COMMENT ON COLUMN ledger.delays.possible_duplicate IS 'True if its recipients may have got the message twice.';
COMMENT ON COLUMN ledger.delays.occurred_at IS
    'When the business event happened, by its source''s clock; null if the producer didn''t say.';
COMMENT ON COLUMN ledger.delays.outbox_at IS
    'When the producer added it to its outbox, by the producer''s clock; null if it was published without one.';
COMMENT ON COLUMN ledger.delays.enqueued_at IS
    'When the producer handed it to a connection to the broker that stood, by the producer''s clock.';
COMMENT ON COLUMN ledger.delays.received_at IS 'When a worker first received it: the column to select times by.';
COMMENT ON COLUMN ledger.delays.completed_at IS 'When it came to its end.';
COMMENT ON COLUMN ledger.delays.departed_at IS 'When its last message left Journey Optimizer; null while not reported.';
COMMENT ON COLUMN ledger.delays.delivered_at IS 'When its last message was delivered; null while not reported.';
COMMENT ON COLUMN ledger.delays.failed_at IS 'When its last message failed for good; null while not reported.';
COMMENT ON COLUMN ledger.delays.total_seconds IS
    'From the event (or, if its time is unknown, from the outbox or publishing) to the end; null before the end.';
COMMENT ON COLUMN ledger.delays.end_to_end_seconds IS 'From the same to the delivery; as far as is known.';
COMMENT ON COLUMN ledger.delays.system IS
    'Whose fault the delay is: producer, broker, worker, adobe-api, adobe-departure or downstream; clocks (no delay, '
    'but clocks that disagree); none; or not-yet-known.';
COMMENT ON COLUMN ledger.delays.phase IS 'The longest late phase of that system; null if nothing is late.';
COMMENT ON COLUMN ledger.delays.delay_seconds IS
    'All late phases of that system together; null if nothing is late.';
COMMENT ON COLUMN ledger.delays.systems IS
    'All systems with a late phase, the one with most seconds first; clocks come last.';
COMMENT ON COLUMN ledger.delays.system_seconds IS
    'The late phases of each of them together. audit.shares has all phases, late or not.';
COMMENT ON COLUMN ledger.delays.late_phases IS 'All phases above their service level.';
COMMENT ON COLUMN ledger.delays.clock_skew IS
    'True if two machines'' clocks disagree by more than the service level of skew.';
COMMENT ON COLUMN ledger.delays.budget_used_seconds IS
    'From the first dispatch of the current round to the end; null before the end, and if nothing was dispatched.';
COMMENT ON COLUMN ledger.delays.seconds IS
    'Seconds of each phase, by its position in ledger.phases; null where it is not known, or has no phase.';

COMMENT ON VIEW audit.delays IS
    'One row for each trigger: the phases of its way, in seconds, and whose fault its delay is. The phases up to the '
    'end and residual_seconds sum to total_seconds; a phase that is not over is null, or counts what is known so far.';
SELECT ledger.describe_like('audit.delays', 'ledger.delays');

COMMENT ON VIEW audit.shares IS
    'How much of each trigger''s time so far is charged to each system, late or not: all of its phases. Clocks take no '
    'time, and are left out.';
SELECT ledger.describe_like('audit.shares', 'ledger.delays');
COMMENT ON COLUMN audit.shares.system IS 'Who is charged.';
COMMENT ON COLUMN audit.shares.seconds IS 'Seconds of all phases of that system.';
COMMENT ON COLUMN audit.shares.share IS 'Its part of all systems'' seconds.';
