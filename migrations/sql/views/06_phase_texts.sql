-- What the views of delays say once for each phase is made of ledger.phases. In their text, what stands in braces is
-- one of these: a list of columns, or a sum.
CREATE OR REPLACE VIEW ledger.phase_texts (brace, text) AS
WITH phases AS (
    SELECT position, phase, system, precedence, attempt_column, replace(phase, '-', '_') AS name,
           replace(phase, '-', '_') || '_seconds' AS seconds
    FROM ledger.phases
), waits AS ( -- those that are waits before an attempt
    SELECT * FROM phases WHERE attempt_column IS NOT NULL
), standstills AS ( -- those that keep queues waiting; of two at once the one with the lower number is charged
    SELECT s.*, (
        SELECT coalesce(string_agg(' - s.' || quote_ident(before.name), '' ORDER BY before.precedence), '')
        FROM phases before WHERE before.precedence < s.precedence
    ) AS without
    FROM phases s WHERE s.precedence IS NOT NULL
), spent AS ( -- the seconds of each, from what ledger.trigger_standstills has
    SELECT p.*, CASE
        WHEN phase = 'back-off' THEN format(
            'x.%I - x.after_proxy_seconds + CASE WHEN x.proxy_last THEN 0 ELSE in_vain.%I END',
            name || '_wait', seconds)
        WHEN phase = 'proxy' THEN
            'x.proxy_seconds + x.after_proxy_seconds + x.proxy_standstill'
            ' + CASE WHEN x.proxy_last THEN in_vain.back_off_seconds ELSE 0 END'
        WHEN precedence IS NULL AND attempt_column IS NULL THEN format('c.%I', seconds)
        ELSE concat_ws(' + ',
            CASE WHEN attempt_column IS NOT NULL THEN format('x.%I + in_vain.%I', name || '_wait', seconds) END,
            CASE WHEN precedence IS NOT NULL THEN format('x.%I', name || '_standstill') END)
        END AS text
    FROM phases p
), places AS ( -- positions need not be without a gap
    SELECT n AS position, p.seconds, p.system
    FROM generate_series(1, (SELECT max(position) FROM phases)) AS n LEFT JOIN phases p ON p.position = n
)
SELECT 'wait columns', string_agg(quote_ident(attempt_column), ', ' ORDER BY position) FROM waits
UNION ALL
SELECT 'waits together', string_agg(format('coalesce(%I, 0)', attempt_column), ' + ' ORDER BY position) FROM waits
UNION ALL
SELECT 'wait totals',
       string_agg(format('coalesce(sum(%I), 0) AS %I', attempt_column, name || '_wait'), ', ' ORDER BY position)
FROM waits
UNION ALL
SELECT 'waits in vain',
       string_agg(format('coalesce((waits ->> %L)::float8, 0) AS %I', attempt_column, seconds), ', ' ORDER BY position)
FROM waits
UNION ALL
SELECT 'standstills', string_agg(format(
           CASE phase WHEN 'absent' THEN 'waits - ' ELSE '' END
               || 'coalesce(range_agg(during) FILTER (WHERE kind = %L), ''{}'') AS %I',
           CASE phase WHEN 'absent' THEN 'present' ELSE phase END, name), ', ' ORDER BY position)
FROM standstills
UNION ALL
SELECT 'standstills together', string_agg(format('s.%I', name), ' + ' ORDER BY position) FROM standstills
UNION ALL
SELECT 'standstill seconds',
       string_agg(format('ledger.seconds(waits * (s.%I%s)) AS %I', name, without, name || '_standstill'),
                  ', ' ORDER BY position)
FROM standstills
UNION ALL
SELECT 'known standstills',
       string_agg(format('coalesce(why.%1$I, 0) AS %1$I', name || '_standstill'), ', ' ORDER BY position)
FROM standstills
UNION ALL
SELECT 'phases', string_agg(format('%s AS %I', text, seconds), ', ' ORDER BY position) FROM spent
UNION ALL
SELECT 'columns', string_agg(format('p.%I', seconds), ', ' ORDER BY position) FROM phases
UNION ALL
SELECT 'names', string_agg(quote_ident(seconds), ', ' ORDER BY position) FROM phases
UNION ALL
SELECT 'by position', string_agg(coalesce('p.' || quote_ident(seconds), 'NULL::float8'), ', ' ORDER BY position)
FROM places
UNION ALL
SELECT 'judged', string_agg(format('(%L, %L, %s, coalesce(own.seconds[%s], every.seconds[%s]))', phase, system,
                                   CASE system WHEN 'clocks' THEN 'p.disagreement_seconds'
                                               ELSE format('p.%I', seconds) END,
                                   position, position), ', ' ORDER BY position)
FROM phases WHERE system IS NOT NULL
UNION ALL
SELECT 'skew', max(position)::text FROM phases WHERE system = 'clocks';

COMMENT ON VIEW ledger.phase_texts IS 'What stands for braces in the texts of the views of delays.';
COMMENT ON COLUMN ledger.phase_texts.brace IS 'What stands in the braces.';
COMMENT ON COLUMN ledger.phase_texts.text IS 'What it becomes: an expression or a column for each phase.';

CREATE OR REPLACE FUNCTION ledger.drop_delays() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DROP VIEW IF EXISTS audit.shares, audit.delays, ledger.delays, ledger.phase_seconds, ledger.trigger_standstills,
        ledger.trigger_waits, ledger.attempts_together, ledger.attempt_spans;
END
$$;

COMMENT ON FUNCTION ledger.drop_delays IS
    'Drops the views of delays: for a migration that takes away what they read. They are made anew after it.';

-- A phase more moves columns, which REPLACE can't: then they go first, and are made anew one after the other.
CREATE OR REPLACE FUNCTION ledger.derive(view text, query text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made text := query;
    part record;
BEGIN
    FOR part IN SELECT brace, text FROM ledger.phase_texts LOOP
        made := replace(made, '{' || part.brace || '}', part.text);
    END LOOP;
    BEGIN
        EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', view, made);
    EXCEPTION WHEN invalid_table_definition THEN
        PERFORM ledger.drop_delays();
        EXECUTE format('CREATE VIEW %s AS %s', view, made);
    END;
END
$$;

COMMENT ON FUNCTION ledger.derive IS 'Makes a view of a text with braces, which ledger.phase_texts fills.';
