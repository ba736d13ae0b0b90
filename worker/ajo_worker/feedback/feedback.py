"""One feedback as a value, whichever way it came, and the id that it always has. Pure."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import msgspec
from ajo_producers.contract.timed_ids import milliseconds_at, timed_id


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was reported of one message, without any address.

    ``happened_at`` is by Adobe's clock; None if it doesn't say, as for e-mail. ``recipient_hashes`` are those of all
    ids and addresses that it names, sorted; empty without a key. ``others``: it says itself that it is of a message
    that no call of ours can have started, or it is no feedback at all. ``failure_…`` are of an exclusion, too.
    """

    status: str
    happened_at: datetime | None = None
    execution_id: str | None = None
    adobe_request_id: str | None = None
    campaign_id: str | None = None
    channel: str | None = None
    failure_category: str | None = None
    failure_type: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    retry_count: int | None = None
    recipient_hashes: tuple[bytes, ...] = ()
    others: bool = False


def feedback_id(feedback: Feedback, arrived: datetime) -> UUID:
    """Its id: the same for the same content, however often it comes, so that it is stored once.

    A UUIDv7 (RFC 9562): the millisecond in which it happened, else the begin of the day (UTC) on which it ``arrived``;
    then 74 bits of SHA-256 of its content. It holds no address: recipients are in it as keyed hashes.
    """
    moment = feedback.happened_at
    if moment is None:
        moment = arrived.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    content = {field.name: getattr(feedback, field.name) for field in fields(feedback) if field.name != "others"}
    return timed_id(milliseconds_at(moment), sha256(msgspec.json.encode(content)).digest())


def own_request_id(feedback: Feedback) -> UUID | None:
    """Its ``requestId`` if that may be one of ours; the gateway's own is no UUID."""
    try:
        return UUID(feedback.adobe_request_id or "")
    except ValueError:
        return None
