"""Campaigns, a mapping file and events as the tests of ``events`` have them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ajo_producers.campaigns.folder import Definitions, parse_definition
from ajo_producers.events.cloudevents import read_structured
from ajo_producers.events.event import Event
from ajo_producers.events.file import parse_mappings
from ajo_producers.events.mapping import Mappings
from ajo_producers.events.translation import Translation, translate

ROOT = Path(__file__).parents[4]
NAMES = ("order-shipped", "password-reset")
DEFINITIONS = Definitions(
    {name: parse_definition((ROOT / f"campaigns/{name}.toml").read_text(), Path(f"{name}.toml")) for name in NAMES}
)
SHIPPED = """\
[order-shipped]
type = "com.example.order.shipped"
when = "data.status == 'shipped'"
to = "data.customer.email"
[order-shipped.context]
orderId = "data.orderId"
"customer.firstName" = "data.customer.firstName"
"""
NOW = datetime(2026, 11, 29, 8, 0, 5, tzinfo=UTC)


def mappings_of(text: str) -> Mappings:
    """The mappings of a file's text."""
    return parse_mappings(text, Path("events.toml"), DEFINITIONS)


def event_json(data: Any = None, **attributes: Any) -> dict[str, Any]:
    """An event of an order that was shipped, as JSON."""
    customer = {"email": "ada@example.com", "firstName": "Ada"}
    return {
        "specversion": "1.0",
        "id": "A-1",
        "source": "/shop",
        "type": "com.example.order.shipped",
        "time": "2026-11-29T08:00:00Z",
        "data": {"status": "shipped", "orderId": "A-1", "customer": customer} if data is None else data,
        **attributes,
    }


def event_of(data: Any = None, **attributes: Any) -> Event:
    """The same, read."""
    found = read_structured(event_json(data, **attributes))
    assert isinstance(found, Event), found
    return found


def translated(text: str, data: Any = None, **attributes: Any) -> Translation:
    """What the mappings of a file's text make of it."""
    return translate(event_of(data, **attributes), mappings_of(text), DEFINITIONS, NOW)
