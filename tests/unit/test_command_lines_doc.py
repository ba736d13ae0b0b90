"""Every command line that README and docs show is one that the program takes: its commands, options and values exist.

Those in fences are run, with what they print, by tests/acceptance/docs; this also reads the ones of prose and tables.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from ajo_producers.cli.discovery import add_commands
from ajo_producers.cli.main import PROGRAM, root
from celery.bin.celery import celery

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
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
IMAGE = COMPOSE["x-program"]["image"]
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


def parse(words: list[str]) -> typer.Context:
    """Have the program read its arguments, without doing anything."""
    context = COMMAND.make_context(PROGRAM, list(words))
    while isinstance(group := context.command, typer.core.TyperGroup):
        name, command, rest = group.resolve_command(context, context._protected_args + context.args)
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


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


@pytest.mark.parametrize("service", [name for name, one in SERVICES.items() if one.get("image") == IMAGE])
def test_the_program_takes_what_the_compose_file_starts_and_asks_for_health(service: str) -> None:
    entrypoint, command = SERVICES[service].get("entrypoint", [PROGRAM]), SERVICES[service]["command"]
    if entrypoint == [PROGRAM]:
        parse(command)
    else:
        parse_celery([*entrypoint[1:], *command])
    for words in (health.split() for health in SERVICES[service].get("healthcheck", {}).get("test", [])):
        if words[0] == "celery":
            parse_celery(words[1:])


def parse_celery(words: list[str]) -> None:
    """Have Celery's own command line read its arguments."""
    context = celery.make_context("celery", list(words))
    name, command, rest = celery.resolve_command(context, context._protected_args + context.args)
    assert command is not None
    command.make_context(name, rest, parent=context)


def test_the_intake_of_events_is_reached_at_the_port_on_which_it_listens() -> None:
    events = SERVICES["events"]
    (default,) = [
        option.default
        for option in parse(events["command"]).command.params
        if isinstance(option, typer.core.TyperOption) and option.name == "port"
    ]
    assert events["ports"] == [f"127.0.0.1:{default}:{default}"]
    assert f":{default}/healthz" in events["healthcheck"]["test"][-1]


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
