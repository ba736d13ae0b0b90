"""The list of faults: each registers itself under a name, with what it allows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.run import Run
from tests.chaos.verdict import Expectation

BOTH = ("rabbitmq", "valkey")
SHARED = frozenset({4, 5})
"""Groups of faults that are done to a broker or to PostgreSQL."""
SOON = {"AJO_HEARTBEAT_SECONDS": "0.5", "AJO_OWNER_TIMEOUT": "3"}
"""Triggers of dead workers are taken over sooner than with the defaults: in the short form, and in the soak."""


@dataclass(frozen=True)
class Fault:
    """Something that is done to a run while its stream flows; ``settings`` are its workers'.

    ``scenario`` is what the simulator begins with; ``group`` the fault's number in docs/reliability.md; ``unless`` says
    why it can't be done here. One that is done ``alone`` harms servers that other runs share.
    """

    name: str
    group: int
    what: str
    inject: Callable[[Run], None]
    expectation: Expectation
    brokers: tuple[str, ...]
    count: int
    seconds: float
    smoke: bool
    scenario: str
    unless: str | None
    tls: bool
    alone: bool
    settings: dict[str, str] = field(default_factory=dict)


FAULTS: dict[str, Fault] = {}


def fault(
    name: str,
    group: int,
    what: str,
    *,
    duplicates: bool = True,
    outages: bool = True,
    states: tuple[str, ...] = ("accepted",),
    brokers: tuple[str, ...] = BOTH,
    count: int = 5_000,
    seconds: float = 10.0,
    smoke: bool = False,
    scenario: str = "",
    unless: str | None = None,
    tls: bool = False,
    alone: bool = False,
    soon: bool = False,
    **settings: str,
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Register a fault; ``group`` is its number in docs/reliability.md, ``settings`` are shown in its table, and
    so are those of ``soon``."""

    def register(inject: Callable[[Run], None]) -> Callable[[Run], None]:
        expectation = Expectation(duplicates=duplicates, outages=outages, states=frozenset(states))
        FAULTS[name] = Fault(
            name, group, what, inject, expectation, brokers, count, seconds, smoke, scenario, unless, tls,
            alone or group in SHARED, {**SOON, **settings} if soon else settings,
        )  # fmt: skip
        return inject

    return register
