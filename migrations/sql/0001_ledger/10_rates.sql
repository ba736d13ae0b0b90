-- What is slowed, and how much waits: now, and what of it stays on record. Nobody pays for it with each trigger:
-- workers say with their heartbeat what they have in hand, and every ten seconds one of them looks into the broker.

CREATE TABLE ledger.queues (
    queue     text PRIMARY KEY,
    lane      text NOT NULL,
    asked_at  timestamptz NOT NULL,
    looked_at timestamptz,
    messages  bigint
) WITH (fillfactor = 50);

COMMENT ON TABLE ledger.queues IS 'One row for each queue: how many messages waited in it when a worker last looked.';
COMMENT ON COLUMN ledger.queues.queue IS 'Its name in the broker.';
COMMENT ON COLUMN ledger.queues.lane IS 'The lane of its messages.';
COMMENT ON COLUMN ledger.queues.asked_at IS 'When a worker last took it upon itself to look.';
COMMENT ON COLUMN ledger.queues.looked_at IS
    'When one last saw; null for never. Older than asked_at if the broker could not be asked.';
COMMENT ON COLUMN ledger.queues.messages IS
    'Messages that waited in the broker then; those that workers have taken are not among them.';

CREATE TABLE ledger.backlogs (
    looked_at timestamptz NOT NULL,
    messages  bigint NOT NULL,
    unopened  bigint NOT NULL,
    queue     text NOT NULL,
    lane      text NOT NULL,
    CONSTRAINT backlogs_pkey PRIMARY KEY (looked_at, queue)
);

COMMENT ON TABLE ledger.backlogs IS
    'One row for each look into a queue: every ten seconds while messages wait, every five minutes while none does.';
COMMENT ON COLUMN ledger.backlogs.looked_at IS 'When.';
COMMENT ON COLUMN ledger.backlogs.messages IS 'Messages that waited in the broker.';
COMMENT ON COLUMN ledger.backlogs.unopened IS 'Messages that living workers had taken, and not yet opened.';
COMMENT ON COLUMN ledger.backlogs.queue IS 'The queue.';
COMMENT ON COLUMN ledger.backlogs.lane IS 'The lane of its messages.';

CREATE TABLE ledger.rates (
    looked_at        timestamptz NOT NULL,
    since            timestamptz,
    share            double precision,
    calls_per_second double precision,
    rate_limit       double precision,
    waiting          bigint NOT NULL,
    parked           bigint NOT NULL,
    lane             text NOT NULL,
    campaign         text NOT NULL,
    cause            text NOT NULL,
    scope            text NOT NULL,
    CONSTRAINT rates_pkey PRIMARY KEY (looked_at, lane, campaign, cause, scope)
);

COMMENT ON TABLE ledger.rates IS
    'Every ten seconds one row for each lane or campaign that is slowed or kept back then, and for each campaign of '
    'which triggers wait.';
COMMENT ON COLUMN ledger.rates.looked_at IS 'When: the begin of these ten seconds.';
COMMENT ON COLUMN ledger.rates.since IS 'Since when it is slowed; null if it isn''t.';
COMMENT ON COLUMN ledger.rates.share IS
    'Which part (0 to 1) of its rate is left; null if it isn''t slowed, or that is not known.';
COMMENT ON COLUMN ledger.rates.calls_per_second IS 'The rate that is left: calls a second of all workers together.';
COMMENT ON COLUMN ledger.rates.rate_limit IS 'The rate as it is configured.';
COMMENT ON COLUMN ledger.rates.waiting IS
    'Its triggers that living workers have in hand, and none of whose calls is under way.';
COMMENT ON COLUMN ledger.rates.parked IS 'Its parked triggers.';
COMMENT ON COLUMN ledger.rates.lane IS 'The lane; empty for all lanes.';
COMMENT ON COLUMN ledger.rates.campaign IS 'The campaign; empty for the whole lane.';
COMMENT ON COLUMN ledger.rates.cause IS
    'What slows it: throttle, ramp, silence, outage or held; empty if nothing does, and triggers wait.';
COMMENT ON COLUMN ledger.rates.scope IS
    'What is slowed: campaign:NAME, destination:LANE@HOST or token:HOST; empty if nothing is.';
