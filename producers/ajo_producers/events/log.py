"""Lines of log of the programs that take events: JSON to standard error, never with a value of an event."""

import json
from datetime import UTC, datetime

from ajo_producers.entrance.standard_error import write_line


def tell(event: str, level: str = "warning", **facts: object) -> None:
    """Write one line, if somebody takes it."""
    line = {"event": event, "level": level, "timestamp": datetime.now(UTC).isoformat(), **facts}
    write_line(json.dumps(line, ensure_ascii=False))
