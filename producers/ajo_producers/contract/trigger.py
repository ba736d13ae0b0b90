"""The trigger as it travels: one request to execute one campaign for 1–20 recipients."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from ajo_producers.contract.storable import UNSTORABLE

MAX_RECIPIENTS = 20
"""Recipients of one call at most (Interactive Message Execution API, ``recipients.maxItems``)."""

MAX_CONTEXT_BYTES = 200_000
"""Size of one recipient's ``context`` as JSON at most (Journey Optimizer's guide: 200 kB)."""

MAX_TEXT = 512
"""Characters of a name or an id at most."""

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Moment = Annotated[datetime, Meta(tz=True)]
"""A moment with its offset from UTC: a clock time without one means nothing to another machine."""

CallDigest = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
"""Which definition a trigger was made by: the digest of all that the definition says of its calls."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Between them lies every moment that a trigger can mean. The zero time of Go and .NET (year 1), an "end of all times"
(year 9999) and the like overflow in one system or the other behind us: PostgreSQL reads the former as -infinity."""
MOMENT_RULE = "must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z"


def is_moment(value: object) -> bool:
    """Whether a value is a moment that every system behind us can hold."""
    return isinstance(value, datetime) and value.utcoffset() is not None and EARLIEST <= value < LATEST


def check_moments(**moments: datetime | None) -> None:
    """Refuse moments that can't be meant.

    Raises:
        ValueError: names the field; msgspec makes a ``ValidationError`` of it.
    """
    for name, moment in moments.items():
        if moment is not None and not is_moment(moment):
            raise ValueError(f"{name} {MOMENT_RULE}")


def is_text(value: object) -> bool:
    """Whether a value is a ``Text`` that can travel and be stored.

    A lone surrogate, as a broken decoder leaves behind, can't be encoded; PostgreSQL's text holds no NUL.
    """
    return isinstance(value, str) and 1 <= len(value) <= MAX_TEXT and UNSTORABLE.search(value) is None


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
    happened, ``outbox_at`` when the producer added it to its outbox; no attempt starts after ``expires_at``. Where
    the call goes to is the campaign definition's business: a trigger can't name a host. With a ``call_digest`` it is
    sent by that very definition; without one, by whichever a worker has of that name.
    """

    request_id: UUID
    campaign: Text
    recipients: Annotated[tuple[Recipient, ...], Meta(min_length=1, max_length=MAX_RECIPIENTS)]
    occurred_at: Moment | None = None
    outbox_at: Moment | None = None
    expires_at: Moment | None = None
    trace_id: Text | None = None
    call_digest: CallDigest | None = None

    def __post_init__(self) -> None:
        """Refuse moments that can't be meant."""
        check_moments(occurred_at=self.occurred_at, outbox_at=self.outbox_at, expires_at=self.expires_at)

    def __repr__(self) -> str:
        """What may be logged of it."""
        return f"Trigger({self.campaign} {self.request_id}, recipients={len(self.recipients)})"
