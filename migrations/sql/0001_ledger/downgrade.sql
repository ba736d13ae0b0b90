-- The schemas themselves, and the table of applied migrations, are migrations/env.py's business.

DROP VIEW audit.outages;
DROP VIEW audit.alerts;
DROP VIEW audit.alert_measures;
DROP VIEW audit.delays;
DROP VIEW audit.attempts;
DROP VIEW audit.triggers;

DROP TABLE ledger.stale_minutes;
DROP TABLE ledger.delay_minutes;
DROP TABLE ledger.trigger_minutes;
DROP TABLE ledger.producer_clocks;
DROP TABLE ledger.service_levels;
DROP TABLE ledger.deliveries;
DROP TABLE ledger.feedback;
DROP TABLE ledger.alert_audiences;
DROP TABLE ledger.alert_thresholds;
DROP TABLE ledger.operation_triggers;
DROP TABLE ledger.operations;
DROP TABLE ledger.rate_limits;
DROP TABLE ledger.probes;
DROP TABLE ledger.outages;
DROP TABLE ledger.circuits;
DROP TABLE ledger.campaigns;
DROP TABLE ledger.quarantine;
DROP TABLE ledger.held_payloads;
DROP TABLE ledger.attempts;
DROP TABLE ledger.triggers;
DROP TABLE ledger.workers;
DROP FUNCTION ledger.make_partitions(date, date);
DROP FUNCTION ledger.uuid7_floor(timestamptz);
