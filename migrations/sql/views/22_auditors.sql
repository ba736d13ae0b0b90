-- Whoever may read the schema audit, and nothing else. Roles belong to the whole cluster: another database may have
-- made this one, or whoever migrates may not make any.

CREATE OR REPLACE FUNCTION ledger.admit_auditors() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ajo-dispatch: ledger.admit_auditors', 0));
    IF to_regrole('ajo_auditor') IS NULL THEN
        BEGIN
            CREATE ROLE ajo_auditor NOLOGIN;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'the role ajo_auditor is missing, and % may not make it', current_user;
                RETURN false;
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of the cluster was faster
        END;
    ELSIF has_schema_privilege('ajo_auditor', 'audit', 'USAGE') THEN
        RETURN true;
    END IF;
    GRANT USAGE ON SCHEMA audit TO ajo_auditor;
    GRANT SELECT ON ALL TABLES IN SCHEMA audit TO ajo_auditor;
    ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO ajo_auditor; -- views of later migrations
    RETURN true;
END
$$;

COMMENT ON FUNCTION ledger.admit_auditors IS
    'Lets the role ajo_auditor read the views of the schema audit, and makes it if it is missing; false if it may '
    'not. Harmless when repeated.';

SELECT ledger.admit_auditors();
