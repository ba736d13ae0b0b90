-- The phases of a trigger: all that is known of them stands here, once. Views, roll-ups, programs and pages read it,
-- and ledger.derive makes the views of what each trigger spent in each. A new phase is a row, and its seconds: a column
-- of ledger.attempts (a wait before an attempt), a kind of audit.standstills (a wait in the queue), both, or an
-- expression in ledger.phase_seconds. docs/audit.md says why each is charged as it is.

CREATE TABLE ledger.phases (
    position       smallint PRIMARY KEY,
    precedence     smallint UNIQUE,
    level_seconds  double precision,
    after_end      boolean NOT NULL DEFAULT false,
    always_known   boolean NOT NULL DEFAULT true,
    phase          text NOT NULL UNIQUE,
    system         text,
    attempt_column text,
    means          text NOT NULL,
    CONSTRAINT phases_position CHECK (position > 0),
    CONSTRAINT phases_phase CHECK (phase ~ '^[a-z]+(-[a-z]+)*$'),
    CONSTRAINT phases_system CHECK
        (system IN ('producer', 'clocks', 'broker', 'worker', 'adobe-api', 'adobe-departure', 'downstream'))
);

COMMENT ON TABLE ledger.phases IS
    'The phases that a trigger''s time is cut into, and the system that each is charged to. Changed by migrations '
    'alone: after these, the views of delays are made anew.';
COMMENT ON COLUMN ledger.phases.position IS 'Place in the order.';
COMMENT ON COLUMN ledger.phases.precedence IS
    'Of what keeps queues waiting (a kind of audit.standstills): where two do at once, the one with the lower number '
    'is charged. Null for other phases.';
COMMENT ON COLUMN ledger.phases.level_seconds IS
    'How long it may take, unless ledger.service_levels says otherwise; null if it is never late.';
COMMENT ON COLUMN ledger.phases.after_end IS 'True if it comes after the trigger''s end, and is no part of its total.';
COMMENT ON COLUMN ledger.phases.always_known IS
    'False if it may be unknown, and null then: not over yet, or never told.';
COMMENT ON COLUMN ledger.phases.phase IS 'Name; as a column, with _ for - and _seconds after it.';
COMMENT ON COLUMN ledger.phases.system IS
    'Who is charged with it: producer, broker, worker, adobe-api, adobe-departure, downstream; clocks, which is no '
    'delay; or null: unexplained.';
COMMENT ON COLUMN ledger.phases.attempt_column IS
    'The column of ledger.attempts in which each attempt has it, if it is a wait before one.';
COMMENT ON COLUMN ledger.phases.means IS 'What it is.';

INSERT INTO ledger.phases (position, phase, system, level_seconds, precedence, attempt_column, means) VALUES
    (1, 'producer', 'producer', 5, NULL, NULL,
        'From the business event until it was added to the producer''s outbox or, without one, until the message is '
        'handed to a connection to the broker that stands, by the producer''s clocks.'),
    (2, 'outbox', 'producer', 5, NULL, NULL,
        'In the producer''s outbox, until its relay hands the message to a connection to the broker that stands, by '
        'the producer''s clocks.'),
    (3, 'skew', 'clocks', 1, NULL, NULL,
        'No time at all: by how much the producer''s clock is behind the ledger''s (negative: ahead), as far as it '
        'is proved.'),
    (4, 'broker', 'broker', 1, NULL, NULL,
        'In the queue, while workers could have taken it. Negative: the producer''s clock is ahead, by at least that '
        'much.'),
    (5, 'absent', 'worker', 1, 6, NULL,
        'In the queue, or waiting for another round, while no worker of its lane lived.'),
    (6, 'full', 'worker', 1, 8, NULL,
        'The same, while a worker of its lane had in hand all that it may have, or no time to take any, through no '
        'fault of Adobe''s.'),
    (7, 'backed-up', 'adobe-api', 1, 7, NULL, 'The same, while most of what a worker had in hand waited for Adobe.'),
    (8, 'silence', 'adobe-api', 1, 5, 'silence_wait_seconds',
        'Held back, in the queue or in the worker, since the destination answered nothing.'),
    (9, 'outage', 'adobe-api', 1, 3, NULL,
        'In the queue, or waiting for another round, while an outage of its destination kept it back, until all was '
        'as before, or workers without a token did.'),
    (10, 'paused', 'worker', 1, 2, NULL,
        'The same, while its campaign was kept back since Adobe refused its triggers for good.'),
    (11, 'held', 'worker', 1, 1, NULL,
        'The same, while an operator held its destination or campaign back, until all was as before, or our '
        'credentials were refused.'),
    (12, 'undefined', 'worker', 1, 9, NULL, 'Waiting for another round, while no living worker had its definition.'),
    (13, 'redrive', 'worker', 1, NULL, NULL,
        'Waiting for another round for any other reason: for an operator''s redrive, or to be resumed.'),
    (14, 'intake', 'worker', 1, NULL, 'intake_wait_seconds',
        'In the worker, whose loop had not come round to its message, its new round or its call.'),
    (15, 'back-off', 'adobe-api', 1, NULL, 'backoff_wait_seconds',
        'Back-off after failed calls, and what Retry-After asked for.'),
    (16, 'slot', 'worker', 1, NULL, 'slot_wait_seconds',
        'Waiting for a turn among the attempts in flight, and of its campaign, though calls were not slow.'),
    (17, 'congestion', 'adobe-api', 1, NULL, 'congestion_wait_seconds',
        'The same for longer, since calls in flight were slow.'),
    (18, 'rate-limit', 'worker', 1, NULL, 'rate_limit_wait_seconds',
        'Held back by a rate limit as it is configured, or while it came back after a hold, a pause or an outage of '
        'our proxy.'),
    (19, 'throttle', 'adobe-api', 1, NULL, 'throttle_wait_seconds',
        'Held back for longer, since answers 429 had slowed the rate.'),
    (20, 'ramp', 'adobe-api', 1, NULL, 'ramp_wait_seconds',
        'Held back for longer, while the rate came back after an outage of Adobe''s.'),
    (21, 'token', 'adobe-api', 1, NULL, 'token_wait_seconds', 'Waiting for an access token, all tries together.'),
    (22, 'ledger', 'worker', 1, NULL, 'ledger_wait_seconds',
        'Until the ledger gave permits, and committed the announcements of its attempts.'),
    (23, 'other', 'worker', 1, NULL, NULL, 'In the worker, doing anything else.'),
    (24, 'proxy', 'worker', 1, 4, NULL,
        'Calls that didn''t leave our side (no tunnel through our proxy, or no file, port or memory left on our '
        'machine), the back-off after them, and the wait while an outage of the proxy kept the queue back.'),
    (25, 'headers', 'adobe-api', 2, NULL, NULL, 'From the request to the answer''s headers, or to the failure.'),
    (26, 'body', 'adobe-api', 1, NULL, NULL, 'From the headers to the end of the answer''s body.'),
    (27, 'lag', 'worker', 1, NULL, NULL, 'From the arrival of an answer until the worker took it.'),
    (28, 'handover', 'worker', 1, NULL, NULL,
        'From the last sign of a worker that died or gave up to the next worker''s first step.'),
    (29, 'ending', 'worker', 1, NULL, NULL, 'From the last answer to the end: the decision and its commit.'),
    (30, 'residual', NULL, NULL, NULL, NULL,
        'What the phases don''t explain: wall clock and monotonic clock of the same calls differ by it.'),
    (31, 'departure', 'adobe-departure', 60, NULL, NULL,
        'From the end to the departure from Journey Optimizer; slightly negative if it was quicker than our commit.'),
    (32, 'delivery', 'downstream', 300, NULL, NULL,
        'From the departure to the delivery, or the failure for good: cloud and mailbox providers.');

UPDATE ledger.phases SET after_end = true WHERE phase IN ('departure', 'delivery');

UPDATE ledger.phases SET always_known = false WHERE phase IN ('producer', 'ending', 'departure', 'delivery');

-- For every phase the time that is long enough to ask why. Operators add rows for campaigns, or change these.
INSERT INTO ledger.service_levels (campaign, phase, seconds)
SELECT '*', phase, level_seconds FROM ledger.phases WHERE level_seconds IS NOT NULL;
