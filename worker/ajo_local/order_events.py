"""Invented business events for the example campaign, as lines for ``ajo-dispatch trigger --from``."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIRST_NAMES = (
    "Ada",
    "Alan",
    "Barbara",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Jean",
    "John",
    "Katherine",
    "Margaret",
)
LAST_NAMES = ("Allen", "Backus", "Bartik", "Hamilton", "Hopper", "Johnson", "Knuth", "Liskov", "Lovelace", "Turing")
CARRIERS = ("Swift Parcels", "Green Bikes", "Harbour Freight")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
SEED = 1843


def order_events(count: int, first_at: datetime, a_second: float) -> Iterator[dict[str, object]]:
    """So many orders, ``a_second`` of them shipped a second, the same ones each time, all at example.com."""
    chance = random.Random(SEED)  # noqa: S311 - invented names, no secrets
    for number in range(1, count + 1):
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        order = f"A-{number:05}"
        yield {
            "to": f"{first}.{last}.{number}@example.com".lower(),
            "key": order,
            "occurred_at": (first_at + timedelta(seconds=(number - 1) / a_second)).isoformat(),
            "context": {
                "orderId": order,
                "customer": {"firstName": first},
                "carrier": chance.choice(CARRIERS),
                "eta": chance.choice(DAYS),
            },
        }


def write_order_events(file: Path, count: int, a_second: float) -> None:
    """Write so many orders as JSON lines, the first one shipped just now, and ``a_second`` of them a second."""
    lines = (json.dumps(event, ensure_ascii=False) for event in order_events(count, datetime.now(UTC), a_second))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
