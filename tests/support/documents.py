"""The command lines, statements and outputs that README and docs show.

A fence ``console`` has commands after ``$ `` and what they print; ``sh`` has commands alone, ``sql`` statements.
Comments of HTML right above a fence say how a test has to take it:

- ``<!-- not run: REASON -->``: it can't run here.
- ``<!-- stage: NAME -->``: first the stage is set (``tests/acceptance/docs/stages.py`` has them all).
- ``<!-- exit: N … -->``: the commands' exit codes, where it isn't 1 for what shows an error, and 0 for all else.
- ``<!-- by example -->``: what it prints goes by what happened; lines without a number are compared alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "producers/README.md", "simulator/README.md")),
    *sorted(ROOT.glob("docs/*.md")),
]
MARK = re.compile(r"<!-- (not run|stage|exit|by example)(?:: (.*))? -->")
HERE_DOCUMENT = re.compile(r"<<'?(\w+)'?$")
SPAN = re.compile(r"`([^`\n]+)`")
PROGRAM = "ajo-dispatch"


@dataclass(frozen=True)
class Block:
    """A fence: its place, language, lines, and the comments above it."""

    file: Path
    line: int
    language: str
    lines: list[str]
    marks: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    def steps(self) -> Iterator[tuple[str, list[str]]]:
        """Each command, over as many lines as it has, and the lines that it prints."""
        command, printed, goes_on = "", list[str](), False
        until: str | None = None
        for line in self.lines:
            if self.language == "sh" or goes_on or line.startswith("$ "):
                if command and not goes_on:
                    yield command, printed
                text = line if goes_on or self.language == "sh" else line.removeprefix("$ ")
                command = f"{command}\n{text}" if goes_on else text
                printed = printed if goes_on else []
                if document := HERE_DOCUMENT.search(line):
                    until = document[1]
                until = None if line == until else until
                goes_on = line.endswith("\\") or until is not None
            else:
                printed.append(line)
        if command:
            yield command, printed


def blocks(file: Path) -> list[Block]:
    """The fences of a file."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    start: Block | None = None
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if start is not None:
            if line.strip() == "```":
                found.append(start)
                start = None
            else:
                start.lines.append(line)
        elif line.lstrip().startswith("```"):
            start, marks = Block(file, number, line.strip().removeprefix("```"), [], marks), {}
        elif mark := MARK.fullmatch(line):
            marks[mark[1]] = mark[2] or ""
        elif line.strip():
            marks = {}
    return found


def command_lines() -> Iterator[tuple[str, str, bool]]:
    """Every command line of the program that is shown anywhere: its place, itself, whether it is to be copied.

    In spans of prose and tables a command may be named without its arguments.
    """
    for file in FILES:
        for block in blocks(file):
            if block.language in {"console", "sh"}:
                for command, _ in block.steps():
                    if PROGRAM in command:
                        yield str(block), command.replace("\\\n", " "), True
        fenced = False
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            fenced ^= line.lstrip().startswith("```")
            for span in SPAN.findall("" if fenced else line):
                if span.startswith(f"{PROGRAM} "):
                    yield f"{file.relative_to(ROOT)}:{number}", span.replace("\\|", "|"), False
