"""The phases that a trigger's time is cut into, as ledger.phases has them."""

import asyncpg
from msgspec import Struct


class Phase(Struct, frozen=True):
    """A phase, and the system that is charged with it; None is charged with what is unexplained.

    What is ``after_end`` is in no total; of what is not ``always_known``, a trigger may have nothing yet, or never.
    """

    phase: str
    system: str | None
    means: str
    after_end: bool
    always_known: bool


class Sum(Struct, frozen=True):
    """What is rolled up beside the phases, and is none."""

    phase: str
    means: str


READ = "SELECT phase, system, means, after_end, always_known FROM audit.phases ORDER BY position"


SUMS = "SELECT phase, means FROM audit.sums ORDER BY position"


async def read_phases(connection: asyncpg.Connection) -> list[Phase]:
    """All phases, in the order in which a trigger goes through them."""
    return [Phase(**row) for row in await connection.fetch(READ)]


async def read_sums(connection: asyncpg.Connection) -> list[Sum]:
    """All sums, in their order."""
    return [Sum(**row) for row in await connection.fetch(SUMS)]


def column(phase: str) -> str:
    """The column of audit.delays that has a phase's seconds. Pure."""
    return f"{phase.replace('-', '_')}_seconds"
