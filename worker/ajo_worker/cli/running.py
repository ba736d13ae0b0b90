"""How commands of the worker read their settings and run on an event loop, with errors for people."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

from ajo_worker import settings as configuration
from ajo_worker.ledger.database import DatabaseError
from ajo_worker.settings.proxies import Proxies, proxies
from ajo_worker.settings.source import SettingsError

T = TypeVar("T")


class WrongSettings(typer.TyperException):
    """The environment is at fault: wrong usage."""

    exit_code = 2


def read_settings() -> configuration.Settings:
    """The settings.

    Raises:
        WrongSettings: at least one is bad.
    """
    try:
        return configuration.read_settings()
    except SettingsError as bad:
        raise WrongSettings(str(bad)) from None


def ways_of(settings: configuration.Settings) -> Proxies:
    """The ways that calls to Adobe take.

    Raises:
        WrongSettings: a proxy can't be used.
    """
    try:
        return proxies(settings)
    except SettingsError as bad:
        raise WrongSettings(str(bad)) from None


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end.

    Raises:
        typer.TyperException: the ledger can't be used.
    """
    try:
        return asyncio.run(work)
    except DatabaseError as problem:
        raise typer.TyperException(str(problem)) from None
