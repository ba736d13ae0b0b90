"""What the shell completes: names, reasons, and what may be kept back."""

import re
from pathlib import Path
from typing import get_args

import pytest
from ajo_worker.api.answer import FailureKind
from ajo_worker.cli import completion
from ajo_worker.reasons import OF_AN_ANSWER, OWN

STATES = (Path(__file__).parents[4] / "docs/states.md").read_text(encoding="utf-8").partition("## Reasons")[2]


def test_every_reason_that_is_documented_is_completed_and_no_other() -> None:
    rows = [line.split("|")[1] for line in STATES.partition("## Ownership")[0].splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert OWN <= documented <= OWN | OF_AN_ANSWER
    assert set(completion.reasons("")) == documented | OF_AN_ANSWER | set(get_args(FailureKind))


def test_campaigns_are_those_of_the_folder_whatever_their_files_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("order-shipped.toml", "order-late.toml", "welcome.toml", ".hidden.toml", "notes.txt"):
        (tmp_path / name).write_text("no TOML at all [", encoding="utf-8")
    monkeypatch.setenv("AJO_CAMPAIGNS", str(tmp_path))
    assert completion.campaign_names("order-") == ["order-late", "order-shipped"]
    assert completion.scopes("") == ["standard", "high-throughput", "token", "order-late", "order-shipped", "welcome"]
    assert completion.scopes("st") == ["standard"]
    monkeypatch.setenv("AJO_CAMPAIGNS", str(tmp_path / "nowhere"))
    assert completion.campaign_names("") == []
