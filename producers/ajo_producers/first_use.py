"""Names of a package that are imported when they are first used, so that nobody waits for what he doesn't use."""

import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

importing = threading.RLock()
"""Held while a thread imports at a first use. A fork of whoever publishes waits for it (``publishing/forks.py``)."""


def at_first_use(package: str, places: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package whose names stand in the modules of ``places``."""

    def find(name: str) -> Any:  # noqa: ANN401 - type checkers go by imports under TYPE_CHECKING
        for module, names in places.items():
            if name in names:
                with importing:
                    found = import_module(f"{package}.{module}")
                    value = getattr(found, name)
                    setattr(import_module(package), name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
