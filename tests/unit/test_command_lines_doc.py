"""Every command line that README and docs show is one that the program takes: its commands, options and values exist.

Those in fences are run, with what they print, by tests/acceptance/docs; this also reads the ones of prose and tables.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from ajo_producers.cli.discovery import add_commands
from ajo_producers.cli.main import PROGRAM, root

from tests.support.documents import FILES, ROOT, blocks, command_lines

NUMBERS = {"N": "7", "CODE": "400", "NUMBER": "1", "PORT": "8080", "SECONDS": "10"}
OPERATORS = {"|", "&", ">", "<", "&&", ";", "2>"}
INDENTED = re.compile(r"    (\$ |ajo-dispatch |pip |psql |make )")
REASONS = {
    "it asks at a terminal",
    "it installs packages",
    "it is a test run of its own",
    "it needs RabbitMQ's own command",
    "it takes what is yours",
}
"""Why a block is not run, where no other test shows what it shows."""

COMMAND = add_commands(typer.main.get_command(root))
SHOWN = sorted({(line, copied): place for place, line, copied in command_lines()}.items())


def calls(line: str) -> Iterator[list[str]]:
    """The words after each ``ajo-dispatch`` of a line of a shell."""
    words = shlex.split(line, comments=True, posix=True)
    while PROGRAM in words:
        words = words[words.index(PROGRAM) + 1 :]
        end = next(
            (place for place, word in enumerate(words) if word in OPERATORS or word.startswith((">", "<"))), None
        )
        yield [NUMBERS.get(word, word) for word in words[:end] if not word.endswith(";")]


def parse(words: list[str]) -> None:
    """Have the program read its arguments, without doing anything."""
    context = COMMAND.make_context(PROGRAM, list(words))
    while isinstance(group := context.command, typer.core.TyperGroup):
        name, command, rest = group.resolve_command(context, context._protected_args + context.args)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("shown", SHOWN, ids=[place for _, place in SHOWN])
def test_the_program_takes_what_is_shown(shown: tuple[tuple[str, bool], str]) -> None:
    (line, copied), _ = shown
    for words in calls(line):
        try:
            parse(words)
        except (typer.Exit, SystemExit):  # --version, --help
            continue
        except typer.TyperException as error:
            named_alone = not copied and type(error).__name__ in {"MissingParameter", "NoArgsIsHelpError"}
            if not named_alone and "does not exist" not in error.format_message():  # a file that only the reader has
                raise


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "audit-plans.md"], ids=lambda file: file.name)
def test_command_lines_stand_in_fences_that_say_what_they_are(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if INDENTED.match(line)] == []
    assert [str(block) for block in blocks(file) if not block.language] == []


def test_what_is_not_run_says_why_or_which_test_shows_it() -> None:
    marks = {str(block): block.marks["not run"] for file in FILES for block in blocks(file) if "not run" in block.marks}
    elsewhere = {reason for reason in marks.values() if reason.startswith("shown by ")}
    assert {place: reason for place, reason in marks.items() if reason not in REASONS | elsewhere} == {}
    assert set(marks.values()) >= REASONS, "a reason that nothing has any more"
    assert [test for test in elsewhere if not (ROOT / test.removeprefix("shown by ")).is_file()] == []
