r"""Words of a Windows command prompt's line: carets for cmd, then the quotes and ``\"`` that programs undo themselves.

More forgiving than cmd where nothing is lost: line ends inside quotes, as multi-line samples have them.
"""

import re
from typing import NamedTuple

from ajo_producers.campaigns.curl.problem import Word, operator, unclosed

_BLANKS = " \t\n"
_OPERATORS = "|&<>"
_PIECE = re.compile(r"\^[ \t]*\n\n?|\^.|.", re.DOTALL)


class _Passed(NamedTuple):
    """One character that cmd passes on; ``literal`` if a caret stood before it."""

    text: str
    line: int
    literal: bool


def split(text: str) -> list[Word]:
    """Split a command line into its words.

    Raises:
        SampleError: a quote isn't closed, or an operator (``|``, ``&``, ``>``) follows the command.
    """
    words: list[Word] = []
    parts: list[str] | None = None  # of the word that is being read; None between words
    quoted, opened, start = False, 1, 1
    passed = _without_carets(text)
    index = 0
    while index < len(passed):
        character, line, literal = passed[index]
        following = passed[index + 1].text if index + 1 < len(passed) else ""
        index += 1
        if character in _BLANKS and not quoted:
            if parts is not None:
                words.append(Word("".join(parts), start))
                parts = None
            continue
        if character in _OPERATORS and not quoted and not literal:
            raise operator(character, line)
        if parts is None:
            parts, start = [], line
        if character == "\\" and following in ('"', "\\") and _escapes(passed, index):
            parts.append(following)
            index += 1
        elif character == '"' and quoted and following == '"':
            parts.append('"')
            index += 1
        elif character == '"':
            quoted, opened = not quoted, line
        else:
            parts.append(character)
    if quoted:
        raise unclosed('"', opened)
    if parts is not None:
        words.append(Word("".join(parts), start))
    return words


def _without_carets(text: str) -> list[_Passed]:
    """What cmd hands to the program: outside quotes, ``^`` takes the next character literally and joins lines."""
    passed: list[_Passed] = []
    quoted, line, position = False, 1, 0
    while match := _PIECE.match(text, position):
        position = match.end()
        piece = match[0]
        if piece.startswith("^") and "\n" in piece:
            # Two line ends after a caret are one in the argument; inside quotes, where cmd joins nothing, one is meant.
            if quoted or piece.endswith("\n\n"):
                passed.append(_Passed("\n", line, literal=True))
        elif piece.startswith("^") and len(piece) > 1 and not quoted:
            passed.append(_Passed(piece[1], line, literal=True))
        elif len(piece) > 1:
            passed.append(_Passed("^", line, literal=True))
            position -= 1
        else:
            quoted ^= piece == '"'
            passed.append(_Passed(piece, line, literal=False))
        line += text.count("\n", match.start(), position)
    return passed


def _escapes(passed: list[_Passed], index: int) -> bool:
    """Whether a run of backslashes ends at a quote: only there do they escape (rules of Microsoft's C runtime)."""
    while index < len(passed) and passed[index].text == "\\":
        index += 1
    return index < len(passed) and passed[index].text == '"'
