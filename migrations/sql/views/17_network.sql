CREATE OR REPLACE VIEW audit.network AS
SELECT endpoint, date_bin('5 minutes', probed_at, '2000-01-01 00:00+00') AS since,
       count(*) AS probes, count(failure) AS failed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY dns_seconds) AS dns_median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY dns_seconds) AS dns_p95,
       max(dns_seconds) AS dns_max,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY connect_seconds) AS connect_median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY connect_seconds) AS connect_p95,
       max(connect_seconds) AS connect_max,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY tls_seconds) AS tls_median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY tls_seconds) AS tls_p95,
       max(tls_seconds) AS tls_max,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY first_byte_seconds) AS first_byte_median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY first_byte_seconds) AS first_byte_p95,
       max(first_byte_seconds) AS first_byte_max
FROM ledger.network_probes
GROUP BY 1, 2;

COMMENT ON VIEW audit.network IS
    'The way to each endpoint, by 5 minutes: how long each step of a fresh connection took, in seconds.';
SELECT ledger.describe_like('audit.network', 'ledger.network_probes');
COMMENT ON COLUMN audit.network.since IS 'Begin of the 5 minutes.';
COMMENT ON COLUMN audit.network.probes IS 'Fresh connections that were tried.';
COMMENT ON COLUMN audit.network.failed IS 'Those of them that failed at some step; the steps before it count below.';
COMMENT ON COLUMN audit.network.dns_median IS 'Until the name was resolved: half of them took no longer.';
COMMENT ON COLUMN audit.network.dns_p95 IS 'Until the name was resolved: 95 % took no longer.';
COMMENT ON COLUMN audit.network.dns_max IS 'Until the name was resolved: the longest.';
COMMENT ON COLUMN audit.network.connect_median IS 'From then until a connection stood: half of them took no longer.';
COMMENT ON COLUMN audit.network.connect_p95 IS 'From then until a connection stood: 95 % took no longer.';
COMMENT ON COLUMN audit.network.connect_max IS 'From then until a connection stood: the longest.';
COMMENT ON COLUMN audit.network.tls_median IS 'From then until TLS was agreed on: half of them took no longer.';
COMMENT ON COLUMN audit.network.tls_p95 IS 'From then until TLS was agreed on: 95 % took no longer.';
COMMENT ON COLUMN audit.network.tls_max IS 'From then until TLS was agreed on: the longest.';
COMMENT ON COLUMN audit.network.first_byte_median IS
    'From the request to the first byte of its answer: half of them took no longer.';
COMMENT ON COLUMN audit.network.first_byte_p95 IS
    'From the request to the first byte of its answer: 95 % took no longer.';
COMMENT ON COLUMN audit.network.first_byte_max IS 'From the request to the first byte of its answer: the longest.';
