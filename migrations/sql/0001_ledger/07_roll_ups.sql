-- What attribution goes by: how long each phase may take, and whose clock is wrong; and what it found, minute by
-- minute.

CREATE TABLE ledger.service_levels (
    campaign text NOT NULL,
    phase    text NOT NULL,
    seconds  double precision NOT NULL,
    CONSTRAINT service_levels_pkey PRIMARY KEY (campaign, phase)
);

COMMENT ON TABLE ledger.service_levels IS
    'How long each phase of a trigger may take; above it, the phase is late, and its system is named.';
COMMENT ON COLUMN ledger.service_levels.campaign IS
    'Name of the campaign definition; * for all that have no row of their own.';
COMMENT ON COLUMN ledger.service_levels.phase IS 'Name of the phase, as in audit.phases.';
COMMENT ON COLUMN ledger.service_levels.seconds IS 'Seconds.';

CREATE TABLE ledger.producer_clocks (
    minute            timestamptz NOT NULL,
    triggers          integer NOT NULL,
    least_wait_seconds double precision NOT NULL,
    overtaken_seconds double precision NOT NULL,
    skew_seconds      double precision NOT NULL,
    producer          text NOT NULL,
    CONSTRAINT producer_clocks_pkey PRIMARY KEY (producer, minute)
);

COMMENT ON TABLE ledger.producer_clocks IS
    'How far each producer''s clock was behind the ledger''s, minute by minute: what was seen, and what follows from '
    'it.';
COMMENT ON COLUMN ledger.producer_clocks.minute IS 'The minute in which the triggers were received.';
COMMENT ON COLUMN ledger.producer_clocks.triggers IS 'Triggers of the producer in it.';
COMMENT ON COLUMN ledger.producer_clocks.least_wait_seconds IS
    'The least wait from enqueued_at to received_at: as if clocks agreed.';
COMMENT ON COLUMN ledger.producer_clocks.overtaken_seconds IS
    'By how much later published triggers of other producers came out of the same queue earlier: with one clock that '
    'can''t be. 0 if none did.';
COMMENT ON COLUMN ledger.producer_clocks.skew_seconds IS
    'Seconds by which its clock was behind the ledger''s (negative: ahead), as far as that is proved; 0 if it isn''t.';
COMMENT ON COLUMN ledger.producer_clocks.producer IS 'The application that published them.';

CREATE TABLE ledger.trigger_minutes (
    minute              timestamptz NOT NULL,
    computed_at         timestamptz NOT NULL,
    triggers            integer NOT NULL,
    sending             integer NOT NULL,
    accepted            integer NOT NULL,
    rejected            integer NOT NULL,
    expired             integer NOT NULL,
    unconfirmed         integer NOT NULL,
    parked              integer NOT NULL,
    possible_duplicates integer NOT NULL,
    attempts            integer NOT NULL,
    departed            integer NOT NULL,
    delivered           integer NOT NULL,
    failed              integer NOT NULL,
    clock_skew          integer NOT NULL,
    campaign            text NOT NULL,
    lane                text NOT NULL,
    systems             jsonb NOT NULL,
    blamed              jsonb NOT NULL,
    worst               uuid[] NOT NULL,
    worst_seconds       double precision[] NOT NULL,
    CONSTRAINT trigger_minutes_pkey PRIMARY KEY (minute, campaign, lane)
);

COMMENT ON TABLE ledger.trigger_minutes IS
    'The triggers received in each minute, by campaign and lane: how many, what became of them, whose fault it was. '
    'Computed again while that can change.';
COMMENT ON COLUMN ledger.trigger_minutes.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN ledger.trigger_minutes.computed_at IS 'When this row was computed.';
COMMENT ON COLUMN ledger.trigger_minutes.triggers IS 'Triggers received.';
COMMENT ON COLUMN ledger.trigger_minutes.sending IS 'Of them: under way.';
COMMENT ON COLUMN ledger.trigger_minutes.accepted IS 'Of them: accepted.';
COMMENT ON COLUMN ledger.trigger_minutes.rejected IS 'Of them: rejected.';
COMMENT ON COLUMN ledger.trigger_minutes.expired IS 'Of them: expired.';
COMMENT ON COLUMN ledger.trigger_minutes.unconfirmed IS 'Of them: unconfirmed.';
COMMENT ON COLUMN ledger.trigger_minutes.parked IS 'Of them: parked.';
COMMENT ON COLUMN ledger.trigger_minutes.possible_duplicates IS
    'Of them: their recipients may have got the message twice.';
COMMENT ON COLUMN ledger.trigger_minutes.attempts IS 'Their HTTP calls, of all rounds.';
COMMENT ON COLUMN ledger.trigger_minutes.departed IS 'Of them: reported as departed from Journey Optimizer.';
COMMENT ON COLUMN ledger.trigger_minutes.delivered IS 'Of them: reported as delivered.';
COMMENT ON COLUMN ledger.trigger_minutes.failed IS 'Of them: reported as failed after acceptance.';
COMMENT ON COLUMN ledger.trigger_minutes.clock_skew IS 'Of them: two machines'' clocks disagree.';
COMMENT ON COLUMN ledger.trigger_minutes.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.trigger_minutes.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.trigger_minutes.systems IS
    'By guilty system (or none, or not-yet-known): {"triggers": how many, "seconds": their delay}.';
COMMENT ON COLUMN ledger.trigger_minutes.blamed IS
    'How many triggers by the one system that holds most of their delay (or none, clocks, not-yet-known): each is '
    'counted once.';
COMMENT ON COLUMN ledger.trigger_minutes.worst IS 'The ten slowest triggers, slowest first.';
COMMENT ON COLUMN ledger.trigger_minutes.worst_seconds IS 'How long each of them took.';

CREATE TABLE ledger.delay_minutes (
    minute   timestamptz NOT NULL,
    triggers integer NOT NULL,
    late     integer NOT NULL,
    seconds  double precision NOT NULL,
    p50      double precision NOT NULL,
    p95      double precision NOT NULL,
    p99      double precision NOT NULL,
    longest  double precision NOT NULL,
    campaign text NOT NULL,
    lane     text NOT NULL,
    phase    text NOT NULL,
    buckets  smallint[] NOT NULL,
    counts   integer[] NOT NULL,
    CONSTRAINT delay_minutes_pkey PRIMARY KEY (minute, campaign, lane, phase)
);

COMMENT ON TABLE ledger.delay_minutes IS
    'How long each phase took for the triggers received in each minute, by campaign and lane. Computed with '
    'ledger.trigger_minutes.';
COMMENT ON COLUMN ledger.delay_minutes.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN ledger.delay_minutes.triggers IS 'Triggers of which the phase is known.';
COMMENT ON COLUMN ledger.delay_minutes.late IS 'Of them: above the service level.';
COMMENT ON COLUMN ledger.delay_minutes.seconds IS 'Sum of their seconds.';
COMMENT ON COLUMN ledger.delay_minutes.p50 IS 'Median, in seconds.';
COMMENT ON COLUMN ledger.delay_minutes.p95 IS '95th percentile, in seconds.';
COMMENT ON COLUMN ledger.delay_minutes.p99 IS '99th percentile, in seconds.';
COMMENT ON COLUMN ledger.delay_minutes.longest IS 'The longest, in seconds.';
COMMENT ON COLUMN ledger.delay_minutes.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.delay_minutes.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.delay_minutes.phase IS
    'Name of the phase, as in audit.phases; or residual, total, end-to-end, or budget (what was used of it).';
COMMENT ON COLUMN ledger.delay_minutes.buckets IS
    'Histogram, for percentiles of longer times: bucket b holds 1.1^(b-1) to 1.1^b milliseconds; bucket 0 what is '
    'shorter.';
COMMENT ON COLUMN ledger.delay_minutes.counts IS 'Triggers in each of these buckets.';

CREATE TABLE ledger.delay_hours (
    hour     timestamptz NOT NULL,
    triggers bigint NOT NULL,
    late     bigint NOT NULL,
    seconds  double precision NOT NULL,
    longest  double precision NOT NULL,
    campaign text NOT NULL,
    lane     text NOT NULL,
    phase    text NOT NULL,
    buckets  smallint[] NOT NULL,
    counts   bigint[] NOT NULL,
    CONSTRAINT delay_hours_pkey PRIMARY KEY (hour, campaign, lane, phase)
);

COMMENT ON TABLE ledger.delay_hours IS
    'ledger.delay_minutes of each whole hour together. An hour of which a minute is computed anew has no rows until '
    'it is summed up again.';
COMMENT ON COLUMN ledger.delay_hours.hour IS 'Its begin.';
COMMENT ON COLUMN ledger.delay_hours.triggers IS
    'Triggers of which the phase is known, in minutes that have rows of it.';
COMMENT ON COLUMN ledger.delay_hours.late IS 'Of them: above the service level.';
COMMENT ON COLUMN ledger.delay_hours.seconds IS 'Sum of their seconds.';
COMMENT ON COLUMN ledger.delay_hours.longest IS 'The longest, in seconds.';
COMMENT ON COLUMN ledger.delay_hours.campaign IS 'Name of the campaign definition.';
COMMENT ON COLUMN ledger.delay_hours.lane IS 'standard or high-throughput.';
COMMENT ON COLUMN ledger.delay_hours.phase IS 'Name of the phase.';
COMMENT ON COLUMN ledger.delay_hours.buckets IS 'Histogram, as in ledger.delay_minutes.';
COMMENT ON COLUMN ledger.delay_hours.counts IS 'Triggers in each of these buckets.';

CREATE TABLE ledger.stale_minutes (
    minute timestamptz PRIMARY KEY
);

COMMENT ON TABLE ledger.stale_minutes IS
    'Minutes whose triggers have changed since they were computed: by feedback, or by an operator.';
COMMENT ON COLUMN ledger.stale_minutes.minute IS 'Its begin; the minute of received_at.';

CREATE TABLE ledger.rollup_failures (
    minute    timestamptz PRIMARY KEY,
    failed_at timestamptz NOT NULL DEFAULT now(),
    fault     text NOT NULL
);

COMMENT ON TABLE ledger.rollup_failures IS
    'Minutes that couldn''t be computed: reports lack their triggers. Tried again every 5 minutes.';
COMMENT ON COLUMN ledger.rollup_failures.minute IS 'Its begin; the minute of received_at.';
COMMENT ON COLUMN ledger.rollup_failures.failed_at IS 'When it was tried last.';
COMMENT ON COLUMN ledger.rollup_failures.fault IS 'What the database said, without values.';

CREATE TABLE ledger.full_intakes (
    worker   uuid NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    lane     text,
    because  text,
    CONSTRAINT full_intakes_key UNIQUE NULLS NOT DISTINCT (worker, began_at, lane)
);

CREATE INDEX full_intakes_during ON ledger.full_intakes USING gist (tstzrange(began_at, ended_at));

COMMENT ON TABLE ledger.full_intakes IS
    'When a worker had all messages of a queue in hand that it may have, or no time to take any, so that '
    'others waited in the broker.';
COMMENT ON COLUMN ledger.full_intakes.worker IS 'The worker.';
COMMENT ON COLUMN ledger.full_intakes.began_at IS 'Since when.';
COMMENT ON COLUMN ledger.full_intakes.ended_at IS 'Until when; moved on with each heartbeat while it lasts.';
COMMENT ON COLUMN ledger.full_intakes.lane IS 'The lane of the queue; null for all lanes of the worker.';
COMMENT ON COLUMN ledger.full_intakes.because IS
    'The phase that most of the time of what was in hand went into meanwhile; null if that is not known. When it '
    'changes, a row ends and another one begins.';

CREATE TABLE ledger.silences (
    worker   uuid NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    scope    text NOT NULL,
    lane     text NOT NULL,
    calls    integer NOT NULL,
    CONSTRAINT silences_pkey PRIMARY KEY (worker, scope, began_at)
);

COMMENT ON TABLE ledger.silences IS
    'When a destination answered none of a worker''s calls, so that the worker started hardly any new ones there. No '
    'outage.';
COMMENT ON COLUMN ledger.silences.worker IS 'The worker; each sees its own calls.';
COMMENT ON COLUMN ledger.silences.began_at IS 'When it began to hold triggers back.';
COMMENT ON COLUMN ledger.silences.ended_at IS
    'When one was answered, an outage took its place, or no call was open any more; null while it lasts, and for ever '
    'if the worker died in it.';
COMMENT ON COLUMN ledger.silences.scope IS 'destination:LANE@HOST.';
COMMENT ON COLUMN ledger.silences.lane IS 'The lane.';
COMMENT ON COLUMN ledger.silences.calls IS 'How many calls were open when it began.';
