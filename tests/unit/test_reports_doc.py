"""docs/reports.md names every field that the reports print as JSON."""

import re
from pathlib import Path

import pytest
from ajo_worker.views import delays, overview, phases, timeline

TEXT = (Path(__file__).parents[2] / "docs/reports.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(\w+)`", TEXT))


@pytest.mark.parametrize(
    "structure",
    [
        overview.Overview,
        overview.StateCount,
        overview.WorkerRow,
        overview.Oldest,
        overview.Held,
        timeline.Timeline,
        timeline.TimelineEvent,
        timeline.PhaseSeconds,
        phases.Phase,
        delays.DelayReport,
        delays.Delays,
        delays.PhaseSpread,
    ],
)
def test_every_field_is_documented(structure: type) -> None:
    assert set(structure.__struct_fields__) <= NAMED  # type: ignore[attr-defined] # all of them are structures
