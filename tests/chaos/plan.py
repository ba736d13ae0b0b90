"""The list of faults: each registers itself under a name, with what it allows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.run import Run
from tests.chaos.verdict import Expectation

BOTH = ("rabbitmq", "valkey")


@dataclass(frozen=True)
class Fault:
    """Something that is done to a run while its stream flows; ``settings`` are its workers'.

    ``scenario`` is what the simulator begins with; ``group`` the fault's number in docs/reliability.md; ``unless`` says
    why it can't be done here.
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
    settings: dict[str, str] = field(default_factory=dict)


FAULTS: dict[str, Fault] = {}


def fault(
    name: str,
    group: int,
    what: str,
    *,
    duplicates: bool = True,
    states: tuple[str, ...] = ("accepted",),
    brokers: tuple[str, ...] = BOTH,
    count: int = 5_000,
    seconds: float = 10.0,
    smoke: bool = False,
    scenario: str = "",
    unless: str | None = None,
    tls: bool = False,
    **settings: str,
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Register a fault; ``group`` is its number in docs/reliability.md."""

    def register(inject: Callable[[Run], None]) -> Callable[[Run], None]:
        expectation = Expectation(duplicates=duplicates, states=frozenset(states))
        FAULTS[name] = Fault(
            name, group, what, inject, expectation, brokers, count, seconds, smoke, scenario, unless, tls, settings
        )
        return inject

    return register
