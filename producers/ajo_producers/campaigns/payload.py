"""Checking recipients against a definition, for producers before publishing and for workers before sending."""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import msgspec
from msgspec import UNSET, structs

from ajo_producers.campaigns.call_digest import call_digest
from ajo_producers.campaigns.definition import AREAS, Definition, Variable
from ajo_producers.campaigns.nearest import nearest
from ajo_producers.campaigns.recipient_addresses import NO_NAMES, Names, RecipientAddresses
from ajo_producers.campaigns.rules import MAX_PUSH_BYTES, RESERVED, is_push
from ajo_producers.campaigns.tree import Branch, area_tree, leaves
from ajo_producers.campaigns.values import TAKES, few, is_plain
from ajo_producers.contract.addresses import as_compared, cut
from ajo_producers.contract.trigger import MAX_CONTEXT_BYTES, MAX_RECIPIENTS, Recipient

MOST_UNKNOWN = 20
"""Unknown variables of one object that are named: each is compared with all known ones."""

_encode = msgspec.json.Encoder().encode
_SHOWABLE = re.compile(r"[\w.$-]{1,64}")
"""Keys that a message may show: an address that slipped in as a key is none."""


class _Found(list[str]):
    """What is wrong so far; ``whether``: that anything is, is enough: nobody asks what a wrong name may have meant."""

    def __init__(self, *, whether: bool = False) -> None:
        super().__init__()
        self.whether = whether


class PayloadCheck:
    """One definition's demands, compiled once: checking a recipient takes a few microseconds.

    ``call_digest`` tells it from other definitions of the same name that lead to other calls.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.call_digest = call_digest(definition)
        self._trees = {area: area_tree(area, getattr(definition, area)) for area in AREAS}
        self._known = [path for tree in self._trees.values() for path in leaves(tree)]
        self._defaults = [
            (area, tuple(path.split(".")), variable.default)
            for area in AREAS
            for path, variable in getattr(definition, area).items()
            if variable.default is not UNSET
        ]
        self._most_bytes = MAX_PUSH_BYTES if is_push(definition) else MAX_CONTEXT_BYTES
        self._addresses = RecipientAddresses(definition)

    def problems(self, recipients: Sequence[Recipient], given_as: Sequence[Names] = ()) -> list[str]:
        """Everything wrong with a trigger's recipients, by path; empty if nothing is. Values are never shown.

        Take them ``as_sent``: the size limit concerns that. ``given_as`` has the names by which the caller gave the
        addresses of each recipient.
        """
        return self._all(recipients, given_as, _Found())

    def fits(self, recipients: Sequence[Recipient]) -> bool:
        """Whether there are no ``problems``; that takes no longer if there are many."""
        return not self._all(recipients, (), _Found(whether=True))

    def _all(self, recipients: Sequence[Recipient], given_as: Sequence[Names], found: _Found) -> _Found:
        if not 1 <= len(recipients) <= MAX_RECIPIENTS:
            found.append(f"{len(recipients)} recipients; a trigger has 1 to {MAX_RECIPIENTS}")
        if len(recipients) == 1:
            self._check(recipients[0], "", found, given_as[0] if given_as else NO_NAMES)
            return found
        first_seen: dict[str, int] = {}
        by_address = self._addresses.id_kind == "email"
        for index, recipient in enumerate(recipients[:MAX_RECIPIENTS]):
            self._check(recipient, f"recipients[{index}].", found, given_as[index] if given_as else NO_NAMES)
            user_id = str(recipient.user_id)
            first = first_seen.setdefault(as_compared(user_id) if by_address else user_id, index)
            if first != index and cut(user_id):
                found.append(f"recipients[{index}].user_id is the same as that of recipients[{first}]")
        return found

    def as_sent(self, recipient: Recipient) -> Recipient:
        """The recipient with defaults for variables that are missing or null, and without blanks around addresses.

        Itself if nothing of that is to be done.
        """
        changed: dict[str, Any] = self._addresses.without_blanks(recipient)
        for area, steps, default in self._defaults:
            data = changed.get(area, getattr(recipient, area))
            filled = _filled(data, steps, default)
            if filled is not data:
                changed[area] = filled
        return structs.replace(recipient, **changed) if changed else recipient

    def _check(self, recipient: Recipient, prefix: str, found: _Found, names: Names) -> None:
        found += (f"{prefix}{name} {flaw}" for name, flaw in self._addresses.problems(recipient, names).items())
        try:
            self._walk(self._trees["channel_data"], recipient.channel_data, prefix, found)
            self._walk(self._trees["profile"], recipient.profile, prefix, found)
            self._walk(self._trees["context"], recipient.context, prefix, found)
            # The whole is no smaller than its context, so the usual small recipient is encoded once.
            if len(_encode(recipient)) > self._most_bytes and len(_encode(recipient.context)) > self._most_bytes:
                of = ", the most that a push payload has" if self._most_bytes == MAX_PUSH_BYTES else ""
                found.append(f"{prefix}context is larger than {self._most_bytes // 1000} kB as JSON{of}")
        except (TypeError, ValueError, RecursionError):
            found.append(f"{prefix or 'the recipient '}can't be written as JSON")

    def _walk(self, branch: Branch, data: object, prefix: str, found: _Found) -> None:
        if not isinstance(data, dict):
            inside = f" with {', '.join(branch.nodes)}" if branch.nodes else ""
            found.append(f"{prefix}{branch.path} must be an object{inside}")
            return
        seen = 0
        for step, node in branch.nodes.items():
            value = data.get(step)
            if value is None:
                if node.missing:
                    found += [f"{prefix}{path} is missing" for path in node.missing]
                continue
            seen += 1
            if isinstance(node, Branch):
                self._walk(node, value, prefix, found)
            elif not node.takes(value):
                found.append(f"{prefix}{node.path} {_mismatch(node.variable, value)}")
            elif node.addressing and isinstance(value, str) and step not in self._addresses.fields and not cut(value):
                found.append(f"{prefix}{node.path} is blank")
        if seen != len(data) and found.whether:
            found.append(branch.path)
        elif seen != len(data):
            unknown = [key for key in data if key not in branch.nodes]
            found += [f"{prefix}{self._unknown(branch, key)}" for key in unknown[:MOST_UNKNOWN]]
            if (more := len(unknown) - MOST_UNKNOWN) > 0:
                found.append(f"{prefix}{branch.path} has {more:,} more unknown variables")

    def _unknown(self, branch: Branch, key: object) -> str:
        if not isinstance(key, str) or not _SHOWABLE.fullmatch(key):
            return f"{branch.path} has a key that is no variable's name"
        path = f"{branch.path}.{key}"
        if path == f"context.{RESERVED}":
            return f"{path} is reserved by Journey Optimizer"
        if path in self._known:
            return f"{path} must be nested: an object {key.partition('.')[0]} that holds {key.partition('.')[2]}"
        area = branch.path.partition(".")[0]
        elsewhere = [known for known in self._known if known.partition(".")[2] == key]
        same_area = [known for known in self._known if known.startswith(f"{area}.")]
        near = elsewhere or nearest(path, same_area, cutoff=0.75)
        return f"{path} is unknown; did you mean {near[0]}?" if near else f"{path} is unknown"


_compiled: dict[int, PayloadCheck] = {}
_MAX_COMPILED = 4096


def payload_check(definition: Definition) -> PayloadCheck:
    """The compiled check of a definition, made at its first use."""
    check = _compiled.get(id(definition))
    if check is None:
        if len(_compiled) >= _MAX_COMPILED:
            _compiled.clear()
        # A check holds its definition, so the id can't come to mean another one while it is kept here.
        check = _compiled[id(definition)] = PayloadCheck(definition)
    return check


def check_recipients(
    definition: Definition, recipients: Sequence[Recipient], given_as: Sequence[Names] = ()
) -> list[str]:
    """``PayloadCheck.problems`` of the definition's check."""
    return payload_check(definition).problems(recipients, given_as)


def as_sent(definition: Definition, recipient: Recipient) -> Recipient:
    """``PayloadCheck.as_sent`` of the definition's check."""
    return payload_check(definition).as_sent(recipient)


def _filled(data: Any, steps: tuple[str, ...], default: Any) -> Any:  # noqa: ANN401 - JSON values
    """A copy of ``data`` with the default at the path; itself if there is a value or no object to hold it."""
    if not isinstance(data, dict):
        return data
    value = data.get(steps[0])
    if len(steps) == 1:
        return data if value is not None else {**data, steps[0]: deepcopy(default)}
    below = {} if value is None else value
    filled = _filled(below, steps[1:], default)
    return data if filled is below else {**data, steps[0]: filled}


def _mismatch(variable: Variable, value: object) -> str:
    if (values := few(variable)) and TAKES[variable.type](value):
        return f"must be one of {values}"
    name, wanted = _type_name(value), variable.type
    return "holds what JSON can't say" if name == wanted else f"must be of type {wanted}, not {name}"


def _type_name(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number" if is_plain(value) else "NaN or infinite"
        case str():
            return "string"
        case dict():
            return "object"
        case list() | tuple():
            return "array"
        case _:
            return type(value).__name__
