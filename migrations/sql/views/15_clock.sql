-- What waits for a moment must not wait for as long as the clock was set back, and who lived goes on living. Harmless
-- when repeated: several workers notice.
CREATE OR REPLACE FUNCTION ledger.note_clock_step(by_worker uuid, stepped double precision) RETURNS double precision
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    at          timestamptz := clock_timestamp();
    newest      timestamptz;
    slack       interval;
    longest     interval;
    was         timestamptz; -- by the clock as it was before
BEGIN
    SELECT max(greatest(heartbeat_at, stopped_at)), make_interval(secs => max(owner_timeout_seconds)),
           greatest(make_interval(secs => max(budget_seconds)), interval '10 minutes')
    INTO newest, slack, longest FROM ledger.workers;
    stepped := coalesce(stepped, extract(epoch FROM at - newest));
    IF stepped IS NULL THEN
        RETURN 0;
    END IF;
    was := at - make_interval(secs => stepped);
    INSERT INTO ledger.clock_steps (noticed_at, stamped_since, stamped_until, worker, seconds)
    VALUES (at, was - longest, was + slack, by_worker, stepped);

    IF stepped > 0 THEN
        UPDATE ledger.workers SET heartbeat_at = at
        WHERE stopped_at IS NULL AND heartbeat_at > was - make_interval(secs => owner_timeout_seconds)
            AND heartbeat_at < at;
        RETURN stepped;
    END IF;
    UPDATE ledger.workers SET heartbeat_at = at WHERE heartbeat_at > at;
    UPDATE ledger.workers SET stopped_at = at WHERE stopped_at > at;
    UPDATE ledger.circuits SET changed_at = at WHERE changed_at > at;
    UPDATE ledger.circuits SET probing_until = at WHERE probing_until > at;
    UPDATE ledger.circuits SET probe_at = at WHERE probe_at > at + make_interval(secs => probe_interval_seconds);
    UPDATE ledger.rate_limits SET slowed_at = at, slowed_since = at WHERE slowed_at > at;
    UPDATE ledger.queues SET asked_at = least(asked_at, at), looked_at = least(looked_at, at)
    WHERE asked_at > at OR looked_at > at;
    -- A campaign's start is a moment by everybody's clock.
    UPDATE ledger.held_payloads SET resume_at = at
    WHERE resume_at > at AND resume_at <= was + slack AND reason <> 'before-start';
    UPDATE ledger.feedback SET match_due_at = at WHERE match_due_at > at AND match_due_at <= was + interval '1 hour';
    RETURN stepped;
END
$$;

COMMENT ON FUNCTION ledger.note_clock_step IS
    'Records that the database''s clock was set, by so many seconds as a worker has noticed (null: as the newest '
    'stamp shows), and brings back what lies in its future.';

CREATE OR REPLACE VIEW audit.clock_steps AS SELECT noticed_at, worker, seconds FROM ledger.clock_steps;

COMMENT ON VIEW audit.clock_steps IS
    'One row for each worker that noticed that the database''s clock had been set, by more than 2 s. What was '
    'recorded before and after has different clocks.';
SELECT ledger.describe_like('audit.clock_steps', 'ledger.clock_steps');
