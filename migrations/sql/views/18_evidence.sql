-- As JSON without nulls: whatever the order of columns, and whether or not later versions add some. Of the session only
-- TimeZone, bytea_output and extra_float_digits have a say in it; whoever calls this sets them.
CREATE OR REPLACE FUNCTION ledger.fingerprint(of_row jsonb) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN sha256(convert_to(jsonb_strip_nulls(of_row)::text, 'UTF8'));

COMMENT ON FUNCTION ledger.fingerprint IS 'SHA-256 of a row''s content.';

-- Not before a day has passed: until then it is work in progress, and nothing is sealed. The lock makes sure that a
-- seal and a revision come one after the other, so that their numbers tell which was first.
CREATE OR REPLACE FUNCTION ledger.note_revision() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER -- so that whoever changes a row can't choose not to leave a trace
    SET search_path = pg_catalog, pg_temp
    SET TimeZone = 'UTC' SET bytea_output = 'hex' SET extra_float_digits = 1
AS $$
BEGIN
    IF OLD.request_id >= ledger.uuid7_floor(now() - interval '1 day')
       AND OLD.request_id < ledger.uuid7_floor(now() + interval '1 day') THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('ajo-dispatch: ledger.revisions', 0));
    IF TG_ARGV[0] = 'triggers' THEN
        INSERT INTO ledger.revisions
            (changed_at, request_id, round, relation, was, became, reason, database_role, fingerprint)
        VALUES (clock_timestamp(), OLD.request_id, OLD.round, TG_ARGV[0], OLD.state, NEW.state, NEW.reason,
                session_user, ledger.fingerprint(to_jsonb(OLD)));
    ELSE
        INSERT INTO ledger.revisions
            (changed_at, request_id, round, attempt, relation, was, became, database_role, fingerprint)
        VALUES (clock_timestamp(), OLD.request_id, OLD.round, OLD.attempt, TG_ARGV[0], OLD.outcome, NEW.outcome,
                session_user, ledger.fingerprint(to_jsonb(OLD)));
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION ledger.note_revision IS 'Keeps in ledger.revisions what a row was before it was changed.';

-- The condition costs the workers' usual updates next to nothing: those are of triggers that are under way.
CREATE OR REPLACE TRIGGER revised AFTER UPDATE ON ledger.triggers
    FOR EACH ROW WHEN (OLD.state NOT IN ('sending', 'parked') AND OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION ledger.note_revision('triggers');

CREATE OR REPLACE TRIGGER revised AFTER UPDATE ON ledger.attempts
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION ledger.note_revision('attempts');

CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'ledger.% is evidence: its rows are never changed or deleted', TG_TABLE_NAME;
END
$$;

COMMENT ON FUNCTION ledger.refuse_change IS
    'Keeps evidence from being changed by mistake. Whoever owns the table can get round it: the chain shows that.';

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.digests
    EXECUTE FUNCTION ledger.refuse_change();

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.revisions
    EXECUTE FUNCTION ledger.refuse_change();

-- Why each revision was made, as far as the ledger bears it out. Null: nothing does.
CREATE OR REPLACE VIEW audit.revisions AS
SELECT r.revision_id, r.changed_at, r.relation, r.request_id, r.round, r.attempt, r.was, r.became, r.reason,
       r.database_role,
       CASE WHEN r.relation = 'attempts' THEN CASE WHEN r.was = 'interrupted' AND r.became <> 'interrupted'
                                                   THEN 'late answer' END
            WHEN r.became = 'parked' AND o.operation_id IS NOT NULL THEN 'operation ' || o.operation_id
            WHEN r.was = 'unconfirmed' AND r.became = 'accepted' AND r.reason = 'confirmed-by-feedback' THEN
                CASE WHEN EXISTS (SELECT FROM ledger.feedback WHERE request_id = r.request_id) THEN 'feedback' END
            WHEN r.was = 'unconfirmed' AND r.became = 'accepted' THEN
                CASE WHEN EXISTS (SELECT FROM ledger.attempts WHERE request_id = r.request_id AND outcome = 'accepted')
                     THEN 'late answer' END
       END AS cause,
       o.operator, o.why
FROM ledger.revisions r
LEFT JOIN LATERAL (
    SELECT p.operation_id, p.operator, p.reason AS why
    FROM ledger.operation_triggers t JOIN ledger.operations p USING (operation_id)
    WHERE t.request_id = r.request_id AND t.round = r.round AND t.state = r.was AND r.became = 'parked'
    ORDER BY p.operation_id DESC LIMIT 1
) AS o ON true;

COMMENT ON VIEW audit.revisions IS
    'One row for each change of what was over and done with, a day or more after its id, and why it was made.';
SELECT ledger.describe_like('audit.revisions', 'ledger.revisions');
COMMENT ON COLUMN audit.revisions.attempt IS 'The attempt; null for a trigger''s row.';
COMMENT ON COLUMN audit.revisions.cause IS
    'operation N (a redrive), late answer (a 202 after all), feedback (it confirms), or null: nothing in the ledger '
    'explains it.';
COMMENT ON COLUMN audit.revisions.operator IS 'Who did the operation.';
COMMENT ON COLUMN audit.revisions.why IS 'Why, in the operator''s words.';

CREATE OR REPLACE VIEW audit.digests AS
SELECT digest_id, sealed_at, covers_until, day, relation, from_id, to_id, rows,
       open_triggers, cause, key_id, revisions,
       encode(digest, 'hex') AS digest, encode(previous, 'hex') AS previous, encode(chain, 'hex') AS chain
FROM ledger.digests;

COMMENT ON VIEW audit.digests IS
    'One row for each time that a part of a closed day was sealed; ajo-dispatch audit verify compares them with the '
    'rows.';
SELECT ledger.describe_like('audit.digests', 'ledger.digests');
COMMENT ON COLUMN audit.digests.covers_until IS 'Rows that came before this are covered; later ones are not.';
COMMENT ON COLUMN audit.digests.relation IS 'Which rows.';
COMMENT ON COLUMN audit.digests.cause IS 'closed; or why it was sealed again.';
COMMENT ON COLUMN audit.digests.revisions IS 'The newest revision that was in force.';
COMMENT ON COLUMN audit.digests.digest IS 'SHA-256 over the rows, in hexadecimal.';
COMMENT ON COLUMN audit.digests.previous IS 'The chain value of the row before, in hexadecimal.';
COMMENT ON COLUMN audit.digests.chain IS 'The chain value, in hexadecimal.';
