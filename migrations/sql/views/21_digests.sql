-- What a part of a day comes to, as it is, or as it was when it was sealed. It is computed here, so that whoever
-- verifies needs no right on the rows: of them nobody learns more than how many there are, and a SHA-256.

CREATE OR REPLACE FUNCTION audit.digest(
    of_relation text, of_day date, low uuid, high uuid, covered_until timestamptz, newest_revision bigint,
    open_triggers uuid[]
) RETURNS TABLE (rows bigint, later bigint, digest bytea)
    LANGUAGE plpgsql STABLE
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp -- last: whoever asks may have made types of the same names there
    -- What a row's JSON depends on, whatever the role's or the server's defaults are; and no plan that is made while
    -- others wait.
    SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET bytea_output = 'hex' SET extra_float_digits = 1
    SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
    relation record;
    hourly   boolean;
    revised  text;
    covered  text;
    opened   text := 'false';
    was      text := 'NULL::bytea';
    joined   text := '';
    first_key text;
    places   text;
    statement text;
    begin_at timestamptz := of_day::timestamp AT TIME ZONE 'UTC';
    end_at   timestamptz := (of_day + 1)::timestamp AT TIME ZONE 'UTC';
    bounds   uuid[];
    ids      uuid[];
    rounds   int2[];
    attempts int2[];
    prints   bytea[];
BEGIN
    SELECT * INTO relation FROM (VALUES
        ('triggers', 'ledger.triggers t', ARRAY['t.request_id'], 't.received_at', true, '{}'::text[], 'triggers'),
        ('attempts', 'ledger.attempts t', ARRAY['t.request_id', 't.round', 't.attempt'], 't.intended_at', true, '{}',
         'attempts'),
        -- Which trigger it is about may be found later.
        ('feedback', 'ledger.feedback t', ARRAY['t.feedback_id'], 't.received_at', true,
         '{request_id,matched_at,match_due_at,match}', NULL),
        ('triggers_default', 'ledger.triggers_default t', ARRAY['t.request_id'], 't.received_at', false, '{}',
         'triggers'),
        ('attempts_default', 'ledger.attempts_default t', ARRAY['t.request_id', 't.round', 't.attempt'],
         't.intended_at', false, '{}', 'attempts'),
        ('operations', 'ledger.operations t', ARRAY['t.operation_id'], 't.done_at', false, '{}', NULL),
        ('operation_triggers', 'ledger.operation_triggers t JOIN ledger.operations o USING (operation_id)',
         ARRAY['t.operation_id', 't.request_id'], 'o.done_at', false, '{}', NULL),
        -- Its end may come days after its begin; the probe that ended it is covered.
        ('outages', 'ledger.outages t', ARRAY['t.outage_id'], 't.opened_at', false, '{ended_at,ended_by,recovered_at}',
         NULL),
        ('probes', 'ledger.probes t', ARRAY['t.outage_id', 't.probed_at', 't.request_id'], 't.probed_at', false, '{}',
         NULL),
        ('revisions', 'ledger.revisions t', ARRAY['t.revision_id'], 't.changed_at', false, '{}', NULL),
        ('removals', 'ledger.removals t', ARRAY['t.removal_id'], 't.removed_at', false, '{}', NULL)
    ) AS r (name, source, keys, at, hourly, without, revised) WHERE r.name = of_relation;
    IF relation IS NULL THEN
        RAISE EXCEPTION 'audit.digest: % is not sealed', of_relation;
    END IF;
    hourly := relation.hourly;
    revised := relation.revised;
    covered := relation.at || ' < $2';
    IF revised IS NOT NULL THEN
        -- Of rows with several revisions the first one after the seal says what was sealed.
        SELECT array_agg(request_id), array_agg(round), array_agg(attempt), array_agg(fingerprint)
        INTO ids, rounds, attempts, prints
        FROM (
            SELECT DISTINCT ON (1, 2, 3) r.request_id, CASE WHEN r.attempt IS NOT NULL THEN r.round END AS round,
                   r.attempt,
                   r.fingerprint
            FROM ledger.revisions r
            WHERE r.revision_id > newest_revision AND r.relation = revised AND (low IS NULL OR r.request_id >= low)
              AND (high IS NULL OR r.request_id < high)
            ORDER BY 1, 2, 3, r.revision_id
        ) AS changed;
        was := 's.was';
        joined := format(
            'LEFT JOIN unnest($4::uuid[], $5::int2[], $6::int2[], $7::bytea[]) AS s(request_id, round, attempt, was)
             ON s.request_id = t.request_id AND s.round IS NOT DISTINCT FROM %s AND s.attempt IS NOT DISTINCT FROM %s',
            CASE revised WHEN 'attempts' THEN 't.round' ELSE 'NULL::int2' END,
            CASE revised WHEN 'attempts' THEN 't.attempt' ELSE 'NULL::int2' END);
        IF revised = 'triggers' THEN
            opened := 't.request_id = ANY ($3::uuid[])';
        ELSE -- what belongs to a trigger that is under way may still grow and be corrected
            covered := covered || ' AND NOT t.request_id = ANY ($3::uuid[])';
        END IF;
    END IF;
    first_key := relation.keys[1];
    SELECT string_agg(format('%s AS k%s', key, place), ', ' ORDER BY place) INTO places
    FROM unnest(relation.keys) WITH ORDINALITY AS k (key, place);
    statement := format(
        'SELECT count(*) FILTER (WHERE covered) AS rows, count(*) FILTER (WHERE NOT covered) AS later,
                sha256(coalesce(string_agg(fingerprint, ''''::bytea ORDER BY %s) FILTER (WHERE covered),
                    '''')) AS digest
         FROM (
             SELECT %s, %s AS covered,
                    CASE WHEN %s THEN sha256(convert_to(%s::text, ''UTF8''))
                         ELSE coalesce(%s, ledger.fingerprint(to_jsonb(t) - $1::text[])) END AS fingerprint
             FROM %s %s WHERE %s
         ) AS r',
        (SELECT string_agg('k' || place, ', ' ORDER BY place) FROM generate_subscripts(relation.keys, 1) AS place),
        places, covered, opened, first_key, was, relation.source, joined,
        CASE WHEN hourly -- twice: the hour for the planner to choose partitions by, the minute for the digest
             THEN format('%1$s >= $10 AND %1$s < $11 AND %1$s >= b.low AND %1$s < b.high', first_key)
             ELSE format('%1$s >= $12 AND %1$s < $13', relation.at) END);
    IF hourly THEN -- each minute by itself, so that none fills the memory
        SELECT array_agg(ledger.uuid7_floor(to_timestamp(
            ('x' || lpad(substr(replace(low::text, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint / 1000.0)
            + minute * interval '1 minute') ORDER BY minute) INTO bounds
        FROM generate_series(0, 60) AS minute;
        statement := format(
            'SELECT sum(m.rows)::bigint AS rows, sum(m.later)::bigint AS later,
                    sha256(string_agg(m.digest, ''''::bytea ORDER BY b.low)) AS digest
             FROM unnest($8::uuid[], $9::uuid[]) AS b(low, high) CROSS JOIN LATERAL (%s) AS m', statement);
    END IF;
    RETURN QUERY EXECUTE statement
    USING relation.without, covered_until, open_triggers, ids, rounds, attempts, prints, bounds[1:60], bounds[2:61],
        low, high, begin_at, end_at;
END
$$;

COMMENT ON FUNCTION audit.digest IS
    'Digests the rows of a relation, of an hour of ids (low to high) or of a whole day, as a seal with these values '
    'saw them; later rows are there, and not covered. docs/evidence.md says how.';

CREATE OR REPLACE FUNCTION audit.default_causes(of_table text, newer_than bigint, since timestamptz, until timestamptz)
    RETURNS SETOF text
    LANGUAGE sql STABLE
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT coalesce(r.cause, 'unexplained')
    FROM audit.revisions r
    WHERE r.relation = of_table AND r.revision_id > newer_than
      AND CASE of_table
          WHEN 'triggers' THEN EXISTS (
              SELECT FROM ledger.triggers_default t
              WHERE t.request_id = r.request_id AND t.received_at >= since AND t.received_at < until)
          ELSE EXISTS (
              SELECT FROM ledger.attempts_default t
              WHERE t.request_id = r.request_id AND t.intended_at >= since AND t.intended_at < until) END;
END;

COMMENT ON FUNCTION audit.default_causes IS
    'Why rows that belong to no daily partition have been revised: those of a while by their times.';
