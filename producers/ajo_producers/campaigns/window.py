"""When a campaign may be executed: from its start on, and before its end. Pure."""

from datetime import datetime
from typing import Literal, TypeAlias

from ajo_producers.campaigns.definition import BeforeStart, Definition

Outside: TypeAlias = Literal["before-start", "campaign-ended"]


def outside(definition: Definition, now: datetime) -> Outside | None:
    """Why the campaign can't be executed at ``now`` (with a zone): before its start, or from its end on. Else None."""
    if definition.end is not None and now >= definition.end:
        return "campaign-ended"
    if definition.start is not None and now < definition.start:
        return "before-start"
    return None


def window_problem(definition: Definition, now: datetime, before_start: BeforeStart = "refuse") -> str | None:
    """The same for people. Where workers let what comes before the start ``wait``, that is none."""
    match outside(definition, now):
        case "campaign-ended" if definition.end is not None:
            return f"{definition.name} ended at {definition.end.isoformat()}"
        case "before-start" if definition.start is not None and before_start == "refuse":
            return f"{definition.name} starts at {definition.start.isoformat()}"
    return None
