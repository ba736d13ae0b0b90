"""``ajo-dispatch --help``: who uses which command, told without importing any of them."""

import subprocess
import sys
from importlib.metadata import entry_points

import ajo_producers
import pytest
from ajo_producers.cli.audiences import AUDIENCES, OTHERS, grouped
from ajo_producers.cli.discovery import COMMANDS, short_help
from ajo_producers.cli.main import main

HEAVY = {
    "aiohttp", "alembic", "asyncpg", "attrs", "celery", "cryptography", "hypothesis", "kombu", "markdown_it", "msgspec",
    "pydantic", "pydantic_settings", "pygments", "redis", "rich", "sqlalchemy", "tomlkit", "uvloop", "yaml",
}  # fmt: skip
LOOK = """
import sys
from ajo_producers.cli.main import main
code = main(["--help"])
print(code, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
INSTALLED = entry_points(group=COMMANDS)


def test_help_imports_none_of_what_commands_need() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    code, *modules = done.stderr.split()
    assert code == "0"
    assert "typer" in modules
    assert HEAVY & set(modules) == set()
    assert "Operators" in done.stdout


def test_every_command_that_is_installed_is_in_the_group_of_those_who_use_it() -> None:
    named = [name for group in AUDIENCES.values() for name in group]
    assert sorted(named) == sorted(entry.name for entry in INSTALLED)


def test_help_shows_each_command_with_its_line_below_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    places = [shown.index(f"{heading}:\n") for heading in AUDIENCES]
    assert places == sorted(places)
    assert all(f"\n  {entry.name} " in shown for entry in INSTALLED)


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: entry.name)
def test_a_commands_line_is_the_first_of_its_modules_docstring(entry: object) -> None:
    module = entry.module  # type: ignore[attr-defined] # an entry point
    __import__(module)
    first = (sys.modules[module].__doc__ or "").partition("\n")[0]
    assert short_help(module) == first.rstrip(".") != ""


def test_a_command_of_another_package_comes_last_and_an_empty_group_not_at_all() -> None:
    assert grouped(["zebra", "trigger", "ant"]) == {next(iter(AUDIENCES)): ["trigger"], OTHERS: ["ant", "zebra"]}


def test_what_the_sdk_promises_is_there_when_it_is_asked_for() -> None:
    assert set(ajo_producers.__all__) <= set(dir(ajo_producers))
    assert {name: getattr(ajo_producers, name).__name__ for name in ajo_producers.__all__} == {
        name: name for name in ajo_producers.__all__
    }
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = ajo_producers.Nothing
