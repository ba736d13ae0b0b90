r"""Words of a PowerShell command line: backticks, ``'…'`` and ``"…"`` with doubled quotes, here-strings.

Windows PowerShell 5 drops plain double quotes when it calls a program, so samples written for it have ``\"`` in JSON.
"""

import re

from ajo_producers.campaigns.curl.problem import Word
from ajo_producers.campaigns.curl.tokens import words_of

_TOKEN = re.compile(
    r"""(?P<join>`[ \t]*(?:\n|\Z))
      | (?P<blank>[ \t\n]+)
      | @'[ \t]*\n(?P<here>.*?)\n?'@
      | @"[ \t]*\n(?P<here_double>.*?)\n?"@
      | '(?P<single>(?:[^']|'')*)'
      | "(?P<double>(?:[^"`]|`.|"")*)"
      | `(?P<escaped>.)
      | (?P<operator>[|;&<>()])
      | (?P<unclosed>["'])
      | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}


def split(text: str) -> list[Word]:
    """Split a command line into its words.

    Raises:
        SampleError: a quote isn't closed, or an operator (``|``, ``;``) follows the command.
    """
    return [Word(_for_program(word.text), word.line) for word in words_of(text, _TOKEN, _unquoted)]


def _unquoted(match: re.Match[str], _: int) -> str:
    kind = match.lastgroup or 0
    if kind == "single":
        return match["single"].replace("''", "'")
    if kind in ("double", "here_double"):
        return re.sub(r'`(.)|""', _unescape, match[kind], flags=re.DOTALL)
    return match[kind]


def _unescape(escape: re.Match[str]) -> str:
    character: str | None = escape[1]
    return '"' if character is None else _LETTERS.get(character, character.strip("\n"))


def _for_program(word: str) -> str:
    r"""What the program gets: JSON never begins with ``\"``, so a word with all quotes so written means plain ones."""
    quotes = word.count('"')
    return word.replace(r"\"", '"') if quotes and word.count(r"\"") == quotes else word
