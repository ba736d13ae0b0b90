"""An export has the dataset's fields, in every form the same values."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any

import pytest
from ajo_simulator.feedback.dataset import COLUMNS, FORMS, encode
from ajo_simulator.feedback.message import Report
from ajo_simulator.feedback.rules import FeedbackRules
from ajo_simulator.feedback.timeline import reports_of
from ajo_simulator.validation import Recipient
from pyarrow import parquet

from tests.support.feedback import acceptance

REPORTS = reports_of(FeedbackRules(bounce_share=1), 1, acceptance())


def read_parquet(reports: list[Report]) -> Any:
    return parquet.read_table(BytesIO(encode(reports, "parquet")))


def test_a_json_line_is_nested_as_the_dataset_is() -> None:
    _, bounce = map(json.loads, encode(REPORTS, "jsonl").splitlines())
    assert bounce["timestamp"] == "2026-11-03T10:00:00.000000Z"
    told = bounce["_experience"]["customerJourneyManagement"]
    assert told.pop("messageProfile").keys() == {"messageProfileID"}
    assert told == {
        "messageExecution": {"messageExecutionID": "UMA-r-1", "campaignID": "c-1"},
        "messageDeliveryfeedback": {
            "feedbackStatus": "bounce",
            "retryCount": 0,
            "messageFailure": {"category": "async", "type": "Hard", "reason": "Unknown user"},
        },
        "emailChannelContext": {"address": "person0@example.com"},
    }


def test_a_csv_has_the_names_joined_by_dots_and_nothing_where_there_is_nothing() -> None:
    sent, bounce = csv.DictReader(StringIO(encode(REPORTS, "csv").decode()))
    assert tuple(sent) == COLUMNS
    prefix = "_experience.customerJourneyManagement"
    assert sent["timestamp"] == "2026-11-03T10:00:00.000000Z"
    assert sent[f"{prefix}.messageDeliveryfeedback.feedbackStatus"] == "sent"
    assert sent[f"{prefix}.messageDeliveryfeedback.messageFailure.reason"] == ""
    assert bounce[f"{prefix}.messageDeliveryfeedback.messageFailure.reason"] == "Unknown user"


def test_parquet_has_the_values_of_the_json_lines_and_instants_as_such() -> None:
    rows = read_parquet(REPORTS).to_pylist()
    at = datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert [row["timestamp"] for row in rows] == [at, at]
    lines = [json.loads(line) for line in encode(REPORTS, "jsonl").splitlines()]
    assert [row["_experience"] for row in rows] == [line["_experience"] for line in lines]


@pytest.mark.parametrize("form", FORMS)
def test_with_nothing_told_an_export_is_empty_and_can_be_read(form: Any) -> None:
    empty = encode([], form)
    match form:
        case "jsonl":
            assert empty == b""
        case "csv":
            assert empty.decode().strip().split(",") == list(COLUMNS)
        case "parquet":
            assert read_parquet([]).num_rows == 0
            assert read_parquet([]).schema == read_parquet(REPORTS).schema


def test_every_message_has_a_profile_id_of_its_own_and_keeps_it() -> None:
    reports = reports_of(FeedbackRules(), 1, acceptance(recipients=2))
    rows = [json.loads(line)["_experience"]["customerJourneyManagement"] for line in encode(reports, "jsonl").split()]
    ids = [row["messageProfile"]["messageProfileID"] for row in rows]
    assert ids[0] == ids[1] != ids[2] == ids[3]


@pytest.mark.parametrize(
    ("rules", "recipient", "address"),
    [
        (FeedbackRules(), Recipient("crm", "4711", "a@example.com"), "a@example.com"),
        (FeedbackRules(), Recipient("crm", "4711", None), None),
        (FeedbackRules(channel="sms"), Recipient("crm", "4711", "a@example.com"), None),
    ],
)
def test_an_address_is_told_of_email_alone(rules: FeedbackRules, recipient: Recipient, address: str | None) -> None:
    reports = reports_of(rules, 1, replace(acceptance(), recipients=(recipient,)))
    row = json.loads(encode(reports[:1], "jsonl"))
    assert row["_experience"]["customerJourneyManagement"]["emailChannelContext"]["address"] == address
