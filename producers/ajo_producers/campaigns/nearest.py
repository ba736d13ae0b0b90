"""“Did you mean …?”: the known name that is nearest to one that isn't."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """The nearest of ``known``, if one is near enough (``cutoff`` from 0 to 1); else nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - a seventh of the SDK's import time, for the rare mistake

    return get_close_matches(name, known, n=1, cutoff=cutoff)


def suggestion(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """What to say of a name that is unknown: the nearest of the ``known`` ones, or all of them, or ``otherwise``."""
    names = list(known)
    if near := nearest(name, names):
        return f"did you mean {near[0]}?"
    return otherwise or f"known: {', '.join(names) or 'none'}"
