-- What needs somebody now.
--
-- A condition is a number above a threshold; where it is a share, a floor counts as well: one of one is 100 %, and
-- nothing to be woken for. Thresholds, floors, and whom each alert is for, are rows: operators update them.

CREATE TABLE ledger.alert_thresholds (
    alert     text PRIMARY KEY,
    threshold double precision NOT NULL,
    floor     bigint,
    severity  text NOT NULL,
    audience  text NOT NULL,
    measures  text NOT NULL,
    CONSTRAINT alert_thresholds_severity CHECK (severity IN ('page', 'ticket')),
    CONSTRAINT alert_thresholds_audience CHECK
        (audience IN ('operators', 'adobe-support', 'campaign-owners', 'producers', 'database', 'credentials'))
);

COMMENT ON TABLE ledger.alert_thresholds IS
    'When each alert of audit.alerts holds, and whom it is for: to be changed by UPDATE. A threshold of Infinity '
    'turns an alert off.';
COMMENT ON COLUMN ledger.alert_thresholds.alert IS 'Name of the alert.';
COMMENT ON COLUMN ledger.alert_thresholds.threshold IS 'It holds while what it measures is above this.';
COMMENT ON COLUMN ledger.alert_thresholds.floor IS
    'How many it must be about at least, such as dead letters, whatever part of all they are; null for whatever is no '
    'matter of number.';
COMMENT ON COLUMN ledger.alert_thresholds.severity IS
    'page: somebody is woken; ticket: somebody looks the next working day.';
COMMENT ON COLUMN ledger.alert_thresholds.audience IS
    'Whom it is for, unless ledger.alert_audiences names somebody for its reason.';
COMMENT ON COLUMN ledger.alert_thresholds.measures IS 'What is compared with the threshold, and its unit.';

INSERT INTO ledger.alert_thresholds (alert, threshold, floor, severity, audience, measures) VALUES
    ('budget-burn', 0.05, 5, 'page', 'operators',
        'share of a lane''s triggers that ended in the last 5 minutes and took above half a budget from the first '
        'dispatch, or ended expired or unconfirmed, but for those that 429s, an outage, a silence or a hold kept'),
    ('clock-skew', 1, NULL, 'ticket', 'operators',
        'seconds between the clock of a worker''s machine and the database''s'),
    ('clock-step', 0, NULL, 'page', 'database',
        'rounds that ended in the last hour since the database''s clock had been set back, and nobody knew what was '
        'left of their budget'),
    ('database-clock', 2, NULL, 'page', 'database',
        'seconds by which the database''s clock was set, forward or back, as workers noticed in the last hour'),
    ('dead-letters', 0, NULL, 'ticket', 'operators',
        'rejected and expired triggers of a campaign, for one reason, in the last hour, while dead-letters-share '
        'doesn''t hold'),
    ('dead-letters-share', 0.05, 10, 'page', 'operators',
        'the same, as a share of the campaign''s triggers of the last hour; but for those that had their campaign '
        'paused'),
    ('differing-copies', 0, NULL, 'ticket', 'producers',
        'copies of a campaign''s known triggers with other recipients or content, which are never sent, in the last '
        'hour'),
    ('excluded', 0, NULL, 'ticket', 'campaign-owners',
        'accepted triggers of a campaign that Journey Optimizer then excluded, for one reason, told of in the last '
        'hour'),
    ('definition-unknown', 0, NULL, 'page', 'operators',
        'seconds for which a campaign''s oldest trigger has been parked since no living worker has its definition'),
    ('definition-gone', 0, NULL, 'ticket', 'operators',
        'messages in the queues of a campaign that no living worker has a definition of any more, and that had '
        'triggers in the last hour: some may be its own'),
    ('hold', 3600, NULL, 'page', 'operators',
        'seconds for which an operator has kept a lane, a campaign or everything back, without having said until when'),
    ('hold-overdue', 60, NULL, 'page', 'operators', 'seconds for which a hold has lasted beyond its until'),
    ('missing-partitions', 0, NULL, 'ticket', 'database', 'rows of the last day in a default partition, up to 10,000'),
    ('no-worker', 30, NULL, 'page', 'operators',
        'seconds since the last sign of life of any worker; Infinity if there never was one'),
    ('outage-campaign', 0, NULL, 'ticket', 'campaign-owners', 'seconds for which a campaign has been kept back'),
    ('outage-token', 0, NULL, 'page', 'credentials',
        'seconds for which workers have been kept back for want of an access token'),
    ('outage-destination', 0, NULL, 'page', 'adobe-support', 'seconds for which a destination has been kept back'),
    ('outbox-age', 60, NULL, 'page', 'producers',
        'seconds in a producer''s outbox, 95th percentile of those of a campaign''s triggers received in the last 5 '
        'minutes that were in one'),
    ('parked-age', 3600, NULL, 'page', 'operators',
        'seconds for which a campaign''s oldest parked trigger could have gone on'),
    ('quarantine', 0, NULL, 'ticket', 'producers',
        'messages and triggers of a queue that couldn''t be read, in the last hour, up to 10,000'),
    ('queue-age', 60, NULL, 'page', 'operators',
        'seconds from publishing to a worker, 95th percentile of a lane''s triggers received in the last 5 minutes'),
    ('queue-unconsumed', 0, NULL, 'page', 'operators', 'messages in a queue whose lane no living worker consumes'),
    ('rollup-failing', 0, NULL, 'page', 'database', 'minutes that couldn''t be rolled up: reports lack their triggers'),
    ('sending-age', 120, NULL, 'page', 'operators',
        'seconds since the first dispatch of a lane''s oldest trigger that is still sending'),
    ('silence', 0, NULL, 'page', 'adobe-support',
        'seconds for which a destination has answered none of the calls that are open there'),
    ('stray-answers', 0, NULL, 'page', 'operators',
        'calls of the last hour that were answered with what belongs to another trigger''s'),
    ('throttled', 300, 1, 'ticket', 'adobe-support',
        'seconds for which 429s have slowed a campaign; of the floor''s number of its triggers that wait with '
        'workers, or more'),
    ('throttled-share', 0.05, 5, 'page', 'adobe-support',
        'while 429s slow a campaign: share of its triggers that ended in the last 5 minutes, and that 429s kept '
        'above half a budget from the first dispatch, or until they ended expired or unconfirmed'),
    ('token-failing', 30, NULL, 'page', 'credentials',
        'seconds for which a living worker has asked for an access token in vain'),
    ('token-refused', 5, NULL, 'page', 'credentials', 'calls of the last 5 minutes whose token was refused'),
    ('unconfirmed', 0, NULL, 'ticket', 'operators',
        'triggers of a campaign that ended unconfirmed in the last hour, while unconfirmed-share doesn''t hold'),
    ('unconfirmed-share', 0.01, 10, 'page', 'adobe-support',
        'the same, as a share of the campaign''s triggers of the last hour');

CREATE TABLE ledger.alert_audiences (
    reason   text PRIMARY KEY,
    audience text NOT NULL,
    CONSTRAINT alert_audiences_audience CHECK
        (audience IN ('operators', 'adobe-support', 'campaign-owners', 'producers', 'database', 'credentials'))
);

COMMENT ON TABLE ledger.alert_audiences IS
    'Whom dead letters and outages of a reason are for; other reasons have the audience of their alert. To be changed '
    'by INSERT, UPDATE and DELETE.';
COMMENT ON COLUMN ledger.alert_audiences.reason IS
    'Reason of dead letters (docs/states.md), or of an outage (ledger.outages.reason); dead letters that had their '
    'campaign paused have its.';
COMMENT ON COLUMN ledger.alert_audiences.audience IS
    'operators, adobe-support, campaign-owners, producers, database or credentials.';

INSERT INTO ledger.alert_audiences (reason, audience) VALUES
    ('bad-request', 'producers'),
    ('before-start', 'campaign-owners'),
    ('budget-spent', 'adobe-support'),
    ('campaign-ended', 'campaign-owners'),
    ('campaign-failing', 'campaign-owners'),
    ('campaign-not-live', 'campaign-owners'),
    ('campaign-refused', 'campaign-owners'),
    ('clock-step', 'database'),
    ('cosmos-identity', 'credentials'),
    ('credentials-refused', 'credentials'),
    ('cosmos-key', 'credentials'),
    ('forbidden', 'credentials'),
    ('invalid-payload', 'producers'),
    ('not-found', 'campaign-owners'),
    ('proxy', 'operators'),
    ('proxy-failing', 'operators'),
    ('recipient-refused', 'producers'),
    ('retry-after-beyond-budget', 'adobe-support'),
    ('token-unavailable', 'credentials'),
    ('too-large', 'producers'),
    ('unauthorized', 'credentials'),
    ('unprocessable', 'producers');

-- Attempts are appended as they end: a few pages of index find those of the last minutes.
CREATE INDEX attempts_responded ON ledger.attempts USING brin (responded_at)
    WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX held_payloads_held ON ledger.held_payloads (held_at);
