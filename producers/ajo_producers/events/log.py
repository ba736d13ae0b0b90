"""Lines of log of the programs that take events: JSON to standard error, never with a value of an event."""

import json
import sys
from datetime import UTC, datetime


def tell(event: str, level: str = "warning", **facts: object) -> None:
    """Write one line."""
    line = {"event": event, "level": level, "timestamp": datetime.now(UTC).isoformat(), **facts}
    sys.stderr.write(f"{json.dumps(line, ensure_ascii=False)}\n")
    sys.stderr.flush()
