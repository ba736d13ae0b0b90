"""What every peer does for a trigger: the same body, headers and two statements as the others."""

import os
import uuid
from collections.abc import Iterator

URL = os.environ["BENCH_ENDPOINT"]
AUTHORITY = os.environ.get("BENCH_AUTHORITY") or None
BROKER = os.environ.get("BENCH_BROKER", "")
DATABASE = os.environ["BENCH_DATABASE"]
QUEUE = os.environ["BENCH_QUEUE"]
CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "1"))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "16"))
HEADERS = {
    "authorization": "Bearer T" + "x" * 1000,
    "x-api-key": "acme-key",
    "x-gw-ims-org-id": "ACME@AdobeOrg",
    "x-sandbox-name": "prod",
    "content-type": "application/json",
}
CAMPAIGN = "0b5c2a4e-6f0d-4f57-9d38-0d6b1f6b7a11"
INTENT = (
    "insert into deliveries (request_id, campaign, state, dispatched_at)"
    " values ({}, {}, 'sending', clock_timestamp()) on conflict (request_id) do nothing"
)
"""Committed before the call."""
RESULT = (
    "update deliveries set state = 'accepted', responded_at = clock_timestamp(), http_status = {}, execution_id = {}"
    " where request_id = {}"
)
"""Committed before the message is acknowledged."""

Body = dict[str, object]


def bodies(count: int) -> Iterator[Body]:
    """So many calls, each to somebody else."""
    for number in range(count):
        address = f"person{number}@example.com"
        customer = {"firstName": "Ada", "lastName": "Lovelace"}
        recipient = {
            "type": "aep",
            "userId": address,
            "namespace": "email",
            "channelData": {"emailAddress": address},
            "context": {"orderId": f"A-{number:07d}", "customer": customer, "note": "n" * 210},
        }
        yield {"requestId": str(uuid.uuid4()), "campaignId": CAMPAIGN, "recipients": [recipient]}
