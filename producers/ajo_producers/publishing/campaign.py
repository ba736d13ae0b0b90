"""Campaigns as producers use them: by name, to make triggers of."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec

from ajo_producers.campaigns.definition import BeforeStart, Definition
from ajo_producers.campaigns.folder import Definitions, load_definitions
from ajo_producers.contract.trigger import Recipient
from ajo_producers.publishing.checked import CheckedTrigger, check_trigger
from ajo_producers.publishing.environment import read_before_start
from ajo_producers.publishing.errors import InvalidTrigger
from ajo_producers.publishing.given import GivenRecipient, GivenTrigger, convert_problem


class Campaign:
    """One campaign that can be triggered. ``before_start``: whether workers let what comes before its start wait."""

    def __init__(self, definition: Definition, before_start: BeforeStart = "refuse") -> None:
        self.definition = definition
        self._before_start: BeforeStart = before_start

    def __repr__(self) -> str:
        """The name, and where it goes."""
        return f"Campaign({self.definition.name}, {self.definition.lane})"

    def trigger(
        self,
        *,
        to: str | None = None,
        user_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
        channel_data: Mapping[str, Any] | None = None,
        recipients: Iterable[Recipient | Mapping[str, Any]] | None = None,
        key: str | None = None,
        occurred_at: datetime | None = None,
        expires_in: float | timedelta | None = None,
        expires_at: datetime | None = None,
        trace_id: str | None = None,
    ) -> CheckedTrigger:
        """Make a trigger, checked against the definition; publishing it is the publisher's work.

        For one recipient give ``to``, the e-mail address or phone number, and what is personal: ``context``,
        ``profile``, ``channel_data``. ``user_id`` is needed only if the user's id is not the address. For 1–20 give
        ``recipients`` instead, as ``Recipient`` or as mappings with the names above.

        ``key`` names the business event, together with ``occurred_at``, the event's own time (and not the call's): the
        same two give the same request id, so that publishing an event again is no second message. Two messages need
        two keys. Without a key, ``occurred_at`` is only recorded. No attempt starts after ``expires_at``, or
        ``expires_in`` from now, in seconds or as a ``timedelta``.

        Raises:
            InvalidTrigger: with all problems at once.
        """
        problems: list[str] = []
        given = GivenTrigger(
            to=to,
            user_id=user_id,
            context=_plain(context),
            profile=_plain(profile),
            channel_data=_plain(channel_data),
            recipients=None if recipients is None else _given_recipients(recipients, problems),
            key=key,
            occurred_at=occurred_at,
            expires_in=expires_in,
            expires_at=expires_at,
            trace_id=trace_id,
        )
        if problems:
            raise InvalidTrigger(self.definition.name, problems)
        return check_trigger(self.definition, given, datetime.now(UTC), before_start=self._before_start)


class Campaigns(Mapping[str, Campaign]):
    """The campaigns of a folder of definitions, by name."""

    def __init__(self, definitions: Definitions, before_start: BeforeStart = "refuse") -> None:
        self._definitions = definitions
        self._campaigns = {name: Campaign(definition, before_start) for name, definition in definitions.items()}

    @classmethod
    def load(cls, folder: Path | str = "campaigns", *, before_start: BeforeStart | None = None) -> Self:
        """Read every definition of a folder.

        ``before_start`` says what becomes of a trigger that comes before its campaign's start: ``refuse``, or ``wait``
        if the workers let it. Without it, ``AJO_BEFORE_START`` says so, as it does for them; else it is refused.

        Raises:
            DefinitionError: there is no such folder, or files are faulty: the faults of all of them together.
            SettingError: ``AJO_BEFORE_START`` is neither.
        """
        return cls(load_definitions(folder), before_start or read_before_start(os.environ))

    def __getitem__(self, name: str) -> Campaign:
        """The campaign of this name.

        Raises:
            UnknownCampaignError: a ``KeyError`` that names the nearest one.
        """
        if name not in self._campaigns:
            self._definitions[name]
        return self._campaigns[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._campaigns)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._campaigns)


def _plain(mapping: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - what is no mapping stays, to be named as a fault
    return dict(mapping) if isinstance(mapping, Mapping) else mapping


def _given_recipients(
    recipients: Iterable[Recipient | Mapping[str, Any]], problems: list[str]
) -> tuple[GivenRecipient, ...]:
    if not isinstance(recipients, Iterable):
        problems.append("recipients must be a list of recipients")
        return ()
    given = []
    for index, recipient in enumerate(recipients):
        try:
            given.append(msgspec.convert(recipient, GivenRecipient, from_attributes=True))
        except msgspec.ValidationError as error:
            problems.append(convert_problem(f"recipients[{index}]", error))
    return tuple(given)
