"""Accepted calls of invented people, and what a simulator tells of them."""

from typing import Any

from ajo_simulator.feedback.message import Acceptance
from ajo_simulator.validation import Recipient

ACCEPTED_AT = 1_793_700_000.0
"""2026-11-03T10:00:00Z."""


def acceptance(request_id: str = "r-1", *, recipients: int = 1, **changes: Any) -> Acceptance:
    """A call that was accepted five seconds after the scenario's start."""
    people = [f"person{number}@example.com" for number in range(recipients)]
    fields: dict[str, Any] = {
        "request_id": request_id,
        "gateway_id": "gateway-1",
        "campaign_id": "c-1",
        "execution_id": f"UMA-{request_id}",
        "attempt": 1,
        "organization": "ABC@AdobeOrg",
        "sandbox": "prod",
        "recipients": tuple(Recipient("email", person, person) for person in people),
        "seconds": 5.0,
        "accepted_at": ACCEPTED_AT,
    }
    return Acceptance(**{**fields, **changes})
