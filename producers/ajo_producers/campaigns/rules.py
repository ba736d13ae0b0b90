"""What a definition must satisfy beyond its types: rules of Journey Optimizer, and of ours."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET

from ajo_producers.campaigns.definition import AREAS, Definition, Variable
from ajo_producers.campaigns.values import LISTABLE, TAKES, few, takes
from ajo_producers.contract.addresses import FIELDS as ADDRESSES
from ajo_producers.contract.addresses import STRICT_PACKAGES
from ajo_producers.contract.lanes import Lane

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_NAME = 64
NAME_RULE = f"lower-case words with hyphens (such as order-shipped), {MAX_NAME} characters at most"

IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]*")
"""Ids that go into a header or a body as they are; a placeholder of a sample (``<…>``, ``{…}``) is none."""

LANE_OF_PATH: dict[str, Lane] = {
    "/ajo/im/executions/unitary": "standard",
    "/ajo/im/executions/highthroughput": "high-throughput",
    "/ajo/im/executions/unitary/highthroughput": "high-throughput",  # an older draft of the API
}

RESERVED = "system"
"""First step of the ``context`` path that Journey Optimizer keeps for itself."""

MAX_CALLS = {"standard": 500, "high-throughput": 5000}
"""Calls a second that Journey Optimizer allows (its guide to API-triggered campaigns)."""

ALLOWED_HOSTS = ("platform.adobe.io", "*.adobe.io")
"""Hosts that may get the credentials, unless ``AJO_ALLOWED_HOSTS`` names others."""

MAX_PUSH_BYTES = 5_120
"""Size of the ``context`` of a push message as JSON at most (Journey Optimizer's guide: 5 kB)."""

LIVE_ACTIVITY = "requestPayload"
"""First step of the ``context`` path that holds a Live activity's payload (Journey Optimizer's guide)."""


class Flaw(NamedTuple):
    """What is wrong with a field; ``field`` is its path in the file, such as ``context.orderId.default``."""

    field: str
    text: str


def is_name(name: str) -> bool:
    """Whether a campaign can be called so; a name is a file's name as well, so nothing of a path is in it."""
    return len(name) <= MAX_NAME and NAME.fullmatch(name) is not None


def flaws(definition: Definition) -> list[Flaw]:
    """Every rule that a definition breaks."""
    return [*_address(definition), *_kind(definition), *_times(definition), *_variables(definition)]


def is_allowed(endpoint: str, hosts: Sequence[str]) -> bool:
    """Whether credentials may go to an endpoint: https, and a host that one of the patterns in ``hosts`` fits."""
    parts = urlsplit(endpoint)
    return parts.scheme == "https" and any(fnmatchcase((parts.hostname or "").lower(), host) for host in hosts)


def is_push(definition: Definition) -> bool:
    """Whether a campaign sends push messages or Live activities, whose payload is small."""
    devices = any(path.partition(".")[0] == "pushInfo" for path in definition.channel_data)
    return (devices and "emailAddress" not in definition.channel_data) or bool(_live_activity(definition))


def _live_activity(definition: Definition) -> list[str]:
    return [path for path in definition.context if path.partition(".")[0] == LIVE_ACTIVITY]


def _address(definition: Definition) -> Iterator[Flaw]:
    for field in ("campaign_id", "organization", "sandbox", "namespace"):
        if not IDENTIFIER.fullmatch(getattr(definition, field)):
            yield Flaw(field, "must be an id as Journey Optimizer shows it, without spaces or placeholders")
    try:
        url = urlsplit(definition.endpoint)
        plain = re.fullmatch(r"https://[^\s?#@\\]+", definition.endpoint, re.ASCII) is not None and url.hostname
    except ValueError:
        plain = None
    if not plain:
        yield Flaw("endpoint", "must be https://HOST/PATH, with neither credentials, query nor fragment")
    elif LANE_OF_PATH.get(url.path, definition.lane) != definition.lane:
        yield Flaw("lane", f"is {definition.lane}, but the endpoint belongs to {LANE_OF_PATH[url.path]}")


def _kind(definition: Definition) -> Iterator[Flaw]:
    if definition.lane == "high-throughput":
        if definition.recipient_type == "aep":
            yield Flaw("recipient_type", "must be external: a high-throughput campaign reads no profiles")
        if definition.profile:
            yield Flaw("profile", "must be empty: a high-throughput campaign takes its variables from context only")
        phone = definition.channel_data.get("mobilePhoneNumber")
        if phone is not None and (phone.required or len(definition.channel_data) == 1):
            yield Flaw("channel_data.mobilePhoneNumber", "is for SMS, which never goes over high throughput")
        for path in _live_activity(definition)[:1]:
            yield Flaw(f"context.{path}", "is of a Live activity, which never goes over high throughput")
    if definition.recipient_type != "aep":
        for field in ("merge_policy_name", "merge_policy_schema"):
            if getattr(definition, field) is not None:
                yield Flaw(field, "belongs to recipients of type aep only")
    if definition.address_check == "strict" and not all(map(find_spec, STRICT_PACKAGES)):
        yield Flaw("address_check", "is strict, which takes more packages: install ajo-producers[strict]")
    limit = MAX_CALLS[definition.lane]
    if definition.rate_limit is not None and definition.rate_limit > limit:
        yield Flaw("rate_limit", f"is above the {limit} calls a second that Journey Optimizer allows")


def _times(definition: Definition) -> Iterator[Flaw]:
    zoned = True
    for field in ("start", "end"):
        moment = getattr(definition, field)
        if moment is not None and moment.tzinfo is None:
            zoned = False
            yield Flaw(field, "has no time zone; write 2026-11-01T08:00:00Z or 2026-11-01T09:00:00+01:00")
    if zoned and definition.start and definition.end and definition.start >= definition.end:
        yield Flaw("end", "is not after start")


def _variables(definition: Definition) -> Iterator[Flaw]:
    for area in AREAS:
        variables: dict[str, Variable] = getattr(definition, area)
        for path, variable in variables.items():
            field = f"{area}.{path}"
            steps = path.split(".")
            if not all(steps):
                yield Flaw(field, "has an empty step in its path")
            if area == "context" and steps[0] == RESERVED:
                yield Flaw(field, "is reserved by Journey Optimizer (context.system)")
            parents = (".".join(steps[:depth]) for depth in range(1, len(steps)))
            if parent := next((parent for parent in parents if parent in variables), None):
                yield Flaw(field, f"lies inside {area}.{parent}, which is a variable itself")
            yield from _values(field, variable)
            if area == "channel_data" and path in ADDRESSES and variable.one_of is not UNSET:
                yield Flaw(f"{field}.one_of", "has addresses: a definition holds nobody's data")
    if is_push(definition) and (size := len(_encoded_defaults(definition))) > MAX_PUSH_BYTES:
        text = f"has defaults that make {size:,} bytes of JSON; a push payload has {MAX_PUSH_BYTES:,} (5 kB) at most"
        yield Flaw("context", text)


def _values(field: str, variable: Variable) -> Iterator[Flaw]:
    if variable.one_of is not UNSET:
        if variable.type not in LISTABLE:
            yield Flaw(f"{field}.one_of", f"is for variables of type {' and '.join(LISTABLE)}, not {variable.type}")
        elif not all(_stands_for_itself(variable, value) for value in variable.one_of):
            yield Flaw(f"{field}.one_of", f"has what is no {variable.type}; write each as a trigger brings it")
        elif len(set(variable.one_of)) < len(variable.one_of):
            yield Flaw(f"{field}.one_of", "has a value twice")
    if variable.default is UNSET:
        return
    if not TAKES[variable.type](variable.default):
        yield Flaw(f"{field}.default", f"is not of type {variable.type}")
    elif not takes(variable)(variable.default):
        yield Flaw(f"{field}.default", f"is not one of {few(variable)}")


def _stands_for_itself(variable: Variable, value: object) -> bool:
    return TAKES[variable.type](value) and isinstance(value, str) == (variable.type == "string")


def _encoded_defaults(definition: Definition) -> bytes:
    context: dict[str, Any] = {}
    for path, variable in definition.context.items():
        if variable.default is not UNSET:
            *parents, last = path.split(".")
            place = context
            for parent in parents:
                below = place.setdefault(parent, {})
                place = below if isinstance(below, dict) else {}
            place[last] = variable.default
    try:
        return msgspec.json.encode(context)
    except (TypeError, ValueError, RecursionError):  # a default that JSON can't say: told with its type
        return b""
