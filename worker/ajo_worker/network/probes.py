"""Probes of fresh connections in the ledger: whose turn it is, what they found, and the attempts of the same while."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from ajo_worker.network.way import STEPS
from ajo_worker.views.spread import KnownSpread, drawn_of, read_spread, spread_of

# The locks last as long as the connection. Two workers that ask at the same moment may both get one, one after the
# other: then there is a probe too many, which harms nobody.
CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT e.endpoint FROM unnest($1::text[]) AS e(endpoint)
        WHERE NOT EXISTS (
            SELECT FROM ledger.network_probes p
            WHERE p.probed_at > clock_timestamp() - make_interval(secs => $2) AND p.endpoint = e.endpoint)
    )
    SELECT endpoint FROM due WHERE pg_try_advisory_lock(hashtextextended('ajo-dispatch: network ' || endpoint, 0))
"""
NOTE = """
    INSERT INTO ledger.network_probes
        (worker, probed_at, endpoint, address, dns_seconds, connect_seconds, tls_seconds, first_byte_seconds,
         http_status, failure, certificate_expires_at, campaigns)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
LAST = "(array_agg({0} ORDER BY probed_at DESC) FILTER (WHERE {0} IS NOT NULL))[1] AS last_{0}"
WAYS = f"""
    SELECT endpoint, count(*) AS probes, count(failure) AS failed, max(probed_at) AS last_probed_at,
           bool_or(campaigns <> '{{}}') AS serves_campaigns,
           {", ".join(f"{spread_of(f'{step}_seconds')} AS {step}" for step in STEPS)},
           {", ".join(LAST.format(name) for name in ("address", "failure", "certificate_expires_at"))}
    FROM audit.network_probes WHERE probed_at >= now() - $1::interval GROUP BY endpoint ORDER BY endpoint
"""  # noqa: S608 - built from the names above
# A campaign's attempts are those of the endpoint that its newest probe says.
API = f"""
    WITH serving AS (
        SELECT DISTINCT ON (c.campaign) c.campaign, p.endpoint
        FROM audit.network_probes p, unnest(p.campaigns) AS c(campaign)
        WHERE p.probed_at >= now() - $1::interval ORDER BY c.campaign, p.probed_at DESC
    ), recent AS MATERIALIZED (
        SELECT request_id, to_headers_seconds FROM audit.attempts
        WHERE responded_at >= now() - $1::interval AND to_headers_seconds IS NOT NULL
    ), drawn AS MATERIALIZED (
        SELECT * FROM recent WHERE {drawn_of("recent")}
    )
    SELECT s.endpoint, {spread_of("d.to_headers_seconds")} AS headers
    FROM drawn d
    CROSS JOIN LATERAL (SELECT campaign FROM audit.triggers WHERE request_id = d.request_id OFFSET 0) AS t
    JOIN serving s USING (campaign) GROUP BY s.endpoint
"""  # noqa: S608 - built from the names above


@dataclass(frozen=True, slots=True)
class Probe:
    """One row: the seconds of the steps that were made, by their names, and what else was found."""

    worker: UUID
    probed_at: datetime
    endpoint: str
    campaigns: Sequence[str]
    seconds: dict[str, float]
    address: str | None
    http_status: int | None
    failure: str | None
    certificate_expires_at: datetime | None


class WayReport(Struct, frozen=True):
    """The way to one endpoint; ``api`` is the time to headers of attempts of the same while, drawn at random."""

    endpoint: str
    probes: int
    failed: int
    serves_campaigns: bool
    last_probed_at: datetime
    last_address: str | None
    last_failure: str | None
    last_certificate_expires_at: datetime | None
    steps: dict[str, KnownSpread | None]
    api: KnownSpread | None


async def claim(connection: asyncpg.Connection, endpoints: Iterable[str], seconds: float) -> set[str]:
    """Those whose last probe is so many seconds ago, and that nobody probes; ours until the connection ends."""
    return {row["endpoint"] for row in await connection.fetch(CLAIM, list(endpoints), seconds)}


async def note(connection: asyncpg.Connection, probes: Iterable[Probe]) -> None:
    """Keep what probes found."""
    await connection.executemany(NOTE, [_row(probe) for probe in probes])


async def ways(connection: asyncpg.Connection, since: timedelta) -> list[WayReport]:
    """The ways to all endpoints that were probed, beside the API's own time."""
    api = {row["endpoint"]: read_spread(row["headers"]) for row in await connection.fetch(API, since)}
    return [_report(row, api.get(row["endpoint"])) for row in await connection.fetch(WAYS, since)]


def _row(probe: Probe) -> tuple[object, ...]:
    return (
        probe.worker,
        probe.probed_at,
        probe.endpoint,
        probe.address,
        *(probe.seconds.get(step) for step in STEPS),
        probe.http_status,
        probe.failure,
        probe.certificate_expires_at,
        list(probe.campaigns),
    )


def _report(row: asyncpg.Record, api: KnownSpread | None) -> WayReport:
    columns = dict(row)
    steps: dict[str, KnownSpread | None] = {step: read_spread(columns.pop(step)) for step in STEPS}
    return WayReport(**columns, steps=steps, api=api)
