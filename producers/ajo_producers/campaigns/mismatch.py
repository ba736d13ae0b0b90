"""What msgspec says of a value that doesn't fit, in words for people."""

import re

_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "datetime": "a time",
    "date": "a date",
    "duration": "a length of time",
    "null": "null",
}
_BOUNDS = {">": "above", ">=": "of at least", "<": "below", "<=": "of at most"}
_EXPECTED = re.compile(
    r"Expected `(?P<wanted>[^`]+)`(?: (?P<length>of length )?(?P<bound>[<>]=?) (?P<limit>[\d.]+))?"
    r"(?:, got `(?P<got>[^`]+)`)?(?P<more>.*)"
)


def mismatch(text: str) -> str:
    """What a ``ValidationError`` says, without its place; it follows the name of what is wrong. Pure."""
    match = _EXPECTED.fullmatch(text)
    if match is None or match["more"]:
        return f"is wrong: {text[:1].lower()}{text[1:]}"
    kinds = [kind for kind in match["wanted"].split(" | ") if kind != "null"]
    kinds = [kind for kind in kinds if kind != "int" or "float" not in kinds]
    wanted = " or ".join(dict.fromkeys(_NAMES.get(kind, kind) for kind in kinds))
    if match["length"]:
        wanted += f" {_BOUNDS[match['bound']].replace('of', 'with')} {match['limit']}"
    elif match["bound"]:
        wanted += f" {_BOUNDS[match['bound']]} {float(match['limit']):,g}"
    got = f", not {_NAMES.get(match['got'], match['got'])}" if match["got"] else ""
    return f"must be {wanted}{got}"
