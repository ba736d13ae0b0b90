"""What a report tells of events: a report goes from hand to hand."""

from datetime import UTC, datetime

import pytest
from ajo_worker.reports.worst import impersonal
from ajo_worker.views.trigger import Event

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("by ada@example.com: they asked for it\nby phone", "by an operator"),
        ("by shop", "by shop"),
        ("400, Bad address ada@example.com.", "400, Bad address (an address)"),
        ("", ""),
    ],
)
def test_neither_operators_nor_addresses_are_told(detail: str, told: str) -> None:
    assert impersonal(Event(NOON, 0.0, None, None, "event", detail, "ledger")) == told
