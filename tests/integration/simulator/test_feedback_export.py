"""Exports of what was told: by call while it runs, by a file at its end; and nothing of it elsewhere."""

import csv
import json
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.integration.simulator.calls import Api, payload
from tests.support.programs import Finished, Simulator

LATE = '[feedback]\ndelivery = {seconds = 3600}\n[[feedback.campaign]]\nid = "c-late"\ndeparture = {seconds = 3600}\n'


def export(api: Api, query: str = "") -> list[dict[str, Any]]:
    """What an export of JSON lines says, less the outer names."""
    lines = api.get(f"/_simulator/feedback{query}").text.splitlines()
    return [json.loads(line)["_experience"]["customerJourneyManagement"] for line in lines]


def told(rows: list[dict[str, Any]]) -> list[str]:
    return [row["messageDeliveryfeedback"]["feedbackStatus"] for row in rows]


@pytest.fixture
def telling(api: Api) -> Api:
    """A simulator that tells of departures at once, and of the rest an hour later."""
    api.client.post(f"{api.url}/_simulator/reset")
    api.play(LATE)
    return api


def test_an_export_has_what_was_told_by_now_or_all_of_it(telling: Api) -> None:
    execution = telling.call("r-1").json()["executionId"]
    telling.call("r-2", "c-late")
    known, everything = export(telling), export(telling, "?all=true")
    assert told(known) == ["sent"]
    assert known[0]["messageExecution"] == {"messageExecutionID": execution, "campaignID": "c-1"}
    assert sorted(told(everything)) == ["delivered", "delivered", "sent", "sent"]


def test_every_form_has_the_same_rows(telling: Api) -> None:
    for number in range(5):
        telling.call(f"r-{number}")
    column = "_experience.customerJourneyManagement.messageExecution.messageExecutionID"
    ids = [row["messageExecution"]["messageExecutionID"] for row in export(telling, "?format=jsonl&all=true")]
    rows = csv.DictReader(StringIO(telling.get("/_simulator/feedback?format=csv&all=true").text))
    assert [row[column] for row in rows] == ids
    table = parquet.read_table(BytesIO(telling.get("/_simulator/feedback?format=parquet&all=true").content))
    nested = [row["_experience"]["customerJourneyManagement"] for row in table.to_pylist()]
    assert [row["messageExecution"]["messageExecutionID"] for row in nested] == ids
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("query", "text"),
    [("?format=xml", "format is one of jsonl, csv, parquet\n"), ("?all=yes", "all is true or false\n")],
)
def test_a_wrong_question_is_told_what_is_wrong(api: Api, query: str, text: str) -> None:
    answer = api.get(f"/_simulator/feedback{query}")
    assert (answer.status_code, answer.text) == (400, text)


def test_addresses_and_secrets_are_in_no_journal_and_not_printed(
    own_api: Callable[..., tuple[Simulator, Api]],
) -> None:
    running, api = own_api('[feedback]\nwebhook = "http://127.0.0.1:1/"\nretry_for = 0\nsecret = "hush-hush"\n')
    api.call(body=payload("r-1"))
    assert [one["emailChannelContext"]["address"] for one in export(api)] == ["person@example.com"] * 2
    assert running.child.stop() == 0
    for text in (running.journal.read_text(encoding="utf-8"), running.child.output()):
        assert "example.com" not in text
        assert "hush-hush" not in text


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_at_its_end_the_command_writes_what_was_told(
    own_api: Callable[..., tuple[Simulator, Api]], tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"feedback.{form}"
    running, api = own_api(LATE, "--feedback-export", str(file))
    for number in range(3):
        api.call(f"r-{number}")
    assert running.child.stop() == 0
    match form:
        case "jsonl":
            assert len(file.read_text(encoding="utf-8").splitlines()) == 3
        case "csv":
            assert len(file.read_text(encoding="utf-8").splitlines()) == 1 + 3
        case "parquet":
            assert parquet.read_table(file).num_rows == 3


@pytest.mark.parametrize(
    ("file", "code", "told"),
    [
        ("feedback.xml", 2, "Invalid value for --feedback-export: ends with .jsonl, .csv or .parquet"),
        ("missing/feedback.csv", 1, "missing/feedback.csv: No such file or directory"),
    ],
)
def test_an_export_that_cannot_be_ends_the_command_at_its_beginning(
    run_cli: Callable[..., Finished], file: str, code: int, told: str
) -> None:
    done = run_cli("simulate", "--port", "0", "--feedback-export", file)
    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_without_pyarrow_parquet_is_refused_with_what_to_install(
    run_cli: Callable[..., Finished], tmp_path: Path
) -> None:
    missing = "raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')\n"
    (tmp_path / "pyarrow.py").write_text(missing, encoding="utf-8")
    done = run_cli("simulate", "--feedback-export", tmp_path / "feedback.parquet", env={"PYTHONPATH": str(tmp_path)})
    assert done.code == 2
    assert done.err == "error: this command needs the package pyarrow: install ajo-dispatch[parquet]\n"
