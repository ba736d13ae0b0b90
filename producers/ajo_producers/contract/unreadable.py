"""Messages of RabbitMQ whose headers can't be read, and which would break the connection again and again otherwise.

py-amqp raises at a header that it can't read (a date in the year 5 billion, tables in tables), which looks like a
broken connection: so nothing behind that message is ever read.
"""

from typing import Any

from amqp import serialization
from amqp.spec import Basic

UNREADABLE = "x-unreadable"
"""The header of a message whose headers, or whose envelope, can't be read: it says why."""


def read_past_unreadable() -> None:
    """Have py-amqp, in this process, read past what it can't read."""
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = properties


def properties(buffer: Any, offset: int) -> tuple[dict[str, Any], int]:  # noqa: ANN401 - py-amqp ships no types
    """A message's properties by py-amqp; one that says ``UNREADABLE`` if it can't read them. Pure."""
    try:
        found: tuple[dict[str, Any], int] = serialization.decode_properties_basic(buffer, offset)
    except Exception as fault:  # noqa: BLE001 - whatever is in there, its frame is whole
        return {"application_headers": {UNREADABLE: type(fault).__name__}}, len(buffer)
    return found
