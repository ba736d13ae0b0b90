r"""Words of a POSIX shell's command line: ``\`` at line ends, ``'…'``, ``"…"`` and ``$'…'``.

More forgiving than a shell where nothing is lost: blanks after a joining backslash, and line ends that lack it.
"""

import re

from ajo_producers.campaigns.curl.problem import Problem, SampleError, Word
from ajo_producers.campaigns.curl.tokens import words_of

_TOKEN = re.compile(
    r"""(?P<join>\\[ \t]*(?:\n|\Z))
      | (?P<blank>[ \t\n]+ | (?<![^ \t\n])\#[^\n]*)
      | \$'(?P<ansi>(?:[^'\\]|\\.)*)'
      | '(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | \\(?P<escaped>.)
      | (?P<operator>[|;&<>()])
      | (?P<unclosed>["'])
      | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
_ANSI = re.compile(
    r"\\(?:x(?P<byte>[0-9A-Fa-f]{1,2})|u(?P<short>[0-9A-Fa-f]{1,4})|U(?P<long>[0-9A-Fa-f]{1,8})"
    r"|(?P<octal>[0-7]{1,3})|c(?P<control>.)|(?P<letter>.))",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


def split(text: str) -> list[Word]:
    """Split a command line into its words.

    Raises:
        SampleError: a quote isn't closed, an operator (``|``, ``&&``, ``>``) follows the command, or a bad ``$'…'``.
    """
    return words_of(text, _TOKEN, _unquoted)


def _unquoted(match: re.Match[str], line: int) -> str:
    kind = match.lastgroup or 0
    if kind == "double":
        return re.sub(r'\\([$`"\\]|\n)', lambda escape: escape[1].strip("\n"), match["double"])
    if kind == "ansi":
        return _unescape(match["ansi"], line)
    return match[kind]


def _unescape(quoted: str, line: int) -> str:
    """The text of a ``$'…'``, in which ``\\xHH`` and octals are bytes of UTF-8."""
    try:
        raw, end = b"", 0
        for match in _ANSI.finditer(quoted):
            raw += quoted[end : match.start()].encode() + _escape(match)
            end = match.end()
        return (raw + quoted[end:].encode()).decode()
    except ValueError as error:
        raise SampleError(Problem("an escape in $'…' is no character", line)) from error


def _escape(match: re.Match[str]) -> bytes:
    if match["byte"]:
        return bytes([int(match["byte"], 16)])
    if match["octal"]:
        return bytes([int(match["octal"], 8) & 0xFF])
    if digits := match["short"] or match["long"]:
        return chr(int(digits, 16)).encode()
    if match["control"]:
        return bytes([ord(match["control"]) & 0x1F])
    letter = match["letter"]
    if letter in "\\'\"?":
        return letter.encode()
    return _LETTERS[letter].encode() if letter in _LETTERS else f"\\{letter}".encode()
