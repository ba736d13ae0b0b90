"""Samples as they come out of terminals, chats and word processors: what is around the command, and what was changed.

Values of a sample are never kept, so a mended one loses nothing; its names, ids and types are read as if typed well.
"""

import re
from typing import NamedTuple

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*", re.MULTILINE)
_PROMPT = re.compile(r"\A\s*(?:[^\n'\"]{0,80}?[$#%>❯➜»])[ \t\u00a0]*(?:~[ \t]+)?(?=curl(?:\.exe)?\s)", re.IGNORECASE)
_CONTINUED = re.compile(r"^(?:\w*>|>>)[ \t\u00a0]", re.MULTILINE)

_BLANKS = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_DASHES = re.compile(r"(?<![^\s])[\u2012-\u2015](?=[a-z])")
_DOUBLE, _SINGLE = re.compile(r"[“”„‟]"), re.compile(r"[‘’‚‛]")
_MADE = re.compile(r"'\"?(?P<inner>\$\([^()\n]*\)|`[^`\n]*`|\$\{?\w+\}?)\"?'")
_COMMAND = re.compile(r"\$\((?:[^()\n]|\([^()\n]*\))*\)|`[^`\n]*`|\$\{\w+\}")
_BODY = re.compile(
    r"(?P<option>(?:--data(?:-raw|-binary|-ascii)?|--json|-d)\s*=?\s*')(?P<body>\s*\{.*\}\s*)'", re.DOTALL
)
_ESCAPED = re.compile(r"'\\''|'\"'\"'")
SOME = "-0"
"""Stands for what a shell would put in: a number for JSON, and no id for whatever needs a real one."""


class Mended(NamedTuple):
    """A sample's text with what was mended in it, in words; none of both if there was nothing to mend."""

    text: str
    what: list[str]


def command_alone(text: str) -> str:
    """The text without a code fence, and without the prompts of the terminal that it was copied from."""
    text = _FENCE.sub("", text.removeprefix("\ufeff"))
    if match := _PROMPT.match(text):
        return text[: match.start()] + _CONTINUED.sub("", text[match.end() :])
    return text


def mend(text: str) -> Mended:
    """Straight quotes, plain blanks and dashes, apostrophes that end no quote, numbers for what a shell puts in."""
    what: list[str] = []

    def put_right(name: str, before: str, after: str) -> str:
        if after != before:
            what.append(name)
        return after

    text = put_right("no-break spaces", text, _INVISIBLE.sub("", _BLANKS.sub(" ", text)))
    text = put_right("dashes in place of --", text, _DASHES.sub("--", text))
    text = put_right("smart quotes", text, _SINGLE.sub("'", _DOUBLE.sub('"', text)))
    text = put_right("values that the shell puts in, such as $(…)", text, _COMMAND.sub(SOME, _MADE.sub(SOME, text)))
    text = put_right("an apostrophe inside quotes", text, _BODY.sub(_without_apostrophes, text))
    return Mended(text, what)


def _without_apostrophes(match: re.Match[str]) -> str:
    body = _ESCAPED.sub("’", match["body"])
    return f"{match['option']}{body.replace(chr(39), '’')}'"
