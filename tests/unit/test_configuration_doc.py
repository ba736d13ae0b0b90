"""docs/configuration.md and the programs: the same variables, with the same defaults."""

import re
from pathlib import Path

from ajo_worker.cli.settings import text_of
from ajo_worker.settings.listing import OTHERS, AllSettings, known_variables
from ajo_worker.settings.source import variable_of
from pydantic import SecretStr

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(AJO_\w+)` \| (?:`(.+?)`)? ?\| (\S.*?) \| (\S.*) \|$", re.MULTILINE)
NAME = re.compile(r"\bAJO_[A-Z][A-Z_]*[A-Z]\b")
FOR_EXAMPLE = {"AJO_X", "AJO_X_FILE"}


def rows() -> list[tuple[str, ...]]:
    return ROW.findall((ROOT / "docs/configuration.md").read_text(encoding="utf-8"))


def shown_default(name: str) -> str:
    """A default as the document has it: nothing if there is none."""
    default = AllSettings.model_fields[name].default
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    listed = sorted(default) if isinstance(default, frozenset) else default
    return text_of(list(listed)) if isinstance(listed, list | tuple) else str(default if default is not None else "")


def test_every_variable_has_its_row_and_no_row_is_too_many() -> None:
    documented = [name for name, *_ in rows()]
    assert sorted(documented) == sorted([*map(variable_of, AllSettings.model_fields), *OTHERS])


def test_defaults_are_those_of_the_programs() -> None:
    documented = {name: default for name, default, *_ in rows()}
    defaults = {variable_of(name): shown_default(name) for name in AllSettings.model_fields}
    assert documented == defaults | dict.fromkeys(OTHERS, "")


def test_every_variable_that_is_named_anywhere_in_the_programs_is_known() -> None:
    files = [file for folder in ("producers", "worker", "simulator") for file in (ROOT / folder).rglob("*.py")]
    files += [ROOT / "docker-compose.yml", ROOT / "Dockerfile"]
    named = {name for file in files for name in NAME.findall(file.read_text(encoding="utf-8"))}
    assert named - FOR_EXAMPLE <= known_variables()
    assert "AJO_DATABASE_URL" in named


UNITS = ("seconds", "days", "bytes", "calls a second", "connections", "triggers", "messages", "attempts", "share")


def test_units_are_those_of_the_programs() -> None:
    """A number's description begins with its unit; lists, names, folders and secrets go by their type."""
    documented = {name: unit.strip("* ") for name, _, unit, _ in rows()}
    wrong = []
    for name, field in AllSettings.model_fields.items():
        words, unit = (field.description or "").rpartition(" only: ")[2], documented[variable_of(name)]
        begun = next((one for one in UNITS if re.match(rf"{one}\b", words)), None)
        if (begun is not None and unit != begun) or (begun is None and unit in {"days", "bytes", "calls a second"}):
            wrong.append(f"{name}: {unit}, but “{words}”")
        if isinstance(field.default, SecretStr) and unit not in {"secret", "secrets", "URL"}:
            wrong.append(f"{name}: {unit}, but it is a secret")
        if isinstance(field.default, tuple | frozenset) and unit != "list":
            wrong.append(f"{name}: {unit}, but it is a list")
    assert wrong == []
