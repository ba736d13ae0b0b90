"""From an event to triggers: which mappings take it, what each makes of it, or what is wrong. Pure."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

from ajo_producers.campaigns.definition import AREAS, BeforeStart, Definition
from ajo_producers.campaigns.nearest import nearest
from ajo_producers.contract.content import content_of
from ajo_producers.contract.trigger import is_text
from ajo_producers.events.event import Event, Fault
from ajo_producers.events.expressions import ExpressionError
from ajo_producers.events.mapping import Condition, EventMapping, Mappings, Value
from ajo_producers.publishing.checked import CheckedTrigger, check_trigger
from ajo_producers.publishing.errors import InvalidTrigger
from ajo_producers.publishing.given import read_given

Status: TypeAlias = Literal["taken", "skipped", "ignored", "unmatched", "refused"]
"""``taken``: all that was to be sent can be. ``skipped``: mappings took it, and none had anything to send. ``ignored``
and ``unmatched``: no mapping takes it, and the file says whether that is as it should be. ``refused``: there are
faults; triggers of other mappings are there all the same."""

STATUSES: tuple[Status, ...] = get_args(Status)
MOST_KNOWN = 5
"""Types that are told where an event's is unknown."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII)
_PROBLEM = re.compile(r"(?P<field>[a-z_]+(?:\.[\w.$-]+)?)(?P<place>[.:]?) (?P<text>.+)", re.DOTALL)


class Considered(NamedTuple):
    """What one mapping makes of an event: a ``trigger``, ``faults``, or why it sends nothing (``skipped``)."""

    mapping: EventMapping
    conditions: tuple[Condition, ...]
    trigger: CheckedTrigger | None = None
    faults: tuple[Fault, ...] = ()
    skipped: str | None = None

    @property
    def matched(self) -> bool:
        """Whether all conditions hold."""
        return all(condition.holds for condition in self.conditions)


class Translation(NamedTuple):
    """What all mappings make of an event."""

    event: Event
    status: Status
    considered: tuple[Considered, ...]
    faults: tuple[Fault, ...]

    @property
    def triggers(self) -> tuple[CheckedTrigger, ...]:
        """What is to be published."""
        return tuple(one.trigger for one in self.considered if one.trigger is not None)


def translate(
    event: Event,
    mappings: Mappings,
    definitions: Mapping[str, Definition],
    now: datetime,
    before_start: BeforeStart = "refuse",
) -> Translation:
    """What is to be sent for an event."""
    considered: list[Considered] = []
    seen: dict[UUID, tuple[str, int]] = {}
    for mapping in mappings.mappings:
        one = _consider(event, mapping, definitions[mapping.campaign], now, before_start)
        if one.trigger is not None:
            one = _without_clash(one, one.trigger, seen)
        considered.append(one)
    faults = [fault for one in considered for fault in one.faults]
    status: Status
    if faults:
        status = "refused"
    elif any(one.trigger is not None for one in considered):
        status = "taken"
    elif any(one.matched for one in considered):
        status = "skipped"
    elif mappings.unmatched == "ignore":
        status = "ignored"
    else:
        status, faults = "unmatched", [_no_mapping(event, mappings)]
    return Translation(event, status, tuple(considered), tuple(faults))


def key_of(event: Event) -> str:
    """The key of an event: its source and its id, so that a repetition is no second message.

    A digest stands for what is too long for a key, or could be read in two ways.
    """
    key = f"{event.source} {event.id}"
    if is_text(key) and " " not in event.source:
        return key
    told = f"{len(event.source)} {event.source} {event.id}".encode(errors="surrogatepass")
    return f"sha256:{hashlib.sha256(told).hexdigest()}"


def trace_of(event: Event) -> str | None:
    """The trace id of an event's ``traceparent`` (https://www.w3.org/TR/trace-context/); None without a valid one."""
    found = event.document.get("traceparent")
    match = _TRACEPARENT.fullmatch(found) if isinstance(found, str) else None
    return match[1] if match and not match[0].startswith("ff") else None


def _consider(
    event: Event, mapping: EventMapping, definition: Definition, now: datetime, before_start: BeforeStart
) -> Considered:
    conditions = tuple(mapping.conditions(event))
    if broken := [condition for condition in conditions if condition.fault]:
        when = mapping.when.path if mapping.when is not None else ""
        return Considered(mapping, conditions, faults=(Fault(when, str(broken[0].fault), mapping.name),))
    if not all(condition.holds for condition in conditions):
        return Considered(mapping, conditions)
    found, faults, skipped = _values(event, mapping)
    if skipped is not None:
        return Considered(mapping, conditions, skipped=skipped)
    given, problems = read_given(found)
    told = [_fault(problem, mapping) for problem in problems]
    known = {fault.path for fault in faults}
    try:
        trigger = check_trigger(definition, given, now, before_start=before_start)
    except InvalidTrigger as error:
        told += [_fault(problem, mapping) for problem in error.problems]
    else:
        if not faults and not told:
            return Considered(mapping, conditions, trigger)
    unique = dict.fromkeys([*faults, *(fault for fault in told if fault.path not in known)])
    return Considered(mapping, conditions, faults=tuple(unique))


def _values(event: Event, mapping: EventMapping) -> tuple[dict[str, Any], list[Fault], str | None]:
    """What the fields are, what is wrong with them, and why the mapping sends nothing after all, if it doesn't."""
    found: dict[str, Any] = {
        "key": key_of(event),
        "occurred_at": event.document.get("time"),
        "trace_id": trace_of(event),
    }
    faults: list[Fault] = []
    for field, value in mapping.fields.items():
        try:
            one = _one(value, event)
        except ExpressionError as error:
            faults.append(Fault(value.path, f"{error}, for {field}", mapping.name))
            continue
        if one is None and value.missing == "skip":
            return {}, [], f"{value.path} is missing, for {field}"
        if one is None and value.missing == "refuse":
            faults.append(Fault(value.path, f"is missing, for {field}", mapping.name))
        elif field == "key" and isinstance(one, int) and not isinstance(one, bool):
            found[field] = str(one)
        else:
            _put(found, field, one)
    return {name: one for name, one in found.items() if one is not None}, faults, None


def _one(value: Value, event: Event) -> Any:  # noqa: ANN401 - a JSON value
    if value.expression is None:
        return value.constant
    found = value.expression.of(event.document)
    return value.default if found is None else found


def _put(found: dict[str, Any], field: str, value: Any) -> None:  # noqa: ANN401 - a JSON value
    area, _, path = field.partition(".")
    if area not in AREAS:
        found[field] = value
        return
    if value is None:
        return
    *parents, last = path.split(".")
    place = found.setdefault(area, {})
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value


def _fault(problem: str, mapping: EventMapping) -> Fault:
    """A problem of a trigger, told by where in the event its value comes from."""
    match = _PROBLEM.fullmatch(problem)
    value = mapping.fields.get(match["field"]) if match else None
    if match is None or value is None:
        own = {"occurred_at": "time", "key": "id"}
        if match and match["field"] in own and match["field"] not in mapping.fields:
            return Fault(own[match["field"]], match["text"], mapping.name)
        return Fault("", problem, mapping.name)
    text = match["text"].removesuffix(" (the address), and so is user_id")
    return Fault(value.path, f"{text}, for {match['field']} of {mapping.campaign}", mapping.name)


def _without_clash(one: Considered, trigger: CheckedTrigger, seen: dict[UUID, tuple[str, int]]) -> Considered:
    content = hash(content_of(trigger.trigger.campaign, trigger.trigger.recipients))
    first, before = seen.setdefault(trigger.request_id, (one.mapping.name, content))
    if first == one.mapping.name:
        return one
    if before == content:
        return one._replace(trigger=None, skipped=f"it is the same message as that of {first}")
    text = f"makes another message of the campaign with the key of {first}, of which one is sent: give one its own key"
    return one._replace(trigger=None, faults=(Fault("", text, one.mapping.name),))


def _no_mapping(event: Event, mappings: Mappings) -> Fault:
    shown = event.type if re.fullmatch(r"[\w./:-]{1,100}", event.type) else "this one"
    if mappings.knows(event.type):
        return Fault("type", f"{shown} is known, and no mapping takes the event: their other conditions don't hold")
    known = mappings.types()
    if near := nearest(event.type, known):
        return Fault("type", f"{shown} is taken by no mapping; did you mean {near[0]}?")
    more = f" and {len(known) - MOST_KNOWN} more" if len(known) > MOST_KNOWN else ""
    named = f"known: {', '.join(known[:MOST_KNOWN])}{more}" if known else "none is known by its name"
    return Fault("type", f"{shown} is taken by no mapping; {named}")
