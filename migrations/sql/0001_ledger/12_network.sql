-- Probes of fresh connections: a slow network is told from a slow API.

CREATE TABLE ledger.network_probes (
    probe_id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker                 uuid NOT NULL,
    probed_at              timestamptz NOT NULL,
    certificate_expires_at timestamptz,
    dns_seconds            double precision,
    connect_seconds        double precision,
    tls_seconds            double precision,
    first_byte_seconds     double precision,
    http_status            smallint,
    endpoint               text NOT NULL,
    address                text,
    failure                text,
    campaigns              text[] NOT NULL
);

-- Rows come in the order of their time: a block range index of a page finds "since".
CREATE INDEX network_probes_probed ON ledger.network_probes USING brin (probed_at)
    WITH (pages_per_range = 8, autosummarize = on);

COMMENT ON TABLE ledger.network_probes IS
    'One row for each fresh connection that a worker made to an endpoint to measure the way there. No trigger is '
    'sent, and no credentials.';
COMMENT ON COLUMN ledger.network_probes.probe_id IS 'Number of the probe.';
COMMENT ON COLUMN ledger.network_probes.worker IS 'The worker that probed.';
COMMENT ON COLUMN ledger.network_probes.probed_at IS 'When it began, by the ledger''s clock.';
COMMENT ON COLUMN ledger.network_probes.certificate_expires_at IS
    'When the endpoint''s certificate ends; null without TLS, or if the certificate does not hold.';
COMMENT ON COLUMN ledger.network_probes.dns_seconds IS 'Until the name was resolved; null if it was not.';
COMMENT ON COLUMN ledger.network_probes.connect_seconds IS
    'From then until a connection stood, addresses that did not answer included: one round trip, if all is well; null '
    'if none stood.';
COMMENT ON COLUMN ledger.network_probes.tls_seconds IS
    'From then until TLS was agreed on; null if it was not, or without TLS.';
COMMENT ON COLUMN ledger.network_probes.first_byte_seconds IS
    'From the request to the first byte of its answer; null without an answer.';
COMMENT ON COLUMN ledger.network_probes.http_status IS 'Status of the answer; any status shows that the way is open.';
COMMENT ON COLUMN ledger.network_probes.endpoint IS 'Host and port.';
COMMENT ON COLUMN ledger.network_probes.address IS 'The host''s address that took the connection; null if none did.';
COMMENT ON COLUMN ledger.network_probes.failure IS
    'The step that failed, and why, such as connect: Connection refused; null if all went well.';
COMMENT ON COLUMN ledger.network_probes.campaigns IS
    'The campaigns whose attempts go to this endpoint; none for that of the token.';
