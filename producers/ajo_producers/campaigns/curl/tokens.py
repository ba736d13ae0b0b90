"""Words of a command line out of a shell's tokens, as POSIX shells and PowerShell have them alike."""

import re
from collections.abc import Callable
from typing import TypeAlias

from ajo_producers.campaigns.curl.problem import Word, operator, unclosed

Unquoted: TypeAlias = Callable[[re.Match[str], int], str]
"""What a token means, once its quotes are gone; the number is its line."""


def words_of(text: str, token: re.Pattern[str], unquoted: Unquoted) -> list[Word]:
    """Split a command line into its words. Groups of ``token`` say what it is: ``join``, ``blank``, ``operator``,
    ``unclosed``, or part of a word.

    Raises:
        SampleError: a quote isn't closed, or an operator follows the command.
    """
    words: list[Word] = []
    parts: list[str] | None = None  # of the word that is being read; None between words
    line = start = 1
    for match in token.finditer(text):
        if match["operator"]:
            raise operator(match[0], line)
        if match["unclosed"]:
            raise unclosed(match[0], line)
        if match["blank"] or (parts is None and match["join"]):
            if parts is not None:
                words.append(Word("".join(parts), start))
                parts = None
        else:
            if parts is None:
                parts, start = [], line
            parts.append("" if match["join"] else unquoted(match, line))
        line += match[0].count("\n")
    if parts is not None:
        words.append(Word("".join(parts), start))
    return words
