"""Comparing definitions with Journey Optimizer, through whatever is installed for it, and telling the differences."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import msgspec

from ajo_producers.campaigns.live import Compared, Difference, LiveCheck
from ajo_producers.cli.usage import WrongUsage

LIVE_CHECK = "ajo_dispatch.live_check"


class NotInstalled(WrongUsage):
    """Nothing that could ask Adobe is installed."""

    def __init__(self) -> None:
        super().__init__("--live asks Adobe, which takes the worker's packages: install ajo-dispatch[worker]")


def find_live_check() -> LiveCheck:
    """The function that asks Adobe.

    Raises:
        NotInstalled: the worker's packages are missing.
    """
    for entry in entry_points(group=LIVE_CHECK):
        try:
            check: LiveCheck = entry.load()
        except ModuleNotFoundError as missing:
            if (missing.name or "").startswith("ajo_"):  # not an extra that is missing: a fault of ours
                raise
            raise NotInstalled from None
        return check
    raise NotInstalled


def problems_of(one: Compared) -> Iterator[str]:
    """A line for each difference, or for what couldn't be read."""
    if one.problem is not None:
        yield f"{one.name}: {one.problem}"
    for difference in one.differences:
        yield f"{one.name}: {sentence(difference)}"


def sentence(difference: Difference) -> str:
    """A difference in words, with what to do."""
    field, here, there, advice = msgspec.structs.astuple(difference)
    if there is None:
        told = f"{field} is not told by Journey Optimizer"
    elif here is None:
        told = f"{field} is {there} in Journey Optimizer"
    else:
        told = f"{field} is {here} in the definition and {there} in Journey Optimizer"
    return f"{told}: {advice}"


def as_json(one: Compared) -> dict[str, Any]:
    """One campaign for programs."""
    return dict(msgspec.to_builtins(one))
