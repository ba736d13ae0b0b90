"""From what came to a feedback. Pure; what can't be read is told by its field, and never by its value.

Field paths: Adobe's page on feedback webhooks, and its schema dictionary (Message Feedback Event Schema), in
November 2026.

A webhook brings more: other events, and inbound messages as their provider sent them. Journey Optimizer may relay a
recipient's SMS as it is, so its form is the provider's. It is known by who sent it and what it says; neither is kept,
but for a keyed hash of the first.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from ajo_producers.contract.masking import without_addresses

from ajo_worker.feedback.feedback import Feedback
from ajo_worker.feedback.values import (
    MOST_TEXT,
    Leaves,
    count_of,
    first_of,
    instant_of,
    leaves_of,
    masked,
    tails,
    text_of,
)
from ajo_worker.recipients import recipient_hash

_CJM = "_experience.customerJourneyManagement."
_TOLD = _CJM + "messageDeliveryFeedback."
_EXECUTION = _CJM + "messageExecution."

STATUS = (*tails(_TOLD + "feedbackStatus.value", 2), *tails(_TOLD + "feedbackStatus"))
EXECUTION_ID = tails(_EXECUTION + "messageExecutionID")
REQUEST_ID = tails("requestId")
CAMPAIGN_ID = tails(_EXECUTION + "campaignID")
CHANNEL = (
    *tails("channel"),
    *tails(_CJM + "messageProfile.channel._id", 3),
    *tails(_CJM + "messageProfile.channel", 2),
)
_EXCLUSION = _TOLD + "messageExclusion"
CATEGORY = tails(_TOLD + "messageFailure.category", 2)
TYPE = tails(_TOLD + "messageFailure.type", 2)
CODE = (
    *tails(_TOLD + "messageFailure.code", 2),
    *(key for name in ("code", "0.code", "exclusionCode") for key in tails(f"{_EXCLUSION}.{name}", 2)),
)
REASON = (
    *tails(_TOLD + "messageFailure.reason", 2),
    *(key for name in ("reason", "0.reason", "exclusionReason", "value") for key in tails(f"{_EXCLUSION}.{name}", 2)),
    *tails(_EXCLUSION),
)
"""An exclusion has no category and no type; where it is a mere word, that is its reason."""
RETRIES = tails(_TOLD + "retryCount")
DELIVERED_AT = tails(_TOLD + "deliveryTimestamp")
TIMESTAMP = tails("timestamp")
ADOBE_CODE = re.compile(r"[A-Za-z]{2,16}-\d{1,8}-\d{3}")
CAMPAIGN_TYPE = tails(_EXECUTION + "campaignType")
JOURNEY = (*tails(_EXECUTION + "journeyVersionID"), *tails(_EXECUTION + "journeyID"))
BY_SCHEDULE = frozenset({"scheduled", "recurring"})
"""Types of campaigns that no call starts."""
INBOUND = "inbound"
FEEDBACK_EVENT = "messagefeedback"
_SENDER = re.compile(r"(?:from|sender|msisdn|originator|sourceaddress|fromnumber|channelidentityidentity)$")
_TEXT = re.compile(r"(?:body|text|message|keyword|content|smsbody|messagetext)$")
_ID = re.compile(r"(?:message|sms)?s?id$")

FIELDS = frozenset({
    *STATUS, *EXECUTION_ID, *REQUEST_ID, *CAMPAIGN_ID, *CHANNEL, *CATEGORY, *TYPE, *CODE, *REASON, *RETRIES,
    *DELIVERED_AT, *TIMESTAMP, *CAMPAIGN_TYPE,
})  # fmt: skip
"""All keys that are read, but for those of recipients and of journeys, which none of our messages has."""


class UnreadableFeedback(ValueError):  # noqa: N818 - it is what it is called
    """This is no feedback; the text says which field is at fault, and how."""


def read_webhook(item: object, key: bytes) -> Feedback:
    """A feedback from an object of the webhook, or another event; ``key`` is that of the recipient hashes.

    Raises:
        UnreadableFeedback: it lacks its status or all that could lead to a trigger, or its time is none.
    """
    if not isinstance(item, dict):
        raise UnreadableFeedback("is no JSON object")
    leaves = leaves_of(item)
    if _text(leaves, STATUS) is None and (other := other_event(leaves, key)) is not None:
        return other
    return _read(leaves, key, _instant(leaves, DELIVERED_AT, "messageDeliveryFeedback.deliveryTimestamp"))


def read_row(row: object, key: bytes) -> Feedback:
    """A feedback from a row of the message feedback dataset, nested or flattened.

    Raises:
        UnreadableFeedback: as ``read_webhook``; also without a timestamp.
    """
    leaves = leaves_of(row)
    happened_at = _instant(leaves, TIMESTAMP, "timestamp")
    if happened_at is None:
        raise UnreadableFeedback("timestamp: is missing")
    return _read(leaves, key, happened_at)


def is_read(column: str) -> bool:
    """Whether a dataset's column (by its dotted path) has a part in a feedback."""
    (whole, *_) = tails(column)
    return whole in FIELDS or _is_recipient(whole) or whole.startswith("identitymap")


def _read(leaves: Leaves, key: bytes, happened_at: datetime | None) -> Feedback:
    status = _text(leaves, STATUS)
    if status is None:
        raise UnreadableFeedback("messageDeliveryFeedback.feedbackStatus: is missing")
    recipients = list(_recipients(leaves))
    execution_id, request_id = _text(leaves, EXECUTION_ID), _text(leaves, REQUEST_ID)
    if execution_id is None and request_id is None and not recipients:
        raise UnreadableFeedback("messageExecution.messageExecutionID, requestId, identityMap: all of them are missing")
    channel = _text(leaves, CHANNEL)
    return Feedback(
        status=status,
        happened_at=happened_at,
        execution_id=execution_id,
        adobe_request_id=request_id,
        campaign_id=_text(leaves, CAMPAIGN_ID),
        channel=channel and channel.rstrip("/").rpartition("/")[2],
        failure_category=_free(leaves, CATEGORY),
        failure_type=_free(leaves, TYPE),
        failure_code=_code(leaves),
        failure_reason=_free(leaves, REASON),
        retry_count=count_of(first_of(leaves, RETRIES)),
        recipient_hashes=tuple(sorted({recipient_hash(each, key) for each in recipients})) if key else (),
        others=(_text(leaves, CAMPAIGN_TYPE) or "").lower() in BY_SCHEDULE or _text(leaves, JOURNEY) is not None,
    )


def _recipients(leaves: Leaves) -> Iterator[str]:
    for path, value in leaves.items():
        if _is_recipient(path) and (text := text_of(value)) and text[0] not in "{[":  # what it holds has its own place
            yield text


def _is_recipient(path: str) -> bool:
    """Ids of ``identityMap`` (whose namespaces are the customer's own), and addresses of any channel."""
    return (path.startswith("identitymap") and path.endswith("id")) or path.endswith("channelcontextaddress")


def _instant(leaves: Leaves, keys: tuple[str, ...], field: str) -> datetime | None:
    try:
        return instant_of(first_of(leaves, keys))
    except ValueError as fault:
        raise UnreadableFeedback(f"{field}: {fault}") from None


def _text(leaves: Leaves, keys: tuple[str, ...]) -> str | None:
    text = _first(leaves, keys)
    return text and without_addresses(text)[:MOST_TEXT]


def _free(leaves: Leaves, keys: tuple[str, ...]) -> str | None:
    text = _first(leaves, keys)
    return text and masked(text)


def _code(leaves: Leaves) -> str | None:
    """A code as it is, if it looks like one of Adobe's: its digits are no phone number."""
    text = _first(leaves, CODE)
    return text if text and ADOBE_CODE.fullmatch(text) else text and masked(text)


def _first(leaves: Leaves, keys: tuple[str, ...]) -> str | None:
    """The first of these that says anything: exports write null as a word."""
    return next((text for key in keys if (text := text_of(leaves.get(key)))), None)


def read_items(content: object, key: bytes) -> Iterator[Feedback | UnreadableFeedback]:
    """Each object of a webhook's body, which is one or a list of them; faults stand in the places of theirs."""
    for item in content if isinstance(content, list) else [content]:
        try:
            yield read_webhook(item, key)
        except UnreadableFeedback as fault:
            yield fault


def other_event(leaves: Leaves, key: bytes) -> Feedback | None:
    """What came, as a row that is kept apart; None if it is neither another event nor an inbound message."""
    event = text_of(leaves.get("eventtype"))
    sender = next((text for path, value in leaves.items() if _SENDER.search(path) and (text := text_of(value))), None)
    inbound = sender is not None and any(_TEXT.search(path) for path in leaves)
    if event is None and not inbound:
        return None
    if event is not None and re.sub(r"[^a-z]", "", event.lower()) == FEEDBACK_EVENT:
        return None
    identifier = next((text for path, value in leaves.items() if _ID.search(path) and (text := text_of(value))), None)
    return Feedback(
        status=INBOUND if event is None else without_addresses(event)[:MOST_TEXT],
        adobe_request_id=identifier and without_addresses(identifier)[:MOST_TEXT],
        recipient_hashes=(recipient_hash(sender, key),) if key and sender else (),
        others=True,
    )
