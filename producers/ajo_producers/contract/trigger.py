"""The trigger as it travels: one request to execute one campaign for 1–20 recipients."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

MAX_RECIPIENTS = 20
"""Recipients of one call at most (Interactive Message Execution API, ``recipients.maxItems``)."""

MAX_CONTEXT_BYTES = 200_000
"""Size of one recipient's ``context`` as JSON at most (Journey Optimizer's guide: 200 kB)."""

MAX_TEXT = 512
"""Characters of a name or an id at most."""

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Moment = Annotated[datetime, Meta(tz=True)]
"""A moment with its offset from UTC: a clock time without one means nothing to another machine."""


def is_text(value: object) -> bool:
    """Whether a value is a ``Text`` that can travel and be stored.

    A lone surrogate, as a broken decoder leaves behind, can't be encoded; PostgreSQL's text holds no NUL.
    """
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_TEXT
        and not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)
    )


class Recipient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who receives the message, and what is personal in it."""

    user_id: Text
    channel_data: dict[str, Any] = {}
    profile: dict[str, Any] = {}
    context: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Nothing personal: reprs end up in logs."""
        return "Recipient(…)"


class Trigger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One request to execute one campaign.

    ``request_id`` stays the same for every attempt and every round. ``occurred_at`` is when the business event
    happened; no attempt starts after ``expires_at``. Where the call goes to is the campaign definition's business: a
    trigger can't name a host.
    """

    request_id: UUID
    campaign: Text
    recipients: Annotated[tuple[Recipient, ...], Meta(min_length=1, max_length=MAX_RECIPIENTS)]
    occurred_at: Moment | None = None
    expires_at: Moment | None = None
    trace_id: Text | None = None

    def __repr__(self) -> str:
        """What may be logged of it."""
        return f"Trigger({self.campaign} {self.request_id}, recipients={len(self.recipients)})"
