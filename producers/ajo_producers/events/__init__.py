"""Business events (CloudEvents 1.0) as the source of triggers: a mapping file says which event triggers what.

Needs the extra ``events``. ``ajo-dispatch events`` serves, consumes, reads and tests; docs/events.md has the file.
"""

from ajo_producers.events.cloudevents import UnreadableEvents, read_message, read_structured
from ajo_producers.events.event import BadEvent, Event, Fault
from ajo_producers.events.file import MappingError, load_mappings
from ajo_producers.events.mapping import Mappings
from ajo_producers.events.translation import Translation, translate

__all__ = [
    "BadEvent",
    "Event",
    "Fault",
    "MappingError",
    "Mappings",
    "Translation",
    "UnreadableEvents",
    "load_mappings",
    "read_message",
    "read_structured",
    "translate",
]
