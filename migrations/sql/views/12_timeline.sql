-- What auditors ask of one trigger, and of all: what happened, what may have happened twice, what budgets were used
-- for, and whether every trigger is accounted for.

-- A view over hundreds of partitions looks dear to the planner, and compiling its plan takes seconds where the answer
-- takes none: whoever asks, with whatever program, is better off without. It needs the database's owner, and is no
-- must.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'jit was left on: ALTER DATABASE % SET jit = off makes the views quick', current_database();
END
$$;

CREATE OR REPLACE VIEW audit.timeline AS
SELECT t.request_id, e.at,
       extract(epoch FROM e.at - coalesce(t.occurred_at, t.outbox_at, t.enqueued_at))::float8 AS elapsed_seconds,
       e.round, e.attempt, e.event, e.detail, e.by_clock
FROM ledger.triggers t
CROSS JOIN LATERAL (
    VALUES (t.occurred_at, NULL::int2, NULL::int2, 'occurred', '', 'the event''s source'),
           (t.outbox_at, NULL, NULL, 'outbox', 'added within the producer''s transaction', 'producer'),
           (t.enqueued_at, NULL, NULL, 'enqueued', 'by ' || t.producer, 'producer'),
           (t.received_at, NULL, NULL, 'received', 'by a worker, ' || t.lane || ' lane', 'ledger'),
           (t.round_opened_at, t.round, NULL, 'round opened', 'round ' || t.round, 'ledger'),
           (t.completed_at, t.round, NULL, t.state, coalesce(t.reason, t.execution_id, ''), 'ledger')
    UNION ALL
    SELECT t.last_intent_at, t.round, t.attempts_started, 'announced',
           'no answer yet; ' || coalesce((SELECT hostname || ':' || pid FROM ledger.workers WHERE worker_id = t.owner),
                                         t.owner::text, 'no worker') || ' has it', 'ledger'
    WHERE t.state = 'sending' AND t.attempts_started > 0 AND NOT EXISTS (
        SELECT FROM ledger.attempts
        WHERE request_id = t.request_id AND round = t.round AND attempt = t.attempts_started)
    UNION ALL
    SELECT v.at, a.round, a.attempt, v.event, v.detail, 'ledger'
    FROM ledger.attempts a LEFT JOIN ledger.workers w ON w.worker_id = a.worker CROSS JOIN LATERAL (
        VALUES (a.intended_at, 'announced', ''),
               (CASE WHEN a.outcome <> 'interrupted' THEN a.dispatched_at END, 'dispatched', (
                   SELECT coalesce(string_agg(
                       p.phase || ' ' || nullif(round((to_jsonb(a) ->> p.attempt_column)::numeric, 3), 0) || ' s', ', '
                       ORDER BY p.position), '')
                   FROM ledger.phases p WHERE p.attempt_column IS NOT NULL)),
               (CASE WHEN a.outcome = 'interrupted' THEN a.dispatched_at END, 'interrupted',
                coalesce(w.hostname || ':' || w.pid, a.worker::text) || ' died; it may have been sent'),
               (a.responded_at, a.outcome, concat_ws(', ', coalesce(a.http_status::text, a.failure, 'no answer'),
                   a.error_code, a.error_title, 'Retry-After ' || a.retry_after_seconds || ' s',
                   CASE WHEN a.ambiguous THEN 'perhaps accepted' END, 'x-request-id ' || a.adobe_request_id,
                   CASE WHEN a.outcome = 'accepted' THEN 'requestId ' ELSE 'the answer to ' END
                       || a.answered_request_id,
                   a.execution_id))
    ) AS v (at, event, detail)
    WHERE a.request_id = t.request_id
    UNION ALL
    SELECT o.done_at, x.round, NULL, o.action, 'by ' || o.operator || ': ' || o.reason, 'ledger'
    FROM ledger.operation_triggers x JOIN ledger.operations o USING (operation_id) WHERE x.request_id = t.request_id
    UNION ALL
    SELECT d.first_seen_at, NULL, NULL, 'differing copy',
           format('by %s: not sent, since its request id was taken; %s recipient(s), %s time(s)',
                  d.producer, d.recipients, d.copies), 'ledger'
    FROM ledger.differing_copies d WHERE d.request_id = t.request_id
    UNION ALL
    SELECT f.happened_at, NULL, NULL, f.status, concat_ws(', ', f.channel, f.failure_type, f.failure_code,
               f.failure_reason, 'matched by ' || f.match,
               CASE WHEN f.happened_at_is_arrival THEN 'time of arrival' END),
           CASE WHEN f.happened_at_is_arrival THEN 'ledger' ELSE 'Adobe' END
    FROM ledger.feedback f WHERE f.request_id = t.request_id
) AS e (at, round, attempt, event, detail, by_clock)
WHERE e.at IS NOT NULL;

COMMENT ON VIEW audit.timeline IS
    'One trigger, event by event, from the business event to the delivery: select by request_id, order by at.';
COMMENT ON COLUMN audit.timeline.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.timeline.at IS 'When it happened, by the clock that by_clock names.';
COMMENT ON COLUMN audit.timeline.elapsed_seconds IS
    'Seconds after the business event, or after the outbox or publishing if that is unknown; negative where clocks '
    'disagree.';
COMMENT ON COLUMN audit.timeline.round IS 'The round it belongs to; null if to none.';
COMMENT ON COLUMN audit.timeline.attempt IS 'The attempt it belongs to; null if to none.';
COMMENT ON COLUMN audit.timeline.event IS
    'occurred, outbox, enqueued, received, round opened, announced, dispatched, an attempt''s outcome, what an '
    'operator did, a differing copy, the state it ended in, or a feedback''s status.';
COMMENT ON COLUMN audit.timeline.detail IS 'What else is known of it.';
COMMENT ON COLUMN audit.timeline.by_clock IS
    'Whose clock: the event''s source''s, the producer''s, the ledger''s or Adobe''s.';

CREATE OR REPLACE VIEW audit.differing_copies AS
SELECT request_id, first_seen_at, last_seen_at, copies, campaign, producer, trace_id, batch_id, enqueued_at, recipients,
       CASE WHEN recipient_hashes IS NOT NULL
            THEN ARRAY(SELECT encode(hash, 'hex') FROM unnest(recipient_hashes) AS hash) END AS recipient_hashes
FROM ledger.differing_copies;

COMMENT ON VIEW audit.differing_copies IS
    'Copies of known triggers with other recipients or other content: never sent, since their request id was taken.';
SELECT ledger.describe_like('audit.differing_copies', 'ledger.differing_copies');
COMMENT ON COLUMN audit.differing_copies.first_seen_at IS 'When a worker first received it.';
COMMENT ON COLUMN audit.differing_copies.recipient_hashes IS
    'Keyed hashes of its recipients'' user ids, in hexadecimal; null without a key.';

CREATE OR REPLACE VIEW audit.exclusions AS
SELECT f.received_at, f.happened_at, f.request_id, t.campaign, t.lane, f.failure_code AS code,
       f.failure_reason AS reason,
       f.channel, t.completed_at AS accepted_at, f.execution_id, f.match
FROM ledger.feedback f JOIN ledger.triggers t USING (request_id)
WHERE lower(f.status) = 'exclude';

COMMENT ON VIEW audit.exclusions IS
    'Accepted, then excluded: messages that Journey Optimizer never sent although it had accepted the call. One row '
    'for each feedback that says so and was matched: select by received_at.';
SELECT ledger.describe_like('audit.exclusions', 'ledger.feedback', 'ledger.triggers');
COMMENT ON COLUMN audit.exclusions.received_at IS 'When the feedback first came.';
COMMENT ON COLUMN audit.exclusions.happened_at IS
    'When it was excluded, by Adobe''s clock; the arrival of its feedback if it doesn''t say.';
COMMENT ON COLUMN audit.exclusions.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.exclusions.campaign IS 'Campaign name, as in its definition.';
COMMENT ON COLUMN audit.exclusions.code IS 'Adobe''s code of the exclusion.';
COMMENT ON COLUMN audit.exclusions.reason IS 'Adobe''s reason, such as EmailNotAllowed or PushNoTokenFoundInProfile.';
COMMENT ON COLUMN audit.exclusions.accepted_at IS 'When its call had been accepted.';
COMMENT ON COLUMN audit.exclusions.execution_id IS 'messageExecutionID of the feedback.';
COMMENT ON COLUMN audit.exclusions.match IS 'How its trigger was found.';

CREATE OR REPLACE VIEW audit.duplicates AS
SELECT t.request_id, t.campaign, t.lane, t.received_at, t.state, t.duplicate_causes AS causes,
       a.attempts, a.accepted, a.ambiguous, a.interrupted, a.executions
FROM ledger.triggers t
CROSS JOIN LATERAL (
    SELECT count(*) AS attempts, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
           count(*) FILTER (WHERE ambiguous) AS ambiguous,
           count(*) FILTER (WHERE outcome = 'interrupted') AS interrupted,
           coalesce(array_agg(execution_id) FILTER (WHERE execution_id IS NOT NULL), '{}') AS executions
    FROM ledger.attempts WHERE request_id = t.request_id
) AS a
WHERE t.possible_duplicate;

COMMENT ON VIEW audit.duplicates IS
    'One row for each trigger whose recipients may have got the message twice, and why.';
SELECT ledger.describe_like('audit.duplicates', 'ledger.triggers');
COMMENT ON COLUMN audit.duplicates.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.duplicates.received_at IS 'When a worker first received it.';
COMMENT ON COLUMN audit.duplicates.state IS 'Its state.';
COMMENT ON COLUMN audit.duplicates.causes IS 'Why it may be one: ambiguous-answer, worker-crash.';
COMMENT ON COLUMN audit.duplicates.attempts IS 'Its attempts, of all rounds.';
COMMENT ON COLUMN audit.duplicates.accepted IS 'Of them: answered with 202.';
COMMENT ON COLUMN audit.duplicates.ambiguous IS 'Of them: perhaps accepted, although no 202 was seen.';
COMMENT ON COLUMN audit.duplicates.interrupted IS 'Of them: cut off by their worker''s death.';
COMMENT ON COLUMN audit.duplicates.executions IS 'Adobe''s executionIds of those that were accepted.';

CREATE OR REPLACE VIEW audit.budget_use AS
SELECT t.request_id, t.campaign, t.lane, t.received_at, t.state, t.reason, t.round, t.attempts_started AS attempts,
       b.budget_seconds, u.used_seconds, u.used_seconds / b.budget_seconds AS used_share
FROM ledger.triggers t
LEFT JOIN ledger.workers w ON w.worker_id = t.owner
LEFT JOIN (
    SELECT DISTINCT ON (name) name, (definition ->> 'budget')::float8 AS budget
    FROM ledger.campaigns ORDER BY name, last_loaded_at DESC
) AS c ON c.name = t.campaign
CROSS JOIN LATERAL (SELECT coalesce(c.budget, w.budget_seconds) AS budget_seconds) AS b
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM coalesce(t.completed_at, now()) - t.first_dispatched_at)::float8 AS used_seconds
) AS u
WHERE t.first_dispatched_at IS NOT NULL;

COMMENT ON VIEW audit.budget_use IS
    'One row for each trigger that was ever dispatched: how much of the budget of its current round it used. Of many '
    'triggers, read the phase budget of audit.delay_by_minute.';
SELECT ledger.describe_like('audit.budget_use', 'ledger.triggers');
COMMENT ON COLUMN audit.budget_use.request_id IS 'The trigger.';
COMMENT ON COLUMN audit.budget_use.received_at IS 'When a worker first received it.';
COMMENT ON COLUMN audit.budget_use.state IS 'Its state.';
COMMENT ON COLUMN audit.budget_use.reason IS 'Why it ended, if not accepted.';
COMMENT ON COLUMN audit.budget_use.round IS 'The current round.';
COMMENT ON COLUMN audit.budget_use.attempts IS 'Attempts announced in it.';
COMMENT ON COLUMN audit.budget_use.budget_seconds IS
    'Its budget: the newest definition''s own, or what its last owner gave; null if neither is known.';
COMMENT ON COLUMN audit.budget_use.used_seconds IS
    'From its first dispatch to the end, or to now. An answer may come after the budget''s end: no attempt starts '
    'then.';
COMMENT ON COLUMN audit.budget_use.used_share IS 'The same as a share of the budget.';

CREATE OR REPLACE VIEW audit.conservation AS
SELECT minute, computed_at, campaign, lane, triggers, sending, parked, accepted, rejected, expired, unconfirmed,
       triggers - sending - parked - accepted - rejected - expired - unconfirmed AS unaccounted
FROM ledger.trigger_minutes;

COMMENT ON VIEW audit.conservation IS
    'Every trigger that a worker received is in exactly one state: counts by minute, as of computed_at. What no '
    'worker has received yet is in the broker.';
SELECT ledger.describe_like('audit.conservation', 'ledger.trigger_minutes');
COMMENT ON COLUMN audit.conservation.computed_at IS 'When it was counted.';
COMMENT ON COLUMN audit.conservation.unaccounted IS 'Of them: in no state, which can''t be: always 0.';

CREATE OR REPLACE VIEW audit.producer_clocks AS
SELECT producer, minute, triggers, least_wait_seconds, overtaken_seconds, skew_seconds FROM ledger.producer_clocks;

COMMENT ON VIEW audit.producer_clocks IS
    'How far each producer''s clock was behind the ledger''s, minute by minute: what was seen, and what follows from '
    'it.';
SELECT ledger.describe_like('audit.producer_clocks', 'ledger.producer_clocks');
COMMENT ON COLUMN audit.producer_clocks.producer IS 'The application that published.';
COMMENT ON COLUMN audit.producer_clocks.minute IS 'The minute in which its triggers were received.';
COMMENT ON COLUMN audit.producer_clocks.triggers IS 'Its triggers in it.';
COMMENT ON COLUMN audit.producer_clocks.overtaken_seconds IS
    'By how much later published triggers of other producers came out of the same queue earlier.';
