"""Where a setting comes from: ``AJO_X``, or the file that ``AJO_X_FILE`` names."""

import os
from pathlib import Path
from typing import Any, Literal

from ajo_producers.contract.reading import PATIENCE, read_text
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

PREFIX = "AJO_"
RENEWAL_PATIENCE = 0.1
"""Seconds that a pipe gets in a secret's place while a worker runs: its event loop waits as long, once a second."""


class SettingsError(ValueError):
    """A setting is missing or wrong; the text names the variables, and never has their values."""


class FileSource(PydanticBaseSettingsSource):
    """Reads ``AJO_X`` from the file that ``AJO_X_FILE`` names, less its last line end: so secrets reach containers."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base's
        """The value, the field's name, and that it needs no decoding."""
        variable, file = variable_of(field_name), file_of(field_name)
        if file is None:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: unset one")
        return read_file(field_name, file), field_name, False

    def __call__(self) -> dict[str, Any]:
        """The values of all settings that come from files."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def variable_of(field_name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field_name.upper()


def file_of(field_name: str) -> Path | None:
    """The file that a setting's value comes from, if it does."""
    name = os.environ.get(f"{variable_of(field_name)}_FILE")
    return Path(name) if name else None


def read_file(field_name: str, file: Path, *, patience: float = PATIENCE) -> str:
    """The value of a setting that its file holds now; ``patience`` is ``read_whole``'s.

    Raises:
        SettingsError: it can't be read.
    """
    try:
        return read_text(file, patience=patience).rstrip("\r\n")
    except OSError as fault:
        raise SettingsError(f"{variable_of(field_name)}_FILE: {file}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{variable_of(field_name)}_FILE: {file}: not UTF-8 text") from None


def read_secret(field_name: str, file: Path) -> str:
    """The same of a secret that has changed: nothing at all, as a file has it that is just being written, is none.

    Raises:
        SettingsError: it can't be read, or is empty.
    """
    if not (value := read_file(field_name, file, patience=RENEWAL_PATIENCE)):
        raise SettingsError(f"{variable_of(field_name)}_FILE: {file}: is empty")
    return value


def source_of(field_name: str) -> Literal["default", "env", "file"]:
    """Where a setting's value comes from."""
    if os.environ.get(variable_of(field_name)):
        return "env"
    return "file" if file_of(field_name) else "default"
