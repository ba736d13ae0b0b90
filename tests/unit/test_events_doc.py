"""docs/events.md and the programs: what the page shows is what they make of the files of a working folder."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ajo_producers.campaigns.folder import load_definitions
from ajo_producers.cli.main import main
from ajo_producers.events.authentication import SIGNED
from ajo_producers.events.cloudevents import read_structured
from ajo_producers.events.file import FIELDS, MappingError, load_mappings, parse_mappings
from ajo_producers.events.openapi import document

from tests.support.bad_mappings import BAD

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/events.md").read_text(encoding="utf-8")
LOCAL = ROOT / "worker/ajo_local"
DEFINITIONS = load_definitions(ROOT / "campaigns")


def block(begin: str) -> str:
    """The block of the page that begins so."""
    [found] = [
        text for text in re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if text.startswith(begin)
    ]
    return str(found)


def example(**changes: Any) -> dict[str, Any]:
    """The event of a working folder."""
    return {**json.loads((LOCAL / "event.json").read_text(encoding="utf-8")), **changes}


def test_the_mapping_file_of_the_page_and_that_of_a_working_folder_have_no_faults() -> None:
    mappings = parse_mappings(block("unmatched = "), Path("events.toml"), DEFINITIONS)
    assert [mapping.name for mapping in mappings.mappings] == ["order-shipped"]
    assert load_mappings(LOCAL / "events.toml", DEFINITIONS).types() == [example()["type"]]


def test_the_faults_of_the_page_are_told_so() -> None:
    with pytest.raises(MappingError) as caught:
        parse_mappings(BAD, Path("events.toml"), DEFINITIONS)
    assert block("$ ajo-dispatch events check") == f"$ ajo-dispatch events check\nerror: {caught.value}\n"


def test_what_events_test_shows_is_what_the_page_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = {"firstName": "Ada"}
    events = [
        example(),
        example(id="A-1002", data={**example()["data"], "customer": customer}),
        example(id="A-1003", type="com.example.order.shiped"),
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    monkeypatch.setenv("AJO_EVENTS", str(LOCAL / "events.toml"))
    monkeypatch.setenv("AJO_CAMPAIGNS", str(ROOT / "campaigns"))
    assert main(["events", "test", str(file)]) == 1
    shown = capsys.readouterr().out
    assert block("$ ajo-dispatch events test") == f"$ ajo-dispatch events test events.jsonl\n{shown}"


def test_every_field_status_and_header_stands_on_the_page() -> None:
    assert [field for field in (*FIELDS, *SIGNED) if field not in PAGE] == []
    statuses = document()["paths"]["/events"]["post"]["responses"]
    assert [status for status in statuses if not re.search(rf"^\| .*\b{status}\b.*\|", PAGE, re.MULTILINE)] == []
    assert read_structured(example())
