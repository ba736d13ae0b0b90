-- Where each trigger's time went: phases that follow one another from the event to the delivery, over all rounds; and
-- which system holds the delay.
--
--   event -> (outbox ->) enqueued -> received -> waits -> call -> … -> last answer -> end -> departure -> delivery
--   producer   outbox      queue      worker     waits    api   gaps     ending     Adobe, before it | providers, after it
--
-- Instants are subtracted as they are, and what the phases don't explain is residual_seconds: with it, phases sum to
-- total_seconds. A gap between two attempts is named by what lies between them: a dead worker, a wait for another round,
-- or (a few milliseconds) the worker itself.
--
-- The views are made of ledger.phases. In their text, what stands in braces is one expression a phase: a list of columns,
-- or a sum.

CREATE OR REPLACE FUNCTION ledger.derive_delays() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $derive$
DECLARE
    every text := $view$
CREATE VIEW ledger.delays AS
SELECT t.request_id, t.campaign, t.lane, t.producer, t.state, t.reason, t.round, a.attempts,
       t.possible_duplicate, t.occurred_at, t.outbox_at, t.enqueued_at, t.received_at, t.completed_at, d.departed_at, d.delivered_at,
       d.failed_at, {columns},
       extract(epoch FROM t.completed_at - began.at)::float8 AS total_seconds,
       extract(epoch FROM coalesce(d.delivered_at, d.failed_at, d.departed_at, t.completed_at) - began.at)::float8
           AS end_to_end_seconds,
       CASE WHEN late.systems IS NOT NULL THEN late.systems[1]
            WHEN t.state IN ('rejected', 'expired')
              OR d.departed_at IS NOT NULL AND (d.delivered_at IS NOT NULL OR d.failed_at IS NOT NULL) THEN 'none'
            ELSE 'not-yet-known' END AS system,
       late.phases[1] AS phase, late.seconds[1] AS delay_seconds,
       coalesce(late.systems, '{}') AS systems, coalesce(late.seconds, '{}') AS system_seconds,
       coalesce(late.late_phases, '{}') AS late_phases,
       coalesce(c.disagreement_seconds > coalesce(own.seconds[{skew}], every.seconds[{skew}]), false) AS clock_skew,
       extract(epoch FROM t.completed_at - t.first_dispatched_at)::float8 AS budget_used_seconds,
       ARRAY[{by position}] AS seconds
FROM ledger.triggers t
LEFT JOIN ledger.deliveries d ON d.request_id = t.request_id
LEFT JOIN ledger.levels own ON own.campaign = t.campaign
LEFT JOIN ledger.levels every ON every.campaign = '*'
CROSS JOIN LATERAL (SELECT coalesce(t.occurred_at, t.outbox_at, t.enqueued_at) AS at) AS began
LEFT JOIN LATERAL (
    SELECT skew_seconds FROM ledger.producer_clocks
    WHERE producer = t.producer AND minute <= t.received_at AND minute > t.received_at - interval '10 minutes'
    ORDER BY minute DESC LIMIT 1
) AS clock ON true
-- The attempts of all rounds. A look-up for each trigger: its cost grows with the triggers asked for, not with the table.
CROSS JOIN LATERAL (
    SELECT count(*)::int2 AS attempts, max(round) AS round, max(end_at) FILTER (WHERE newest) AS end_at,
           coalesce(bool_or(outcome = 'interrupted') FILTER (WHERE newest), false) AS interrupted_last,
           min(dispatched_at) AS sent_at,
           {wait totals},
           coalesce(sum(lag_seconds), 0) AS lag_seconds,
           coalesce(sum(coalesce(to_headers_seconds, to_body_seconds)) FILTER (WHERE failure IS DISTINCT FROM 'proxy'), 0)
               AS headers_seconds,
           -- What didn't get through our own proxy, and what was waited after it, is nobody else's.
           coalesce(sum(to_body_seconds) FILTER (WHERE failure = 'proxy'), 0) AS proxy_seconds,
           coalesce(sum(backoff_wait_seconds) FILTER (WHERE failure_before = 'proxy'), 0) AS after_proxy_seconds,
           coalesce(bool_or(failure = 'proxy') FILTER (WHERE newest), false) AS proxy_last,
           coalesce(sum(to_body_seconds - coalesce(to_headers_seconds, to_body_seconds)), 0) AS body_seconds,
           coalesce(sum(extract(epoch FROM end_at - dispatched_at)::float8 - coalesce(to_body_seconds, 0) - lag_seconds), 0)
               AS residual_seconds,
           coalesce(sum(extract(epoch FROM begin_at - CASE kind WHEN 'other' THEN before ELSE opened_at END)::float8), 0)
               AS other_seconds,
           coalesce(sum(extract(epoch FROM begin_at - before)::float8) FILTER (WHERE kind = 'handover'), 0)
               AS handover_seconds,
           coalesce(sum(extract(epoch FROM coalesce(opened_at, begin_at) - before)::float8)
                        FILTER (WHERE kind = 'waiting'), 0) AS waiting_seconds,
           range_agg(tstzrange(before, coalesce(opened_at, begin_at)))
               FILTER (WHERE kind = 'waiting' AND before < coalesce(opened_at, begin_at)) AS waiting
    FROM (
        SELECT *, CASE WHEN round > round_before AND round = t.round THEN t.round_opened_at END AS opened_at,
               CASE WHEN round > round_before THEN 'waiting'
                    WHEN outcome_before = 'interrupted' OR outcome_before IS NOT NULL AND t.fence > t.round THEN 'handover'
                    ELSE 'other' END AS kind
        FROM (
            SELECT *, coalesce(lag(end_at) OVER w, t.received_at) AS before, coalesce(lag(round) OVER w, 1) AS round_before,
                   lag(outcome) OVER w AS outcome_before, lag(failure) OVER w AS failure_before, lead(attempt) OVER w IS NULL AS newest
            FROM (
                SELECT round, attempt, outcome, failure, dispatched_at, {wait columns}, to_headers_seconds,
                       coalesce(to_body_seconds, to_headers_seconds,
                           extract(epoch FROM responded_at - dispatched_at)::float8) AS to_body_seconds,
                       coalesce(lag_seconds, 0) AS lag_seconds,
                       coalesce(responded_at + make_interval(secs => coalesce(lag_seconds, 0)), dispatched_at) AS end_at,
                       dispatched_at - make_interval(secs => {waits together}) AS begin_at
                FROM ledger.attempts WHERE request_id = t.request_id
            ) AS attempt
            WINDOW w AS (ORDER BY round, attempt)
        ) AS followed
    ) AS named
) AS a
-- After the last attempt: a round that was opened and has none yet, or the way to the end.
CROSS JOIN LATERAL (
    SELECT coalesce(a.end_at, t.received_at) AS end_at, t.round > coalesce(a.round, 1) AS newer_round,
           extract(epoch FROM t.received_at - t.enqueued_at)::float8 - coalesce(clock.skew_seconds, 0) AS queue_seconds,
           t.enqueued_at + make_interval(secs => coalesce(clock.skew_seconds, 0)) AS enqueued_at
) AS e
CROSS JOIN LATERAL (
    SELECT a.waiting_seconds + CASE WHEN e.newer_round THEN
               coalesce(extract(epoch FROM t.round_opened_at - e.end_at)::float8, 0) ELSE 0 END AS waiting_seconds,
           coalesce(a.waiting, '{}') + CASE WHEN e.newer_round AND e.end_at < t.round_opened_at
               THEN tstzmultirange(tstzrange(e.end_at, t.round_opened_at)) ELSE '{}' END AS waiting,
           CASE WHEN e.queue_seconds > 1 AND e.enqueued_at < t.received_at
                THEN tstzmultirange(tstzrange(e.enqueued_at, t.received_at)) ELSE '{}' END AS queue,
           CASE WHEN t.completed_at IS NOT NULL THEN extract(epoch FROM
               t.completed_at - CASE WHEN e.newer_round THEN t.round_opened_at ELSE e.end_at END)::float8 END AS rest_seconds
) AS w
-- Why it waited: looked for only where it did.
LEFT JOIN LATERAL (
    SELECT {standstill seconds},
           ledger.seconds(w.queue * ({standstills together})) AS of_queue_seconds,
           ledger.seconds(w.waiting * ({standstills together})) AS of_waiting_seconds
    FROM (SELECT w.queue + w.waiting AS waits) AS q
    CROSS JOIN LATERAL (
        SELECT {standstills} FROM ledger.stretches
        WHERE NOT isempty(waits) AND (lane = t.lane OR campaign = t.campaign) AND during && range_merge(waits)
    ) AS s
    WHERE NOT isempty(waits)
) AS why ON true
-- What was waited for the last attempt, if it was not made.
CROSS JOIN LATERAL (
    SELECT CASE WHEN t.completed_at IS NOT NULL THEN t.waited_in_vain END AS waits
) AS in_vain
CROSS JOIN LATERAL (
    SELECT w.rest_seconds - CASE WHEN in_vain.waits IS NULL THEN 0
        ELSE (SELECT coalesce(sum(value::float8), 0) FROM jsonb_each_text(in_vain.waits)) END AS seconds
) AS rest
-- What is neither a wait before an attempt nor a standstill.
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM coalesce(t.outbox_at, t.enqueued_at) - t.occurred_at)::float8 AS producer_seconds,
           coalesce(extract(epoch FROM t.enqueued_at - t.outbox_at)::float8, 0) AS outbox_seconds,
           coalesce(clock.skew_seconds, 0) AS skew_seconds,
           e.queue_seconds - coalesce(why.of_queue_seconds, 0) AS broker_seconds,
           w.waiting_seconds - coalesce(why.of_waiting_seconds, 0) AS redrive_seconds,
           a.other_seconds + CASE WHEN e.newer_round OR a.attempts = 0 THEN coalesce(rest.seconds, 0) ELSE 0 END
               AS other_seconds,
           a.headers_seconds, a.body_seconds, a.lag_seconds,
           a.handover_seconds + CASE WHEN NOT e.newer_round AND a.interrupted_last THEN coalesce(rest.seconds, 0)
                                     ELSE 0 END AS handover_seconds,
           CASE WHEN e.newer_round OR a.attempts = 0 OR a.interrupted_last THEN rest.seconds * 0
                ELSE rest.seconds END AS ending_seconds,
           a.residual_seconds,
           extract(epoch FROM d.departed_at - t.completed_at)::float8 AS departure_seconds,
           extract(epoch FROM coalesce(d.delivered_at, d.failed_at) - d.departed_at)::float8 AS delivery_seconds,
           greatest(abs(clock.skew_seconds), -e.queue_seconds, extract(epoch FROM t.occurred_at - coalesce(t.outbox_at, t.enqueued_at))::float8,
                    extract(epoch FROM t.outbox_at - t.enqueued_at)::float8,
                    -- A slow Adobe may send the message long before it answers the call; never before it got it.
                    extract(epoch FROM coalesce(a.sent_at, t.completed_at) - d.departed_at)::float8) AS disagreement_seconds
) AS c
CROSS JOIN LATERAL (SELECT {phases}) AS p
-- The rule: a phase above its service level is late, and its system is charged with all of it.
LEFT JOIN LATERAL (
    SELECT array_agg(system ORDER BY last, seconds DESC) AS systems,
           array_agg(seconds ORDER BY last, seconds DESC) AS seconds,
           array_agg(phases[1] ORDER BY last, seconds DESC) AS phases,
           string_to_array(string_agg(array_to_string(phases, ' '), ' ' ORDER BY last, seconds DESC), ' ') AS late_phases
    FROM (
        SELECT system, sum(seconds) AS seconds, array_agg(phase ORDER BY seconds DESC) AS phases,
               system = 'clocks' AS last
        FROM (VALUES {judged}) AS v (phase, system, seconds, level)
        WHERE seconds > level
        GROUP BY system
    ) AS guilty
) AS late ON true
$view$;
    named text := $view$
CREATE VIEW audit.delays AS
SELECT request_id, campaign, lane, producer, state, reason, round, attempts, possible_duplicate, occurred_at, outbox_at,
       enqueued_at, received_at, completed_at, departed_at, delivered_at, failed_at, {names}, total_seconds, end_to_end_seconds,
       system, phase, delay_seconds, systems, system_seconds, late_phases, clock_skew, budget_used_seconds
FROM ledger.delays
$view$;
    shares text := $view$
CREATE VIEW audit.shares AS
SELECT d.request_id, d.campaign, d.lane, d.received_at, s.system, s.seconds,
       s.seconds / nullif(sum(s.seconds) OVER (PARTITION BY d.request_id), 0) AS share
FROM ledger.delays d CROSS JOIN LATERAL (
    SELECT p.system, sum(spent.seconds) AS seconds
    FROM unnest(d.seconds) WITH ORDINALITY AS spent (seconds, position) JOIN ledger.phases p USING (position)
    WHERE spent.seconds <> 0 AND p.system <> 'clocks' GROUP BY p.system
) AS s
$view$;
    written record;
    part    record;
BEGIN
    WITH phases AS (
        SELECT position, phase, system, precedence, attempt_column, replace(phase, '-', '_') AS name,
               replace(phase, '-', '_') || '_seconds' AS seconds
        FROM ledger.phases
    ), standstill AS (
        SELECT s.position, s.name, string_agg(' - s.' || quote_ident(h.name), '' ORDER BY h.precedence) AS without
        FROM phases s LEFT JOIN phases h ON h.precedence < s.precedence
        WHERE s.precedence IS NOT NULL GROUP BY s.position, s.name
    )
    SELECT string_agg(format('p.%I', seconds), ', ' ORDER BY position) AS "columns",
           string_agg(format('%I', seconds), ', ' ORDER BY position) AS names,
           string_agg(quote_ident(attempt_column), ', ' ORDER BY position) AS "wait columns",
           string_agg(format('coalesce(%s, 0)', quote_ident(attempt_column)), ' + ' ORDER BY position)
               FILTER (WHERE attempt_column IS NOT NULL) AS "waits together",
           string_agg(format('coalesce(sum(%s), 0) AS %I', quote_ident(attempt_column), name || '_wait'), ', ' ORDER BY position)
               FILTER (WHERE attempt_column IS NOT NULL) AS "wait totals",
           string_agg(format(CASE phase
               WHEN 'absent' THEN 'waits - coalesce(range_agg(during) FILTER (WHERE kind = ''present''), ''{}'') AS %2$I'
               ELSE 'coalesce(range_agg(during) FILTER (WHERE kind = %1$L), ''{}'') AS %2$I' END, phase, name),
                      ', ' ORDER BY position) FILTER (WHERE precedence IS NOT NULL) AS standstills,
           string_agg(format('s.%I', name), ' + ' ORDER BY position)
               FILTER (WHERE precedence IS NOT NULL) AS "standstills together",
           (SELECT string_agg(format('ledger.seconds(waits * (s.%I%s)) AS %I', name, without, name || '_standstill'),
                              ', ' ORDER BY position) FROM standstill) AS "standstill seconds",
           string_agg(format('%s AS %I', CASE
               WHEN phase = 'back-off' THEN format('a.%I - a.after_proxy_seconds + CASE WHEN a.proxy_last THEN 0
                   ELSE coalesce((in_vain.waits ->> %L)::float8, 0) END', name || '_wait', attempt_column)
               WHEN phase = 'proxy' THEN 'a.proxy_seconds + a.after_proxy_seconds + coalesce(why.proxy_standstill, 0)
                   + CASE WHEN a.proxy_last THEN coalesce((in_vain.waits ->> ''backoff_wait_seconds'')::float8, 0) ELSE 0 END'
               WHEN precedence IS NULL AND attempt_column IS NULL THEN format('c.%I', seconds)
               ELSE concat_ws(' + ',
                   CASE WHEN attempt_column IS NOT NULL
                        THEN format('a.%I + coalesce((in_vain.waits ->> %L)::float8, 0)', name || '_wait', attempt_column) END,
                   CASE WHEN precedence IS NOT NULL THEN format('coalesce(why.%I, 0)', name || '_standstill') END)
               END, seconds), ', ' ORDER BY position) AS phases,
           string_agg(format('(%L, %L, %s, coalesce(own.seconds[%s], every.seconds[%s]))', phase, system,
                             CASE system WHEN 'clocks' THEN 'c.disagreement_seconds' ELSE format('p.%I', seconds) END,
                             position, position), ', ' ORDER BY position) FILTER (WHERE system IS NOT NULL) AS judged,
           (SELECT string_agg(coalesce('p.' || quote_ident(p.seconds), 'NULL::float8'), ', ' ORDER BY n)
            FROM generate_series(1, max(o.position)) AS n LEFT JOIN phases p ON p.position = n) AS "by position",
           max(position) FILTER (WHERE system = 'clocks') AS skew
    INTO written FROM phases AS o;
    FOR part IN SELECT format('{%s}', key) AS brace, value FROM jsonb_each_text(to_jsonb(written)) LOOP
        every := replace(every, part.brace, part.value);
        named := replace(named, part.brace, part.value);
    END LOOP;

    DROP VIEW IF EXISTS audit.shares, audit.delays, ledger.delays;
    EXECUTE every;
    EXECUTE named;
    EXECUTE shares;

    COMMENT ON VIEW ledger.delays IS 'audit.delays, with the seconds of all phases by their position.';
    COMMENT ON VIEW audit.delays IS 'One row for each trigger: the phases of its way, in seconds, and whose fault its delay is. The phases up to the end and residual_seconds sum to total_seconds; a phase that is not over is null, or counts what is known so far.';
    FOR part IN
        SELECT v.relation, c.name, c.means
        FROM (VALUES ('ledger.delays'), ('audit.delays')) AS v (relation)
        CROSS JOIN (
            SELECT replace(phase, '-', '_') || '_seconds' AS name,
                   'Seconds of the phase ' || phase || '. ' || means
                       || CASE WHEN always_known THEN '' ELSE ' Null while it is not known.' END AS means
            FROM ledger.phases
            UNION ALL VALUES
                ('request_id', 'The trigger.'),
                ('campaign', 'Name of the campaign definition.'),
                ('lane', 'standard or high-throughput.'),
                ('producer', 'The application that published it.'),
                ('state', 'Its state.'),
                ('reason', 'Why it ended, if not accepted, or why it is parked.'),
                ('round', 'The current round; phases are of all rounds.'),
                ('attempts', 'Attempts of all rounds that came to an end.'),
                ('possible_duplicate', 'True if its recipients may have got the message twice.'),
                ('occurred_at', 'When the business event happened, by its source''s clock; null if the producer didn''t say.'),
                ('outbox_at', 'When the producer added it to its outbox, by the producer''s clock; null if it was published without one.'),
                ('enqueued_at', 'When the producer handed it to a connection to the broker that stood, by the producer''s clock.'),
                ('received_at', 'When a worker first received it: the column to select times by.'),
                ('completed_at', 'When it came to its end.'),
                ('departed_at', 'When its last message left Journey Optimizer; null while not reported.'),
                ('delivered_at', 'When its last message was delivered; null while not reported.'),
                ('failed_at', 'When its last message failed for good; null while not reported.'),
                ('total_seconds', 'From the event (or, if its time is unknown, from the outbox or publishing) to the end; null before the end.'),
                ('end_to_end_seconds', 'From the same to the delivery; as far as is known.'),
                ('system', 'Whose fault the delay is: producer, broker, worker, adobe-api, adobe-departure or downstream; clocks (no delay, but clocks that disagree); none; or not-yet-known.'),
                ('phase', 'The longest late phase of that system; null if nothing is late.'),
                ('delay_seconds', 'All late phases of that system together; null if nothing is late.'),
                ('systems', 'All systems with a late phase, the one with most seconds first; clocks come last.'),
                ('system_seconds', 'The late phases of each of them together. audit.shares has all phases, late or not.'),
                ('late_phases', 'All phases above their service level.'),
                ('clock_skew', 'True if two machines'' clocks disagree by more than the service level of skew.'),
                ('budget_used_seconds', 'From the first dispatch of the current round to the end; null before the end, and if nothing was dispatched.')
        ) AS c (name, means)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', part.relation, part.name, part.means);
    END LOOP;
    COMMENT ON COLUMN ledger.delays.seconds IS 'Seconds of each phase, by its position in ledger.phases; null where it is not known, or has no phase.';

    COMMENT ON VIEW audit.shares IS 'How much of each trigger''s time so far is charged to each system, late or not: all of its phases. Clocks take no time, and are left out.';
    COMMENT ON COLUMN audit.shares.request_id IS 'The trigger.';
    COMMENT ON COLUMN audit.shares.campaign IS 'Name of the campaign definition.';
    COMMENT ON COLUMN audit.shares.lane IS 'standard or high-throughput.';
    COMMENT ON COLUMN audit.shares.received_at IS 'When a worker first received it: the column to select times by.';
    COMMENT ON COLUMN audit.shares.system IS 'Who is charged.';
    COMMENT ON COLUMN audit.shares.seconds IS 'Seconds of all phases of that system.';
    COMMENT ON COLUMN audit.shares.share IS 'Its part of all systems'' seconds.';
END
$derive$;

COMMENT ON FUNCTION ledger.derive_delays IS
    'Makes ledger.delays, audit.delays and audit.shares anew, of the phases in ledger.phases. For migrations.';

SELECT ledger.derive_delays();
