"""What comes in any of the documented shapes is the same feedback; what can't be read is told by its field alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ajo_worker.feedback.feedback import Feedback
from ajo_worker.feedback.reading import UnreadableFeedback, is_read, read_items, read_row, read_webhook
from ajo_worker.feedback.values import count_of, instant_of, leaves_of, text_of
from ajo_worker.recipients import recipient_hash
from hypothesis import given
from hypothesis import strategies as st

from tests.support.feedback_items import (
    ADDRESS,
    CAMPAIGN_ID,
    FAILURE,
    KEY,
    NOON,
    PHONE,
    SECRET,
    dataset_row,
    dotted,
    webhook_item,
)  # fmt: skip

SENT = Feedback(
    status="sent",
    happened_at=NOON,
    execution_id="HUMA-26362805",
    campaign_id=CAMPAIGN_ID,
    channel="email",
    retry_count=0,
    recipient_hashes=(recipient_hash(ADDRESS, KEY),),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def test_the_webhooks_documented_object_is_read() -> None:
    item = webhook_item("bounce", failure=FAILURE)
    assert read_webhook(item, KEY) == replace(
        SENT,
        status="bounce",
        happened_at=None,
        adobe_request_id="8NoByJneShCdCGRnrGS1t1m3CdA73dhR",
        failure_category="async",
        failure_type="Hard",
        failure_code="25",
        failure_reason="550 5.1.1 <(address)>: no such user; call (number)",
    )


def pairs(row: dict[str, Any]) -> dict[str, Any]:
    """The row as Parquet gives it: maps as lists of pairs."""
    return {**row, "identityMap": list(row["identityMap"].items())}


@pytest.mark.parametrize(
    "row",
    [
        dataset_row(),
        pairs(dataset_row()),
        dotted(dataset_row()),
        dotted(dataset_row(), "_"),
        dotted(dataset_row(), "__"),
        {name.upper(): value for name, value in dotted(dataset_row()).items()},
        {"timestamp": "2026-11-25 12:00:00.0", "_experience": json.dumps(dataset_row()["_experience"])},
        {
            "timestamp": "1795608000000",
            "messageExecutionID": "HUMA-26362805",
            "feedbackStatus": "sent",
            "campaignID": CAMPAIGN_ID,
            "retryCount": "0",
            "channel": "email",
            "emailChannelContext.address": ADDRESS,
        },
    ],
    ids=["nested", "pairs", "dotted", "flattened", "flattened twice", "capitals", "JSON in a column", "leaves alone"],
)
def test_a_row_of_the_dataset_is_the_same_feedback_in_every_form(row: dict[str, Any]) -> None:
    assert read_row(row, KEY) == SENT


@pytest.mark.parametrize("address", [" Ada.Lovelace@Example.COM ", ADDRESS])
def test_the_same_person_has_the_same_hash_as_in_a_trigger(address: str) -> None:
    assert read_row(dataset_row(address=address), KEY).recipient_hashes == SENT.recipient_hashes


def test_without_a_key_there_are_no_hashes() -> None:
    assert read_row(dataset_row(), b"").recipient_hashes == ()


def test_all_ids_of_the_identity_map_and_the_address_are_hashed() -> None:
    row = dataset_row()
    row["identityMap"] = {"ECID": [{"id": "1"}, {"id": "2"}], "crmId": [{"id": "C-3"}], "email": []}
    expected = sorted(recipient_hash(each, KEY) for each in ("1", "2", "c-3", ADDRESS))
    assert list(read_row(row, KEY).recipient_hashes) == expected


def test_no_field_keeps_an_address() -> None:
    told = f"{ADDRESS} {PHONE}"
    failure = {"category": told, "type": told, "code": told, "reason": told}
    item = webhook_item(told, execution=ADDRESS, request=ADDRESS, campaign=ADDRESS, failure=failure)
    item["channel"] = ADDRESS
    found = repr(read_webhook(item, KEY))
    assert ADDRESS not in found
    assert found.count(PHONE) == 1, "a status keeps digits: it is one of a few words"


REASONS = ["EmailNotAllowed", "MessageValidityExclusion", "ExternalDataLookupExclusion", "PushNoTokenFoundInProfile"]


@pytest.mark.parametrize("reason", REASONS)
def test_an_exclusion_keeps_its_code_and_reason_in_every_form(reason: str) -> None:
    exclusion = {"code": "CJMRT-050030-422", "reason": reason}
    row = dataset_row("exclude", exclusion=exclusion, failure={"category": None, "code": "null", "reason": ""})
    flat = {
        "timestamp": "1795608000000",
        "messageExecutionID": "HUMA-1",
        "feedbackStatus": "exclude",
        "messageFailure_code": "",
        "messageExclusion_code": "CJMRT-050030-422",
        "messageExclusion_reason": reason,
    }
    texts = dotted(row)
    forms = [row, pairs(row), texts, dotted(row, "_"), {name.lower(): value for name, value in texts.items()}, flat]
    found = [read_row(form, KEY) for form in forms]
    found.append(read_webhook(webhook_item("exclude", exclusion=exclusion), KEY))
    assert {(one.status, one.failure_code, one.failure_reason) for one in found} == {
        ("exclude", "CJMRT-050030-422", reason)
    }


@pytest.mark.parametrize(
    ("exclusion", "code", "reason"),
    [
        ("PushNoTokenFoundInProfile", None, "PushNoTokenFoundInProfile"),
        ([{"code": "C-1", "reason": "EmailNotAllowed"}], "C-1", "EmailNotAllowed"),
        ({"code": 50030, "reason": None}, "50030", None),
        ({"reason": {"value": "x"}}, None, None),
        ({"reason": f"not allowed: {ADDRESS}"}, None, "not allowed: (address)"),
        (None, None, None),
        ({}, None, None),
        (7, None, "7"),
    ],
)
def test_an_exclusion_of_any_shape_is_harmless(exclusion: object, code: str | None, reason: str | None) -> None:
    found = read_webhook(webhook_item("exclude", exclusion=exclusion), KEY)
    assert (found.failure_code, found.failure_reason) == (code, reason)


def test_the_columns_of_an_exclusion_are_read_from_parquet() -> None:
    told = "_experience.customerJourneyManagement.messageDeliveryfeedback.messageExclusion"
    assert all(is_read(column) for column in (told, f"{told}.code", f"{told}.reason"))


@pytest.mark.parametrize("kind", ["Scheduled", "SCHEDULED", "recurring"])
def test_a_campaign_that_no_call_starts_says_so(kind: str) -> None:
    assert read_webhook(webhook_item(campaign_type=kind), KEY).others
    assert not read_webhook(webhook_item(campaign_type="API-triggered"), KEY).others
    assert not read_webhook(webhook_item(), KEY).others


SAID = "STOP, and call me back"
INBOUND: dict[str, dict[str, Any]] = {
    "flat": {"from": PHONE, "to": "40404", "body": SAID, "id": "m-1", "type": "mo_text"},
    "form": {"From": PHONE, "To": "40404", "Body": SAID, "MessageSid": "m-1"},
    "list": {"results": [{"from": PHONE, "text": SAID, "cleanText": SAID, "messageId": "m-1"}], "messageCount": 1},
    "nested": {"message": {"channel_identity": {"identity": PHONE}, "contact_message": {"text": SAID}}},
    "event": {"eventType": "message.inbound", "data": {"msisdn": PHONE, "keyword": "STOP"}},
    "another event": {"eventType": "message.opened", "messageExecution": {"messageExecutionID": "UMA-1"}},
}  # fmt: skip


@pytest.mark.parametrize("shape", INBOUND)
def test_an_inbound_message_and_another_event_are_taken_without_what_they_say(shape: str) -> None:
    found = read_webhook(INBOUND[shape], KEY)
    assert found.others
    assert found.status == INBOUND[shape].get("eventType", "inbound")
    assert not any(text in repr(found) for text in (SAID, "STOP", PHONE))
    assert found.recipient_hashes == (() if shape == "another event" else (recipient_hash(PHONE, KEY),))
    assert read_webhook(INBOUND[shape], b"").recipient_hashes == ()


def test_unknown_statuses_are_kept_as_they_come() -> None:
    assert read_webhook(webhook_item("Quarantined?"), KEY).status == "Quarantined?"


def without(item: dict[str, Any], *path: str) -> dict[str, Any]:
    inner = item
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return item


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        (SECRET, "is no JSON object"),
        ([], "is no JSON object"),
        ({}, "messageDeliveryFeedback.feedbackStatus: is missing"),
        (webhook_item(""), "messageDeliveryFeedback.feedbackStatus: is missing"),
        (without(webhook_item(), "messageDeliveryFeedback"), "messageDeliveryFeedback.feedbackStatus: is missing"),
        (
            {"feedbackStatus": "sent"},
            "messageExecution.messageExecutionID, requestId, identityMap: all of them are missing",
        ),
        (
            webhook_item(at=SECRET),
            "messageDeliveryFeedback.deliveryTimestamp: is no instant (ISO 8601, or a number since 1970)",
        ),
    ],
)  # fmt: skip
def test_what_is_no_feedback_is_told_by_its_field_and_not_by_its_value(item: object, fault: str) -> None:
    with pytest.raises(UnreadableFeedback) as raised:
        read_webhook(item, KEY)
    assert str(raised.value) == fault


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        (None, "is missing"),
        ("", "is missing"),
        ("soon", "is no instant (ISO 8601, or a number since 1970)"),
        ("1999-12-31T23:59:59Z", "lies before 2000 or after 2199"),
        (20261125, "lies before 2000 or after 2199"),
        (0, "is missing"),
        (1e300, "is out of range"),
        ("-inf", "is out of range"),
        ("-nan", "is out of range"),
    ],
)
def test_a_row_needs_its_time(at: object, fault: str) -> None:
    with pytest.raises(UnreadableFeedback) as raised:
        read_row(dataset_row(at=at), KEY)
    assert str(raised.value) == f"timestamp: {fault}"


def test_good_items_of_a_list_are_read_beside_bad_ones() -> None:
    found = list(read_items([webhook_item(), 7, webhook_item("delivered")], KEY))
    assert [item.status if isinstance(item, Feedback) else None for item in found] == ["sent", None, "delivered"]
    assert len(list(read_items(webhook_item(), KEY))) == 1


@given(JSON)
def test_nothing_that_json_can_hold_is_more_than_unreadable(content: object) -> None:
    for each in read_items(content, KEY):
        assert isinstance(each, Feedback | UnreadableFeedback)


def test_depth_and_number_of_values_are_bounded() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = {"a": deep}
    assert leaves_of(deep) == {}
    assert len(leaves_of({str(number): 1 for number in range(5000)})) == 2000
    assert leaves_of({"a": "[" * 100_000}) == {"a": "[" * 100_000}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-25T12:00:00Z", NOON),
        ("2026-11-25T12:00:00.000+00:00", NOON),
        ("2026-11-25T13:00:00+01:00", NOON),
        ("2026-11-25 12:00:00", NOON),
        ("2026-11-25 12:00:00 UTC", NOON),
        (1795608000, NOON),
        (1795608000000, NOON),
        ("1795608000123", NOON + timedelta(milliseconds=123)),
        (1795608000000000, NOON),
        (1795608000000000000, NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON.astimezone(), NOON),
        (None, None),
        ("null", None),
    ],
)
def test_instants_are_read_in_every_usual_form(value: object, expected: datetime | None) -> None:
    assert instant_of(value) == expected
    assert expected is None or instant_of(value).tzinfo is UTC  # type: ignore[union-attr] # it is none


@pytest.mark.parametrize(
    "zero", [0, "0", 0.0, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00", "0001-01-01T00:00:00+01:00"]
)
def test_the_zero_of_a_clock_is_no_instant_that_anything_happened_at(zero: object) -> None:
    """It would be a departure in 1970, which no phase explains."""
    assert instant_of(zero) is None
    assert read_webhook(webhook_item(at=zero), KEY).happened_at is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 3), (3, 3), ("3.0", 3), (0, 0), (-1, None), (2**31, None), ("inf", None), ("nan", None), (None, None),
        ("x", None),
    ],
)  # fmt: skip
def test_counts_are_read_and_what_is_none_is_none(value: object, expected: int | None) -> None:
    assert count_of(value) == expected


@given(st.text())
def test_every_text_is_one_that_the_ledger_can_hold(text: str) -> None:
    found = text_of(text)
    assert found is None or (found and "\0" not in found and found.encode().decode() == found)


def test_only_columns_of_feedback_are_read() -> None:
    cjm = "_experience.customerJourneyManagement"
    for column in (f"{cjm}.messageDeliveryfeedback.feedbackStatus", "timestamp", "identityMap.key_value.key"):
        assert is_read(column)
    for column in ("_id", f"{cjm}.messageExecution.journeyVersionID", "personalEmail.address", "type"):
        assert not is_read(column)
