"""docs/dead-letters.md names every field that the commands print as JSON."""

import re
from pathlib import Path

import pytest
from ajo_worker.deadletters import choosing, detail
from ajo_worker.payloads import reading

TEXT = (Path(__file__).parents[2] / "docs/dead-letters.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(\w+)`", TEXT))


@pytest.mark.parametrize(
    "structure",
    [
        choosing.DeadLetters,
        choosing.Group,
        choosing.Letter,
        detail.LetterDetail,
        detail.TriggerFacts,
        detail.AttemptFacts,
        detail.OperationFacts,
        reading.Part,
    ],
)
def test_every_field_is_documented(structure: type) -> None:
    assert set(structure.__struct_fields__) <= NAMED  # type: ignore[attr-defined] # all of them are structures
