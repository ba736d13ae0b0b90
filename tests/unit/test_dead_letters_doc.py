"""docs/dead-letters.md names every field that the commands print as JSON."""

import re
from pathlib import Path

import pytest
from ajo_worker.ledger import dead_letters, letter_detail, payload_reading

TEXT = (Path(__file__).parents[2] / "docs/dead-letters.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(\w+)`", TEXT))


@pytest.mark.parametrize(
    "structure",
    [
        dead_letters.DeadLetters,
        dead_letters.Group,
        dead_letters.Letter,
        letter_detail.LetterDetail,
        letter_detail.TriggerFacts,
        letter_detail.AttemptFacts,
        letter_detail.OperationFacts,
        payload_reading.Part,
    ],
)
def test_every_field_is_documented(structure: type) -> None:
    assert set(structure.__struct_fields__) <= NAMED  # type: ignore[attr-defined] # all of them are structures
