"""The JSON Schema of what triggers of campaigns are given as: lines of a file, bodies of requests."""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from ajo_producers.campaigns.codegen.variables import areas, has_address
from ajo_producers.campaigns.definition import Definition, ValueType
from ajo_producers.campaigns.tree import Branch
from ajo_producers.contract.schema import DIALECT
from ajo_producers.contract.trigger import MAX_RECIPIENTS, MAX_TEXT

_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_MOMENT = {"type": "string", "format": "date-time"}
_COMMON: dict[str, Any] = {
    "key": _TEXT | {"description": "Names the business event, together with occurred_at: the same two, one message."},
    "occurred_at": _MOMENT | {"description": "The event's own time."},
    "expires_in": {"type": "number", "exclusiveMinimum": 0, "description": "Seconds from now."},
    "expires_at": _MOMENT | {"description": "No attempt starts after it."},
    "trace_id": _TEXT,
}
_TYPES: dict[ValueType, list[str]] = {
    "string": ["string", "number", "boolean"],
    "number": ["number", "string"],
    "boolean": ["boolean", "string"],
    "object": ["object"],
    "array": ["array"],
}


def json_schema(definitions: Iterable[Definition]) -> dict[str, Any]:
    """A schema that takes a trigger of any of the campaigns; ``#/$defs/NAME`` is that of one of them."""
    schemas = {definition.name: _trigger(definition) for definition in definitions}
    return {
        "$schema": DIALECT,
        "title": "Triggers of campaigns, as ajo-dispatch trigger --from reads them",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in sorted(schemas)],
        "$defs": dict(sorted(schemas.items())),
    }


def _trigger(definition: Definition) -> dict[str, Any]:
    recipient = _recipient(definition)
    several = {
        "type": "array",
        "items": recipient,
        "minItems": 1,
        "maxItems": MAX_RECIPIENTS,
    }
    return {
        "title": definition.name,
        "description": f"{definition.lane} lane",
        "oneOf": [
            recipient | {"properties": recipient["properties"] | _COMMON},
            {
                "type": "object",
                "properties": {"recipients": several} | _COMMON,
                "required": ["recipients"],
                "additionalProperties": False,
            },
        ],
    }


def _recipient(definition: Definition) -> dict[str, Any]:
    properties: dict[str, Any] = {"to": _TEXT} if has_address(definition) else {}
    properties["user_id"] = _TEXT
    required = ["to" if has_address(definition) else "user_id"]
    for area in areas(definition):
        properties[area.name] = _object(area.tree)
        if area.needed:
            required.append(area.name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _object(branch: Branch) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for step, node in branch.nodes.items():
        # null counts as missing, so what may be missing may be null.
        null = [] if node.missing else [None]
        if isinstance(node, Branch):
            schema = _object(node)
            properties[step] = schema | {"type": ["object", "null"]} if null else schema
        elif node.variable.one_of is UNSET:
            properties[step] = {"type": _TYPES[node.variable.type] + (["null"] if null else [])}
        else:
            properties[step] = {"enum": [*node.variable.one_of, *null]}
    required = [step for step, node in branch.nodes.items() if node.missing]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})
