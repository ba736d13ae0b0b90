"""What callers give for a trigger: from Python, from the command line, from a line of a file; not checked yet."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.mismatch import mismatch
from ajo_producers.campaigns.nearest import suggestion
from ajo_producers.campaigns.recipient_addresses import Names
from ajo_producers.contract.addresses import FIELDS as ADDRESSES
from ajo_producers.contract.addresses import cut
from ajo_producers.contract.trigger import MOMENT_RULE, Moment, Recipient


class GivenRecipient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One recipient; ``to`` is the address."""

    to: str | None = None
    user_id: str | None = None
    channel_data: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None
    context: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Nothing personal: reprs end up in logs."""
        return "GivenRecipient(…)"


class GivenTrigger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One trigger, either for ``recipients`` or for the one recipient that the first fields describe."""

    to: str | None = None
    user_id: str | None = None
    channel_data: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    recipients: tuple[GivenRecipient, ...] | None = None
    key: str | None = None
    occurred_at: Moment | None = None
    expires_in: float | timedelta | None = None
    expires_at: Moment | None = None
    trace_id: str | None = None

    def __repr__(self) -> str:
        """Nothing personal: reprs end up in logs."""
        return "GivenTrigger(…)"

    def for_one(self) -> GivenRecipient:
        """The recipient that the first fields describe."""
        return GivenRecipient(**{name: getattr(self, name) for name in OF_ONE})


OF_ONE = GivenRecipient.__struct_fields__
MOMENTS = ("occurred_at", "expires_at")
FIELDS = {field.name: field.type for field in structs.fields(GivenTrigger)} | {"expires_in": float | None}
"""What each field is outside of Python, where only seconds are a length of time."""


def read_given(data: Mapping[str, Any], *, from_text: bool = False) -> tuple[GivenTrigger, list[str]]:
    """The trigger that named values describe, and what could not be read of them; ``from_text`` also reads numbers.

    Values are never shown in the problems.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in data.items():
        if name not in FIELDS:
            problems.append(unknown_field(name))
            continue
        try:
            values[name] = msgspec.convert(value, FIELDS[name], strict=not from_text)
        except msgspec.ValidationError as error:
            problems.append(f"{name} {MOMENT_RULE}" if name in MOMENTS else convert_problem(name, error))
        except UnicodeEncodeError:  # half a surrogate pair, as of bytes on a command line that are no UTF-8
            problems.append(f"{name} {MOMENT_RULE if name in MOMENTS else 'is no text'}")
    return GivenTrigger(**values), problems


def convert_problem(name: str, error: msgspec.ValidationError) -> str:
    """What is wrong with a field, in one line."""
    text, _, place = str(error).partition(" - at `$")
    if "unknown field" in text and not text.split("`")[1].isidentifier():
        return f"{name}{place.rstrip('`')}: a field has a name that is none of a recipient's"
    if "unknown field" in text:
        return f"{name}{place.rstrip('`')}: {text[:1].lower()}{text[1:]}"
    return f"{name}{place.rstrip('`')} {mismatch(text)}"


def unknown_field(name: str) -> str:
    """Why a field can't be taken; a name that isn't one is not shown, since it may be a value that slipped."""
    if not name.isidentifier():
        return "a field has a name that is none of a trigger's"
    return f"{name} is unknown; {suggestion(name, FIELDS)}"


class Addressed(NamedTuple):
    """The recipient to be sent, what is wrong with how it is addressed, and how the caller named what stands in it."""

    recipient: Recipient
    problems: list[str]
    names: Names


def recipient_of(definition: Definition, given: GivenRecipient) -> Addressed:
    """The recipient to be sent; whether its addresses can be right is the payload check's to say.

    The address goes to the definition's address field, unless ``channel_data`` has one, and names the user, unless
    ``user_id`` does. Where a definition takes both kinds of address, an ``@`` makes the difference.
    """
    problems: list[str] = []
    names: dict[str, str | None] = {}
    to = cut(given.to) if isinstance(given.to, str) else given.to
    channel_data = given.channel_data if given.channel_data is not None else {}
    fields = [field for field in ADDRESSES if field in definition.channel_data]
    named: str | None = "to"
    if to is None and given.user_id is None:
        problems.append("to is missing (the address), and so is user_id")
        to, named = "", None
    if to is not None:
        if fields and isinstance(channel_data, dict):
            field = fields[0] if len(fields) == 1 or "@" in str(to) else fields[1]
            if field not in channel_data:
                channel_data = {field: to, **channel_data}
                names[f"channel_data.{field}"] = named
        elif given.user_id is not None:
            problems.append("to has no place: the campaign takes neither e-mail address nor phone number; leave it out")
    if given.user_id is None:
        names["user_id"] = named
    recipient = Recipient(
        user_id=given.user_id if given.user_id is not None else to or "",
        channel_data=channel_data,
        profile=given.profile if given.profile is not None else {},
        context=given.context if given.context is not None else {},
    )
    return Addressed(recipient, problems, names)
