"""The phases of all triggers together, and the sums of phases that were rolled up beside them."""

from collections.abc import Iterable

import asyncpg

from ajo_worker.reports.value import PhaseRow, TriggerSpread
from ajo_worker.views.phases import Phase, Sum


def phase_rows(
    phases: Iterable[Phase], sums: Iterable[Sum], found: Iterable[asyncpg.Record], triggers: int
) -> list[PhaseRow]:
    """A row for each phase in its order, then the sums; ``found`` has the percentiles of all together. Pure."""
    by_phase = {row["phase"]: row for row in found}
    rows = [_row(phase, by_phase.get(phase.phase), triggers) for phase in phases]
    return rows + [
        _row(Phase(each.phase, None, each.means, after_end=False, always_known=False), by_phase[each.phase], triggers)
        for each in sums
        if each.phase in by_phase
    ]


def _row(phase: Phase, found: asyncpg.Record | None, triggers: int) -> PhaseRow:
    if found is None:  # it took nobody any time, or nobody knows it
        nothing = TriggerSpread(0, 0, 0, 0, triggers) if phase.always_known and triggers else None
        return PhaseRow(phase.phase, phase.system, phase.means, 0, 0, nothing)
    return PhaseRow(phase.phase, phase.system, phase.means, found["late"], found["seconds"], spread(found))


def spread(row: asyncpg.Record) -> TriggerSpread:
    """The percentiles of a row that has them. Pure."""
    return TriggerSpread(*(row[name] for name in TriggerSpread.__struct_fields__))
