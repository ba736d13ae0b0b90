"""What a webhook brings beside feedback: other events, and inbound messages as their provider sent them. Pure.

Journey Optimizer may relay a recipient's SMS as it is, so its form is the provider's. It is known by who sent it and
what it says; neither is kept, but for a keyed hash of the first.
"""

import re

from ajo_worker.feedback.feedback import Feedback
from ajo_worker.feedback.leaves import Leaves
from ajo_worker.feedback.masking import without_addresses
from ajo_worker.feedback.values import MOST_TEXT, text_of
from ajo_worker.recipients import recipient_hash

INBOUND = "inbound"
FEEDBACK_EVENT = "messagefeedback"
_SENDER = re.compile(r"(?:from|sender|msisdn|originator|sourceaddress|fromnumber|channelidentityidentity)$")
_TEXT = re.compile(r"(?:body|text|message|keyword|content|smsbody|messagetext)$")
_ID = re.compile(r"(?:message|sms)?s?id$")


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
