"""The phases of all triggers together, and the sums of phases that were rolled up beside them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ajo_worker.ledger.phases import Phase, Sum
from ajo_worker.reports.mixing import mix
from ajo_worker.reports.value import PhaseRow, Spread


def phase_rows(
    phases: Iterable[Phase], sums: Iterable[Sum], found: Sequence[Mapping[str, Any]], triggers: int
) -> list[PhaseRow]:
    """A row for each phase in its order, then the sums; ``found`` are percentiles by campaign and lane. Pure."""
    by_phase: dict[str, list[Mapping[str, Any]]] = {}
    for row in found:
        by_phase.setdefault(row["phase"], []).append(row)
    rows = [_row(phase, by_phase.get(phase.phase, []), triggers) for phase in phases]
    return rows + [
        _row(Phase(each.phase, None, each.means, after_end=False, always_known=False), by_phase[each.phase], triggers)
        for each in sums
        if each.phase in by_phase
    ]


def _row(phase: Phase, found: Sequence[Mapping[str, Any]], triggers: int) -> PhaseRow:
    groups = [spread(row) for row in found]
    missing = triggers - sum(group.triggers for group in groups)
    if missing > 0 and phase.always_known:  # minutes in which it took nobody any time have no row
        groups.append(Spread(missing, 0, 0, 0, 0))
    late, seconds = sum(row["late"] for row in found), sum(row["seconds"] for row in found)
    return PhaseRow(phase.phase, phase.system, phase.means, late, seconds, mix(groups))


def spread(row: Mapping[str, Any]) -> Spread:
    """The percentiles of a row that has them. Pure."""
    return Spread(*(row[name] for name in Spread.__struct_fields__))
