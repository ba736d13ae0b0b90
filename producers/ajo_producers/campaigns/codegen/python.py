"""Typed Python of campaign definitions: an editor completes campaigns and variables, a type checker misses none."""

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET

from ajo_producers.campaigns.codegen.variables import Area, areas, has_address
from ajo_producers.campaigns.definition import Definition, ValueType, Variable
from ajo_producers.campaigns.tree import Branch
from ajo_producers.contract.counted import counted

TYPES: dict[ValueType, str] = {
    "string": "Text",
    "number": "float",
    "boolean": "bool",
    "object": "Mapping[str, Any]",
    "array": "list[Any]",
}
"""What each type of a variable is in Python. Text that says a number is taken too, but is no good style in code."""

_HEAD = '''"""Typed triggers of {count}, written by ``ajo-dispatch campaigns codegen`` from their definitions.

Don't edit this: after a change of a definition, write it anew.
"""

'''
_IMPORTS = {
    "collections.abc": ("Mapping", "Sequence"),
    "datetime": ("datetime", "timedelta"),
    "pathlib": ("Path",),
    "typing": ("Any", "Literal", "NotRequired", "Self", "TypeAlias", "TypedDict"),
}
_OURS = "\nfrom ajo_producers import Campaigns, CheckedTrigger\n"
_TEXT = '''
Text: TypeAlias = str | float
"""Journey Optimizer takes every value of a template as text."""
'''
_CLASS = '''

class TypedCampaigns:
    """One method a campaign, each of which makes a trigger as ``Campaign.trigger`` does; it raises the same."""

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns

    @classmethod
    def load(cls, folder: Path | str = "campaigns") -> Self:
        """Read the definitions of a folder, as ``Campaigns.load`` does."""
        return cls(Campaigns.load(folder))
'''
_WIDTH = 88
"""Of a line, as Black and ruff have it by default."""
_COMMON = {
    "key": "str | None",
    "occurred_at": "datetime | None",
    "expires_in": "float | timedelta | None",
    "expires_at": "datetime | None",
    "trace_id": "str | None",
}


def python_source(definitions: Iterable[Definition]) -> str:
    """A module with a class ``TypedCampaigns``; the same text for the same definitions."""
    ordered = sorted(definitions, key=lambda definition: definition.name)
    count = counted(len(ordered), "campaign")
    types: list[str] = []
    methods: list[str] = []
    names, methods_taken = _Unlike(_IMPORTED), _Unlike({"load"})
    for definition in ordered:
        typed = [(area, names.of(_pascal(definition.name, *area.name.split("_")))) for area in areas(definition)]
        for area, name in typed:
            types += _typed_dicts(area.tree, name, names)
        recipient = names.of(_pascal(definition.name, "recipient"))
        types.append(_typed_dict(recipient, _recipient_fields(definition, typed)))
        methods += _methods(definition, typed, recipient, methods_taken)
    body = "".join([*types, _CLASS, *methods])
    text = _TEXT if "Text" in _words(body) else ""
    return "".join([_HEAD.format(count=count), *_imports(_words(text + body)), _OURS, text, body])


def _words(body: str) -> set[str]:
    """The names in code; those in quotes are none."""
    return set(re.findall(r"\w+", re.sub(r"""(["'])(?:\\.|(?!\1)[^\\])*\1""", "", body)))


def _imports(words: set[str]) -> Iterator[str]:
    for module, names in _IMPORTS.items():
        if used := [name for name in names if name in words]:
            yield f"from {module} import {', '.join(used)}\n"


_IMPORTED = {name for names in _IMPORTS.values() for name in names}
_IMPORTED |= {"Campaigns", "CheckedTrigger", "Text", "TypedCampaigns"}


class _Unlike:
    """Names of which no two are alike."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)

    def of(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}{number}", number + 1
        self._taken.add(name)
        return name


def _pascal(*parts: str) -> str:
    words = [word for part in parts for word in re.findall(r"[A-Za-z0-9]+", part)]
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Campaign{name}"


def _typed_dicts(branch: Branch, name: str, names: _Unlike) -> Iterator[str]:
    """The type of an object, after those of the objects in it."""
    fields: dict[str, str] = {}
    for step, node in branch.nodes.items():
        own = name + _pascal("", step).removeprefix("Campaign")
        if isinstance(node, Branch):
            kind = names.of(own)
            yield from _typed_dicts(node, kind, names)
        elif values := _literals(node.variable):
            kind = names.of(own)
            yield _alias(kind, values)
        else:
            kind = TYPES[node.variable.type]
        fields[step] = kind if node.missing else f"NotRequired[{kind}]"
    yield _typed_dict(name, fields)


def _literals(variable: Variable) -> list[str]:
    """The values that a type can name: no type names 1.5."""
    values = [] if variable.one_of is UNSET else list(variable.one_of)
    if not all(isinstance(value, str | int) for value in values):
        return []
    return [_quoted(value) if isinstance(value, str) else str(value) for value in values]


def _alias(name: str, values: list[str]) -> str:
    line = f"{name}: TypeAlias = Literal[{', '.join(values)}]"
    if len(line) > _WIDTH and len(values) > 1:
        line = f"{name}: TypeAlias = Literal[\n{''.join(f'    {value},{chr(10)}' for value in values)}]"
    return f"\n\n{line}\n"


def _typed_dict(name: str, fields: dict[str, str]) -> str:
    if all(map(_is_plain, fields)):
        lines = "".join(f"    {key}: {kind}\n" for key, kind in fields.items())
        return f"\n\nclass {name}(TypedDict):\n{lines}"
    lines = "".join(f"        {_quoted(key)}: {kind},\n" for key, kind in fields.items())
    return f'\n\n{name} = TypedDict(\n    "{name}",\n    {{\n{lines}    }},\n)\n'


def _is_plain(key: str) -> bool:
    """Whether a key can be written as a class' attribute; Python changes what begins with two underscores."""
    return key.isascii() and key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("__")


def _quoted(text: str) -> str:
    """Text in the quotes that need fewer escapes, as formatters write it."""
    double = json.dumps(text, ensure_ascii=False)
    if text.count('"') <= text.count("'"):
        return double
    inside = double[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{inside}'"


def _recipient_fields(definition: Definition, typed: Sequence[tuple[Area, str]]) -> dict[str, str]:
    named = {"to": "str", "user_id": "NotRequired[str]"} if has_address(definition) else {"user_id": "str"}
    return named | {area.name: name if area.needed else f"NotRequired[{name}]" for area, name in typed}


def _methods(
    definition: Definition, typed: Sequence[tuple[Area, str]], recipient: str, taken: _Unlike
) -> Iterator[str]:
    plain = definition.name.replace("-", "_")
    method = taken.of(plain if plain.isidentifier() and not keyword.iskeyword(plain) else f"campaign_{plain}")
    addressed = has_address(definition)
    needed = {"to" if addressed else "user_id": "str"} | {area.name: name for area, name in typed if area.needed}
    optional = {"user_id": "str | None"} if addressed else {}
    optional |= {area.name: f"{name} | None" for area, name in typed if not area.needed}
    about = f"Trigger ``{definition.name}`` ({definition.lane} lane)"
    yield _method(method, f"{about} for one recipient.", definition.name, needed, optional | _COMMON)
    several = {"recipients": f"Sequence[{recipient}]"}
    yield _method(taken.of(f"{method}_for"), f"{about} for 1 to 20 recipients.", definition.name, several, _COMMON)


def _method(method: str, about: str, campaign: str, needed: dict[str, str], optional: dict[str, str]) -> str:
    parameters = [f"{name}: {kind}" for name, kind in needed.items()]
    parameters += [f"{name}: {kind} = None" for name, kind in optional.items()]
    taken = "".join(f"        {parameter},\n" for parameter in parameters)
    given = "".join(f"            {name}={name},\n" for name in (*needed, *optional))
    return (
        f"\n    def {method}(\n        self,\n        *,\n{taken}    ) -> CheckedTrigger:\n"
        f'        """{about}"""\n        return self._campaigns["{campaign}"].trigger(\n{given}        )\n'
    )
