-- The schemas themselves, and the table of applied migrations, are migrations/env.py's business.

-- The role may serve other databases of the cluster, or have members: then it stays, without its rights here.
DO $$
BEGIN
    IF to_regrole('ajo_auditor') IS NULL THEN
        RETURN;
    END IF;
    ALTER DEFAULT PRIVILEGES IN SCHEMA audit REVOKE SELECT ON TABLES FROM ajo_auditor;
    REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM ajo_auditor;
    REVOKE ALL ON SCHEMA audit FROM ajo_auditor;
    IF NOT EXISTS (SELECT FROM pg_auth_members WHERE roleid = to_regrole('ajo_auditor')) THEN
        BEGIN
            DROP ROLE ajo_auditor;
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR undefined_object THEN
            NULL;
        END;
    END IF;
END
$$;
DROP FUNCTION ledger.admit_auditors();

DROP FUNCTION audit.default_causes(text, bigint, timestamptz, timestamptz);
DROP FUNCTION audit.digest(text, date, uuid, uuid, timestamptz, bigint, uuid[]);
DROP FUNCTION audit.for_recipient(bytea, timestamptz, timestamptz, text, integer);
DROP VIEW audit.network_probes;
DROP VIEW audit.removals;
DROP VIEW audit.operations;
DROP VIEW audit.probes;
DROP VIEW audit.circuits;
DROP VIEW audit.held;
DROP VIEW audit.quarantine;
DROP VIEW audit.workers;
DROP VIEW audit.digests;
DROP VIEW audit.revisions;
DROP VIEW audit.network;
DROP VIEW audit.alerts;
DROP VIEW audit.alert_measures;
DROP FUNCTION ledger.burnt(ledger.triggers);
DROP VIEW audit.clock_steps;
DROP FUNCTION ledger.note_clock_step(uuid, double precision);
DROP VIEW audit.rates;
DROP VIEW audit.backlogs;
DROP VIEW audit.queues;
DROP VIEW audit.waiting;
DROP VIEW audit.slow_rates;
DROP VIEW audit.rate_limits;
DROP VIEW audit.unknown_definitions;
DROP VIEW audit.silences;
DROP VIEW audit.outages;
DROP VIEW audit.producer_clocks;
DROP VIEW audit.conservation;
DROP VIEW audit.budget_use;
DROP VIEW audit.duplicates;
DROP VIEW audit.exclusions;
DROP VIEW audit.differing_copies;
DROP VIEW audit.timeline;
DROP FUNCTION audit.delay_percentiles(timestamptz, timestamptz, text, boolean, interval, text);
DROP VIEW audit.shares_by_minute;
DROP VIEW audit.delay_by_minute;
DROP VIEW audit.rollup_failures;
DROP FUNCTION audit.lateness(date, text, text);
DROP VIEW audit.trigger_minutes;
DROP FUNCTION ledger.due_hours(integer);
DROP FUNCTION ledger.roll_up_hour(timestamptz);
DROP FUNCTION ledger.due_minutes(integer);
DROP FUNCTION ledger.roll_up(timestamptz);
DROP FUNCTION ledger.middle(smallint);
DROP FUNCTION ledger.bucket(double precision);
DROP FUNCTION ledger.nth(double precision[], bigint, bigint, double precision);
DROP FUNCTION ledger.find_skews(timestamptz);
DROP VIEW audit.shares;
DROP VIEW audit.delays;
DROP VIEW ledger.delays;
DROP FUNCTION ledger.derive_delays();
DROP VIEW ledger.levels;
DROP VIEW audit.standstills;
DROP FUNCTION ledger.without_infinity(tstzmultirange);
DROP VIEW ledger.stretches;
DROP VIEW audit.service_levels;
DROP VIEW audit.sums;
DROP VIEW audit.phases;
DROP VIEW audit.attempts;
DROP VIEW audit.triggers;

DROP TABLE ledger.removals;
DROP TABLE ledger.revisions;
DROP TABLE ledger.digests;
DROP TABLE ledger.network_probes;
DROP TABLE ledger.full_intakes;
DROP TABLE ledger.silences;
DROP TABLE ledger.clock_steps;
DROP TABLE ledger.rollup_failures;
DROP TABLE ledger.stale_minutes;
DROP TABLE ledger.delay_hours;
DROP TABLE ledger.delay_minutes;
DROP TABLE ledger.trigger_minutes;
DROP TABLE ledger.producer_clocks;
DROP TABLE ledger.service_levels;
DROP TABLE ledger.phases;
DROP TABLE ledger.deliveries;
DROP TABLE ledger.feedback;
DROP TABLE ledger.alert_audiences;
DROP TABLE ledger.alert_thresholds;
DROP TABLE ledger.operation_triggers;
DROP TABLE ledger.operations;
DROP TABLE ledger.rates;
DROP TABLE ledger.backlogs;
DROP TABLE ledger.queues;
DROP TABLE ledger.rate_limits;
DROP TABLE ledger.probes;
DROP TABLE ledger.outages;
DROP TABLE ledger.circuits;
DROP TABLE ledger.unknown_definitions;
DROP TABLE ledger.campaigns;
DROP TABLE ledger.quarantine;
DROP TABLE ledger.differing_copies;
DROP TABLE ledger.held_payloads;
DROP TABLE ledger.attempts;
DROP TABLE ledger.triggers;
DROP FUNCTION ledger.worker_status(ledger.workers);
DROP FUNCTION ledger.lived(ledger.workers);
DROP FUNCTION ledger.lives(ledger.workers);
DROP FUNCTION ledger.last_sign(ledger.workers);
DROP FUNCTION ledger.database_start();
DROP FUNCTION ledger.knows(ledger.workers, text, text);
DROP TABLE ledger.workers;
DROP FUNCTION ledger.drop_oldest_partition(date);
DROP FUNCTION ledger.refuse_change();
DROP FUNCTION ledger.note_revision();
DROP FUNCTION ledger.fingerprint(jsonb);
DROP FUNCTION ledger.make_partitions(date, date);
DROP FUNCTION ledger.seconds(tstzmultirange);
DROP FUNCTION ledger.uuid7_floor(timestamptz);

DROP FUNCTION ledger.describe_like(regclass, regclass[]);
