"""The phases of all triggers together, and the sums of phases that were rolled up beside them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ajo_worker.reports.mixing import mix
from ajo_worker.reports.value import PhaseRow, Spread

SUMS = {
    "residual": "What the phases don't explain: wall clock and monotonic clock of the same calls differ by it.",
    "total": "From the event (or from publishing, if its time is unknown) to the end.",
    "end-to-end": "From the same to the delivery, as far as that is known.",
    "budget": "From the first dispatch of a trigger's round to its end.",
}
"""What is rolled up like a phase, and is none."""
NOT_ALWAYS_KNOWN = {"producer", "ending", "departure", "delivery", "total", "end-to-end", "budget"}
"""Of these, a trigger that isn't counted is unknown; of the others it is one that took no time."""


def phase_rows(
    phases: Iterable[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], triggers: int
) -> list[PhaseRow]:
    """A row for each phase in its order, then the sums; ``found`` are percentiles by campaign and lane. Pure."""
    named = [(row["phase"], row["system"], row["means"]) for row in phases]
    rolled_up = {row["phase"] for row in found}
    named += [(phase, None, means) for phase, means in SUMS.items() if phase in rolled_up]
    return [_row(*one, [row for row in found if row["phase"] == one[0]], triggers) for one in named]


def _row(phase: str, system: str | None, means: str, found: Sequence[Mapping[str, Any]], triggers: int) -> PhaseRow:
    groups = [spread(row) for row in found]
    missing = triggers - sum(group.triggers for group in groups)
    if missing > 0 and phase not in NOT_ALWAYS_KNOWN:  # minutes in which it took nobody any time have no row
        groups.append(Spread(missing, 0, 0, 0, 0))
    return PhaseRow(
        phase, system, means, sum(row["late"] for row in found), sum(row["seconds"] for row in found), mix(groups)
    )


def spread(row: Mapping[str, Any]) -> Spread:
    """The percentiles of a row that has them. Pure."""
    return Spread(*(row[name] for name in Spread.__struct_fields__))
