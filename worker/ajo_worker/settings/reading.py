"""Reading the settings, with errors for people; and secrets whose files change."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

from pydantic import ValidationError

from ajo_worker.ledger.hosts import FORM, is_readable
from ajo_worker.renewal import Renewed
from ajo_worker.settings.model import Settings
from ajo_worker.settings.source import SettingsError, file_of, read_secret, source_of, variable_of

T = TypeVar("T")


def missing_credentials(settings: Settings) -> str | None:
    """What is missing to get an access token, for people; None if nothing is."""
    given = {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
    missing = [variable_of(name) for name, value in given.items() if not value]
    if not missing:
        return None
    names = " and ".join(f"{name} (or {name}_FILE)" for name in missing)
    return (
        f"no access token can be asked for: set {names}, of the Developer Console's OAuth server-to-server credential"
    )


def read_settings() -> Settings:
    """The settings, read now.

    Raises:
        SettingsError: at least one is wrong; the text has a line for each.
    """
    try:
        return Settings()
    except ValidationError as invalid:
        raise SettingsError("\n".join(explained(invalid, Settings))) from None


def renewed(settings: Settings, name: str) -> Renewed[str]:
    """A secret of the settings, as its file has it now; one that comes from no file stays as it is."""
    make = _database_address if name == "database_url" else str
    return renewed_as(settings, name, make, getattr(settings, name).get_secret_value())


def renewed_as(settings: Settings, name: str, make: Callable[[str], T], first: T | None = None) -> Renewed[T]:
    """What is made of one."""
    file = file_of(name)
    first = make(getattr(settings, name).get_secret_value()) if first is None else first

    def read() -> T:
        return make(read_secret(name, file) if file else "")  # of no file: never called

    return Renewed(variable_of(name), [file] if file else [], read, first)


def _database_address(url: str) -> str:
    if not is_readable(url):
        raise SettingsError(
            f"AJO_DATABASE_URL_FILE: expected {FORM}, with all special characters of the password percent-encoded"
        )
    return url


def explained(invalid: ValidationError, model: type[Settings]) -> Iterator[str]:
    """What is wrong with settings of ``model``, a line for each: which variable, what it must be, what it is for."""
    for fault in invalid.errors(include_url=False, include_input=False):
        if isinstance(of_file := fault.get("ctx", {}).get("error"), SettingsError):
            yield str(of_file)
            continue
        text = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
        if not fault["loc"]:
            yield text
            continue
        name = str(fault["loc"][0])
        file = "_FILE" if source_of(name) == "file" else ""
        yield f"{variable_of(name)}{file}: {text} ({model.model_fields[name].description})"


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: see ``read_settings``.
    """
    return read_settings()
