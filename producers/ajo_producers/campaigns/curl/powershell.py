r"""Words of a PowerShell command line: backticks, ``'…'`` and ``"…"`` with doubled quotes, here-strings.

Windows PowerShell 5 drops plain double quotes when it calls a program, so samples written for it have ``\"`` in JSON.
"""

import re

from ajo_producers.campaigns.curl.problem import Word, operator, unclosed

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
    words: list[Word] = []
    parts: list[str] | None = None  # of the word that is being read; None between words
    line = start = 1
    for match in _TOKEN.finditer(text):
        if match["blank"] or (parts is None and match["join"]):
            if parts is not None:
                words.append(Word(_for_program("".join(parts)), start))
                parts = None
        else:
            if parts is None:
                parts, start = [], line
            parts.append(_value(match, line))
        line += match[0].count("\n")
    if parts is not None:
        words.append(Word(_for_program("".join(parts)), start))
    return words


def _value(match: re.Match[str], line: int) -> str:
    kind = match.lastgroup or ""
    if kind == "operator":
        raise operator(match[0], line)
    if kind == "unclosed":
        raise unclosed(match[0], line)
    if kind == "join":
        return ""
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
