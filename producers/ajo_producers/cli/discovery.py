"""Finding commands through entry points, without importing those that weren't called."""

import re
from collections.abc import Callable
from functools import partial
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from ajo_producers.cli.audiences import grouped
from ajo_producers.cli.ctrl_c import be_an_exception

DISTRIBUTIONS = ("ajo-dispatch", "ajo-producers", "ajo-simulator")
"""What this repository is installed as; the first that brings a package is the one to name."""
COMMANDS = "ajo_dispatch.commands"
DOCSTRING = re.compile(r'"""(.*)')
"""What a module's source begins with; parsing all of them would take longer than everything else in ``--help``."""


class Root(TyperGroup):
    """The root command: its help has the commands in groups, by who uses them."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002 - Typer's types are private
        """Write a section for each group."""
        width = max(map(len, self.commands), default=0)
        for heading, names in grouped(self.commands).items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), self.commands[name].help or "") for name in names])


class LazyCommand(TyperCommand):
    """Stands for a command in listings; the real one is imported when it is called."""

    def __init__(self, entry: EntryPoint) -> None:
        super().__init__(entry.name, help=short_help(entry.module))
        self._entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401 - Typer's types are private
        """Import the command, and let it parse its arguments."""
        command = typer.main.get_command(self._entry.load())
        be_an_exception()
        refuse_empty_paths(command)
        return command.make_context(info_name, args, parent=parent, **extra)


def add_commands(group: Any) -> TyperGroup:  # noqa: ANN401 - what typer.main.get_command returns has a private type
    """Add every installed command to the root command."""
    if not isinstance(group, TyperGroup):
        raise TypeError("the root command must be a group")
    for entry in sorted(entry_points(group=COMMANDS), key=lambda entry: entry.name):
        group.add_command(LazyCommand(entry))
    return group


def refuse_empty_paths(command: Any) -> None:  # noqa: ANN401 - Typer's types are private
    """Have a command and those below it refuse an empty text as a path: it comes of a variable that isn't set, and
    Python would make the working folder of it.
    """
    for inner in getattr(command, "commands", {}).values():
        refuse_empty_paths(inner)
    for parameter in command.params:
        kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if kind is Path or Path in get_args(kind):
            parameter.process_value = partial(_not_empty, parameter.process_value)


def _not_empty(process: Callable[[Any, Any], Any], context: Any, given: Any) -> Any:  # noqa: ANN401 - as above
    if given == "" or (isinstance(given, list | tuple) and "" in given):
        raise typer.BadParameter("is empty, and so names no file and no folder; . is the one that you are in")
    return process(context, given)


def short_help(module: str) -> str:
    """First line of a module's docstring, from its source: an import may take seconds, or fail for want of an extra.

    For the same reason only the top package is looked up: finding a module inside it would import all its parents.
    """
    package, *inner = module.split(".")
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        base = Path(folder, *inner)
        for source in (base.with_suffix(".py"), base / "__init__.py"):
            if source.is_file():
                with source.open(encoding="utf-8") as text:
                    begin = DOCSTRING.match(text.readline())
                return begin[1].strip().removesuffix('"""').rstrip(".") if begin else ""
    return ""


def extra_of(module: str | None) -> str | None:
    """What brings a missing top-level module, such as ``ajo-dispatch[worker]``: by what our own metadata asks for."""
    wanted = _normal((module or "").partition(".")[0])
    for distribution in DISTRIBUTIONS:
        for requirement in _requirements(distribution):
            match = re.fullmatch(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"].*", requirement)
            if match and _normal(match[1]) == wanted:
                return f"{distribution}[{match[2]}]"
    return None


def _requirements(distribution: str) -> list[str]:
    try:
        return requires(distribution) or []
    except PackageNotFoundError:
        return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
