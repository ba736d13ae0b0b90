"""The variables of a sample: what its recipients bring, by path, without their values but for those asked for."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple, cast, get_args

from msgspec import structs

from ajo_producers.campaigns.curl.problem import Problem, Word, shown
from ajo_producers.campaigns.definition import RecipientType, ValueType, Variable
from ajo_producers.campaigns.nearest import nearest
from ajo_producers.campaigns.rules import IDENTIFIER, RESERVED
from ajo_producers.campaigns.values import LISTABLE, type_of
from ajo_producers.contract.lanes import Lane
from ajo_producers.contract.trigger import MAX_RECIPIENTS

AREAS = {"channelData": "channel_data", "profile": "profile", "context": "context"}
FIELDS = {"type", "userId", "namespace", "mergePolicyName", "mergePolicySchema", *AREAS}
NOT_SENT = {"executionMetadata": "executionMetadata, which ajo-dispatch doesn't send yet"}
"""Fields that Journey Optimizer knows and a definition has no place for, and in what words an import says so."""
TYPES = get_args(RecipientType)


_PLACEHOLDER = re.compile(r"[<{$].*[>}]|^\$")


class Recipients(NamedTuple):
    """What all recipients of a sample have in common; the areas map dotted paths to variables."""

    namespace: str
    type: RecipientType
    merge_policy: dict[str, str]
    areas: dict[str, dict[str, Variable]]
    people: int
    dropped: list[str]


class _Reading:
    """The faults found so far, each with the line of the body it belongs to."""

    def __init__(self, body: Word, problems: list[Problem]) -> None:
        self._body = body
        self._problems = problems

    def fault(self, path: str, text: str) -> None:
        self._problems.append(Problem(f"{path} {text}", line_of(self._body, path)))


def line_of(body: Word, path: str) -> int:
    """The sample's line of a field: that of the last name of its path if it is there just once, else the body's."""
    name = re.escape(path.rpartition(".")[2].partition("[")[0])
    found = [match.start() for match in re.finditer(rf'"{name}"\s*:', body.text)]
    return body.line + body.text.count("\n", 0, found[0]) if len(found) == 1 else body.line


def read_recipients(
    value: object, lane: Lane, body: Word, problems: list[Problem], one_of: Collection[str] = ()
) -> Recipients:
    """Read ``recipients`` of a body; what is wrong goes to ``problems``.

    Of the variables in ``one_of`` (full paths) the values are kept, as the only ones.
    """
    reading = _Reading(body, problems)
    recipients = value if isinstance(value, list) else []
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        reading.fault("recipients", f"must be a list of 1 to {MAX_RECIPIENTS}, not {len(recipients)}")
    areas: dict[str, dict[str, list[object]]] = {area: {} for area in AREAS.values()}
    common: dict[str, str] = {}
    for index, recipient in enumerate(recipients[:MAX_RECIPIENTS]):
        path = f"recipients[{index}]"
        if not isinstance(recipient, dict):
            reading.fault(path, "is not an object")
            continue
        _read_common(recipient, path, common, reading)
        for name, area in AREAS.items():
            _read_area(recipient.get(name), f"{path}.{name}", areas[area], reading)
        if lane == "high-throughput":
            if recipient.get("type") == "aep":
                reading.fault(f"{path}.type", "is aep; a high-throughput campaign takes external recipients only")
            if recipient.get("profile"):
                reading.fault(f"{path}.profile", "has variables; a high-throughput campaign reads context only")
    policy = {name: common[key] for key, name in _MERGE_POLICY.items() if key in common}
    variables = {
        area: {path: Variable(type=_type_of(values)) for path, values in sorted(found.items())}
        for area, found in areas.items()
    }
    for wanted in one_of:
        area, _, path = wanted.partition(".")
        if (variable := variables.get(area, {}).get(path)) is None:
            known = [f"{area}.{path}" for area, found in variables.items() for path in found]
            hint = f"; did you mean {near[0]}?" if (near := nearest(wanted, known)) else ""
            problems.append(Problem(f"{wanted} is no variable of the sample{hint}"))
        elif not (values := _kept(variable, areas[area][path])):
            reading.fault(
                wanted, "shows no value that could be one of a few: empty, a placeholder, a list or an object"
            )
        else:
            variables[area][path] = structs.replace(variable, one_of=values)
    kind = cast("RecipientType", common.get("type", "external"))
    names = {name for recipient in recipients if isinstance(recipient, dict) for name in recipient}
    dropped = [text for name, text in NOT_SENT.items() if name in names]
    return Recipients(common.get("namespace", ""), kind, policy, variables, len(recipients), dropped)


_MERGE_POLICY = {"mergePolicyName": "merge_policy_name", "mergePolicySchema": "merge_policy_schema"}


def _read_common(recipient: dict[str, Any], path: str, common: dict[str, str], reading: _Reading) -> None:
    """What must be alike in every recipient: type, namespace and merge policy."""
    for name in recipient:
        if name not in FIELDS and name not in NOT_SENT:
            known = "can't be imported yet" if name == "attachments" else "is no field of a recipient"
            reading.fault(f"{path}.{shown(name)}", known)
    for name in ("type", "namespace", *_MERGE_POLICY):
        value = recipient.get(name)
        if value is None:
            if name in ("type", "namespace"):
                reading.fault(f"{path}.{name}", "is missing")
        elif name == "type" and value not in TYPES:
            reading.fault(f"{path}.type", "must be aep or external")
        elif not isinstance(value, str) or not _can_stand(name, value):
            reading.fault(f"{path}.{name}", "holds a placeholder, or no name; write the real one")
        elif common.setdefault(name, value) != value:
            reading.fault(f"{path}.{name}", "differs from an earlier recipient's; a campaign has only one")
    if "userId" not in recipient:
        reading.fault(f"{path}.userId", "is missing")


def _can_stand(name: str, value: str) -> bool:
    if name == "mergePolicySchema":
        return value.isprintable() and value.isascii() and not set(value) & set("<>{} ")
    return IDENTIFIER.fullmatch(value) is not None


def _type_of(values: list[object]) -> ValueType:
    """The type of what stands at one path in all recipients; of two scalar types it is text."""
    kind = type_of(values[0])
    for other in map(type_of, values[1:]):
        if other != kind:
            kind = other if other in ("object", "array") else "string"
    return kind


def _kept(variable: Variable, values: list[object]) -> tuple[str | int | float, ...]:
    if variable.type not in LISTABLE:
        return ()
    kept = [value for value in values if isinstance(value, str | int | float) and not _is_empty(value)]
    return tuple(dict.fromkeys(str(value) if variable.type == "string" else value for value in kept))


def _is_empty(value: object) -> bool:
    return isinstance(value, str) and (not value.strip() or _PLACEHOLDER.search(value) is not None)


def _read_area(value: object, path: str, found: dict[str, list[object]], reading: _Reading) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        reading.fault(path, "is not an object")
        return
    if path.endswith(".context") and RESERVED in value:
        reading.fault(f"{path}.{RESERVED}", "is reserved by Journey Optimizer")
        return
    stack: list[tuple[str, object]] = [("", value)]
    while stack:
        prefix, item = stack.pop()
        if not isinstance(item, dict) or (prefix and not item):
            found.setdefault(prefix, []).append(item)
            continue
        for name, inner in item.items():
            if not name or "." in name or not name.isprintable():
                reading.fault(
                    f"{path}.{prefix}".rstrip("."), "has a name that no variable can have (empty, or with a dot)"
                )
            else:
                stack.append((f"{prefix}.{name}" if prefix else name, inner))
