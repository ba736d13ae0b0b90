-- What keeps triggers back, for all workers alike: circuits and rate limits; and what operators did about it.

CREATE TABLE ledger.circuits (
    scope                  text PRIMARY KEY,
    state                  text NOT NULL,
    outage_id              bigint,
    changed_at             timestamptz NOT NULL,
    probe_at               timestamptz,
    probing_by             uuid,
    probing_until          timestamptz,
    probe_interval_seconds double precision,
    CONSTRAINT circuits_state CHECK (state IN ('closed', 'open', 'held', 'recovering'))
) WITH (fillfactor = 50);

COMMENT ON TABLE ledger.circuits IS
    'One row for each destination, campaign or token endpoint that was ever kept back; shared by all workers. No row '
    'means closed.';
COMMENT ON COLUMN ledger.circuits.scope IS
    'What it keeps back: destination:LANE@HOST, campaign:NAME, or token:HOST, which is whatever workers without a '
    'token would send.';
COMMENT ON COLUMN ledger.circuits.state IS
    'closed; open (an outage: probes only); held (by an operator: nothing); recovering (in growing numbers).';
COMMENT ON COLUMN ledger.circuits.outage_id IS 'The outage that it is in, or was in last.';
COMMENT ON COLUMN ledger.circuits.changed_at IS 'Since when it is in this state.';
COMMENT ON COLUMN ledger.circuits.probe_at IS
    'Not before this does the next probe start; null unless open, and for token endpoints, which workers ask by '
    'themselves.';
COMMENT ON COLUMN ledger.circuits.probing_by IS 'The worker whose probe is under way; null without one.';
COMMENT ON COLUMN ledger.circuits.probing_until IS 'When that probe counts as lost, its worker having died.';
COMMENT ON COLUMN ledger.circuits.probe_interval_seconds IS
    'Seconds from a failed probe to the next; doubles with each.';

CREATE TABLE ledger.outages (
    outage_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    opened_at    timestamptz NOT NULL,
    ended_at     timestamptz,
    recovered_at timestamptz,
    held_until   timestamptz,
    scope        text NOT NULL,
    reason       text NOT NULL,
    opened_by    text NOT NULL,
    ended_by     text,
    evidence     jsonb NOT NULL
);

CREATE INDEX outages_opened ON ledger.outages (opened_at);

COMMENT ON TABLE ledger.outages IS
    'Each time that a destination, a campaign or workers without a token were kept back: since when, why, until when.';
COMMENT ON COLUMN ledger.outages.outage_id IS 'Number of the outage.';
COMMENT ON COLUMN ledger.outages.opened_at IS
    'When the circuit opened; of a token endpoint, since when its first worker had no token.';
COMMENT ON COLUMN ledger.outages.ended_at IS 'When a probe was accepted, or an operator resumed; null while it lasts.';
COMMENT ON COLUMN ledger.outages.recovered_at IS
    'When its scope was as fast as before again; null until then, or if another outage took its place.';
COMMENT ON COLUMN ledger.outages.held_until IS
    'When an operator''s hold ends by itself; null for one that lasts until somebody resumes, and for outages.';
COMMENT ON COLUMN ledger.outages.scope IS 'destination:LANE@HOST, campaign:NAME, or token:HOST.';
COMMENT ON COLUMN ledger.outages.reason IS
    'Why: cosmos-identity, cosmos-key, suspected-cosmos, sustained-failures, no-answers, campaign-failing, '
    'token-unavailable, credentials-refused, proxy-failing or held.';
COMMENT ON COLUMN ledger.outages.opened_by IS 'The worker that saw it, or the operator who held it.';
COMMENT ON COLUMN ledger.outages.ended_by IS
    'The worker whose probe was accepted, the operator who resumed, or "its until".';
COMMENT ON COLUMN ledger.outages.evidence IS
    'What was seen when it opened: how many calls failed of how many, within how many seconds, and with what.';

CREATE TABLE ledger.probes (
    outage_id   bigint NOT NULL,
    probed_at   timestamptz NOT NULL,
    request_id  uuid NOT NULL,
    worker      uuid NOT NULL,
    accepted    boolean NOT NULL,
    found       text NOT NULL,
    CONSTRAINT probes_pkey PRIMARY KEY (outage_id, probed_at, request_id)
);

COMMENT ON TABLE ledger.probes IS
    'Each real trigger that tried the way during an outage; its attempt is in ledger.attempts as any other.';
COMMENT ON COLUMN ledger.probes.outage_id IS 'The outage.';
COMMENT ON COLUMN ledger.probes.probed_at IS 'When its answer was there.';
COMMENT ON COLUMN ledger.probes.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.probes.worker IS 'The worker that sent it.';
COMMENT ON COLUMN ledger.probes.accepted IS 'True if the way is free again.';
COMMENT ON COLUMN ledger.probes.found IS 'What the attempt showed: status or failure, code and title.';

CREATE TABLE ledger.rate_limits (
    scope        text PRIMARY KEY,
    next_at      timestamptz NOT NULL,
    slowed_at    timestamptz,
    slowed_since timestamptz,
    share        double precision NOT NULL DEFAULT 1
) WITH (fillfactor = 20); -- updated many times a second, and no index holds what changes

COMMENT ON TABLE ledger.rate_limits IS 'How far the permits of each limit are given out: workers lease blocks of them.';
COMMENT ON COLUMN ledger.rate_limits.scope IS 'lane:NAME or campaign:NAME.';
COMMENT ON COLUMN ledger.rate_limits.next_at IS 'The instant of the first permit that is not given out yet.';
COMMENT ON COLUMN ledger.rate_limits.slowed_at IS 'When a 429 last slowed it down; null for never.';
COMMENT ON COLUMN ledger.rate_limits.slowed_since IS
    'When the first of the 429s did that, between which it was never back at its full rate; null for never.';
COMMENT ON COLUMN ledger.rate_limits.share IS 'The share of its rate that was left then; it grows back with time.';

CREATE TABLE ledger.operations (
    operation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    done_at      timestamptz NOT NULL,
    triggers     integer NOT NULL,
    operator     text NOT NULL,
    action       text NOT NULL,
    reason       text NOT NULL,
    chosen       jsonb NOT NULL
);

COMMENT ON TABLE ledger.operations IS 'What operators did: who, when, why, and to what.';
COMMENT ON COLUMN ledger.operations.operation_id IS 'Number of the operation.';
COMMENT ON COLUMN ledger.operations.done_at IS 'When it began.';
COMMENT ON COLUMN ledger.operations.triggers IS 'How many triggers it changed.';
COMMENT ON COLUMN ledger.operations.operator IS 'Who: the login name, or what was given as such.';
COMMENT ON COLUMN ledger.operations.action IS 'redrive, discard, hold or resume.';
COMMENT ON COLUMN ledger.operations.reason IS 'Why, in the operator''s words.';
COMMENT ON COLUMN ledger.operations.chosen IS
    'The filter, or the scope, that it was done to; of a hold also until when.';

CREATE TABLE ledger.operation_triggers (
    operation_id bigint NOT NULL,
    request_id   uuid NOT NULL,
    round        smallint NOT NULL,
    state        text NOT NULL,
    CONSTRAINT operation_triggers_pkey PRIMARY KEY (request_id, operation_id)
);

COMMENT ON TABLE ledger.operation_triggers IS 'Each trigger that an operation changed.';
COMMENT ON COLUMN ledger.operation_triggers.operation_id IS 'The operation.';
COMMENT ON COLUMN ledger.operation_triggers.request_id IS 'The trigger.';
COMMENT ON COLUMN ledger.operation_triggers.round IS 'The round that it was in.';
COMMENT ON COLUMN ledger.operation_triggers.state IS 'The state that it was in.';

CREATE TABLE ledger.unknown_definitions (
    began_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    campaign    text NOT NULL,
    call_digest text NOT NULL
);

CREATE UNIQUE INDEX unknown_definitions_lasting ON ledger.unknown_definitions (campaign, call_digest)
    WHERE ended_at IS NULL;

COMMENT ON TABLE ledger.unknown_definitions IS
    'Each time that triggers were parked, and no living worker had the definition that they are to be sent by.';
COMMENT ON COLUMN ledger.unknown_definitions.began_at IS
    'Since when: the first was parked, or the last worker that had it was heard of.';
COMMENT ON COLUMN ledger.unknown_definitions.ended_at IS
    'When a worker had it, or none of them was parked any more; null while it lasts.';
COMMENT ON COLUMN ledger.unknown_definitions.campaign IS 'The campaign''s name, as messages have it.';
COMMENT ON COLUMN ledger.unknown_definitions.call_digest IS 'Which definition of that name; empty: any.';
