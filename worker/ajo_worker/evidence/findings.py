"""What an auditor is told of the seals, day by day."""

from datetime import date, datetime
from typing import Literal, TypeAlias

from msgspec import Struct, field

from ajo_worker.evidence.chain import Broken, NoKey

DayState: TypeAlias = Literal["intact", "changed", "missing", "removed"]
"""Of a day: its triggers were ``removed`` by retention, as the ledger says; ``missing``: gone, or never sealed."""

SOUND: frozenset[DayState] = frozenset({"intact", "removed"})
"""States of a day that are no fault."""


class Fault(Struct, frozen=True):
    """Rows that are not what was sealed; ``hour`` is None for a whole day.

    ``sealed`` rows there were, ``found`` are there; None where there is no number.
    """

    relation: str
    hour: int | None
    sealed: int | None
    found: int | None
    why: str


class ExplainedChange(Struct, frozen=True):
    """A later change that is explained; ``sealed_at`` is None while it is not sealed again."""

    relation: str
    hour: int | None
    sealed_at: datetime | None
    cause: str


class DayFound(Struct):
    """One day. ``rows`` are those of its newest seals; ``later`` ones came after, or are not over: not sealed."""

    day: date
    state: DayState = "intact"
    rows: int = 0
    later: int = 0
    removed_at: datetime | None = None
    faults: list[Fault] = field(default_factory=list)
    again: list[ExplainedChange] = field(default_factory=list)


class Verified(Struct):
    """All of it; ``head_found`` is None unless a value of the chain was asked for. ``operations``: who, and why.

    ``no_key``: the chain needs a key that isn't here, so it is not known whether it holds.
    """

    intact: bool
    seals: int
    head: str | None
    head_found: bool | None
    chain_broken: Broken | None
    no_key: NoKey | None
    without_key: int
    days: list[DayFound]
    operations: dict[int, str]


def state_of(day: DayFound) -> DayState:
    """What the faults of a day come to. Pure."""
    if day.faults:
        gone = all(not fault.found and fault.sealed != 0 for fault in day.faults)  # of no rows, none can be gone
        return "missing" if gone else "changed"
    return "intact" if day.removed_at is None else "removed"
