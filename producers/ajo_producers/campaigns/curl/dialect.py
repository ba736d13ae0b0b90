"""Which shell a sample was written for, and its words."""

import re
from collections import Counter
from collections.abc import Callable

from ajo_producers.campaigns.curl import cmd, posix, powershell
from ajo_producers.campaigns.curl.problem import Problem, SampleError, Word

MAX_CHARACTERS = 1_000_000
PROGRAMS = ("curl", "curl.exe")

_DIALECTS: dict[str, Callable[[str], list[Word]]] = {"\\": posix.split, "^": cmd.split, "`": powershell.split}
"""By the character that joins a line to the next one."""


def split(sample: str) -> list[Word]:
    """The words of a sample, of whatever shell, after ``curl``.

    Raises:
        SampleError: it is no curl command, or its quotes are not closed.
    """
    text = sample.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_CHARACTERS:
        raise SampleError(Problem(f"longer than {MAX_CHARACTERS:,} characters: no cURL sample"))
    words = _dialect(text)(text)
    if not words or words[0].text.lower() not in PROGRAMS:
        line = words[0].line if words else None
        raise SampleError(Problem("the sample must be one curl command, beginning with curl", line))
    again = next((word for word in words[1:] if word.text.lower() in PROGRAMS), None)
    if again:
        raise SampleError(Problem("a second curl command begins here; keep only the campaign's", again.line))
    return words[1:]


def _dialect(text: str) -> Callable[[str], list[Word]]:
    joins = Counter(line[-1] for line in map(str.rstrip, text.split("\n")) if line and line[-1] in _DIALECTS)
    if joins:
        return _DIALECTS[joins.most_common(1)[0][0]]
    if '^"' in text:
        return cmd.split
    powershells = re.search(r"""[=\s]@['"]\s*$""", text, re.MULTILINE) or '`"' in text
    if powershells or (text.lstrip().lower().startswith("curl.exe") and "'" in text):
        return powershell.split
    without_single_quotes = "'" not in text and ('""' in text or text.lstrip().lower().startswith("curl.exe"))
    return cmd.split if without_single_quotes else posix.split
