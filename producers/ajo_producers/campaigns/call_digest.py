"""The call digest: what tells two definitions of the same name apart where they would lead to different calls. Pure."""

from hashlib import sha256

import msgspec
from msgspec import UNSET, structs

from ajo_producers.campaigns.definition import AREAS, FROM_SAMPLE, Definition, Variable

SHAPES_THE_CALL = (*(name for name in FROM_SAMPLE if name != "lane"), *AREAS)
"""Fields that decide where a call goes and what it says; the others decide when it is made, and what follows.

The endpoint tells the lane.
"""
DIGITS = 16
"""Hexadecimal digits: two definitions of one name never have the same ones by chance."""


def call_digest(definition: Definition) -> str:
    """The first digits of SHA-256 over these fields as JSON, with sorted keys and without fields that have defaults."""
    facts = {name: value for name in SHAPES_THE_CALL if (value := getattr(definition, name))}
    for area in facts.keys() & AREAS:
        facts[area] = {path: _in_any_order(variable) for path, variable in facts[area].items()}
    return sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()[:DIGITS]


def _in_any_order(variable: Variable) -> Variable:
    if variable.one_of is UNSET:
        return variable
    return structs.replace(variable, one_of=tuple(sorted(variable.one_of, key=str)))
