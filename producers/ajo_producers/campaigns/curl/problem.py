"""What is wrong with a sample. No problem ever quotes a value of it, since any value may be a secret or an address."""

import math
import re
from typing import NamedTuple

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Problem(NamedTuple):
    """One fault; ``line`` is the sample's, from 1, where it is known."""

    text: str
    line: int | None = None

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line}: {self.text}"


class SampleError(ValueError):
    """The sample can't be imported; ``problems`` are all that could be told, in the order of its lines."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line or math.inf)
        super().__init__("\n".join(map(str, self.problems)))


def unclosed(quote: str, line: int) -> SampleError:
    """A quote that never ends, often since an apostrophe in the text ended an earlier one."""
    text = f"the quote {quote} that opens here is never closed; is there another {quote} (an apostrophe) before it?"
    return SampleError(Problem(text, line))


def operator(sign: str, line: int) -> SampleError:
    """Something for the shell stands beside the command."""
    return SampleError(Problem(f"the shell's operator {sign} is outside quotes; keep only the curl command", line))


def shown(name: str) -> str:
    """A name of an option, header or field for a message; something else that stands in its place is not shown."""
    return name if _NAME.fullmatch(name) else "…"


class Word(NamedTuple):
    """One argument of the command, unquoted, and the line on which it begins."""

    text: str
    line: int
