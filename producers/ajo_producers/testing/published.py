"""What was published, and assertions on it whose failures tell what there was instead."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, overload
from uuid import UUID

from ajo_producers.contract.lanes import Lane, Priority
from ajo_producers.contract.trigger import Recipient
from ajo_producers.publishing.checked import CheckedTrigger

MOST_SHOWN = 10
"""Triggers that a failure shows."""
CRITERIA = (
    "campaign",
    "to",
    "user_id",
    "context",
    "profile",
    "channel_data",
    "request_id",
    "occurred_at",
    "expires_at",
    "trace_id",
)


class PublishedTrigger(NamedTuple):
    """One trigger that was published. ``to`` and what is personal are those of its first recipient."""

    campaign: str
    request_id: UUID
    recipients: tuple[Recipient, ...]
    occurred_at: datetime | None
    expires_at: datetime | None
    trace_id: str | None
    lane: Lane
    priority: Priority

    @property
    def user_id(self) -> str:
        """The user's id."""
        return self.recipients[0].user_id

    @property
    def to(self) -> str:
        """The address: e-mail or phone, or else the user's id."""
        data = self.channel_data
        return str(data.get("emailAddress") or data.get("mobilePhoneNumber") or self.user_id)

    @property
    def context(self) -> dict[str, Any]:
        """Its context variables, defaults included."""
        return self.recipients[0].context

    @property
    def profile(self) -> dict[str, Any]:
        """Its profile variables."""
        return self.recipients[0].profile

    @property
    def channel_data(self) -> dict[str, Any]:
        """Its channel data."""
        return self.recipients[0].channel_data

    def __str__(self) -> str:
        """For a failure's text."""
        more = f" and {len(self.recipients) - 1} more" if len(self.recipients) > 1 else ""
        return f"{self.campaign} to {self.to}{more}, context {self.context}"


def published(checked: CheckedTrigger) -> PublishedTrigger:
    """A checked trigger as tests see it."""
    trigger = checked.trigger
    return PublishedTrigger(
        trigger.campaign,
        trigger.request_id,
        trigger.recipients,
        trigger.occurred_at,
        trigger.expires_at,
        trigger.trace_id,
        checked.lane,
        checked.priority,
    )


class PublishedTriggers(Sequence[PublishedTrigger]):
    """The triggers in the order in which they were published; a copy with the same request id stands once.

    Criteria are fields of ``PublishedTrigger``; of ``context``, ``profile`` and ``channel_data`` those that are named
    must be there, at any depth, and others may be.
    """

    _what = "published"

    def __init__(self) -> None:
        self._triggers: dict[UUID, PublishedTrigger] = {}
        self.copies = 0
        self.broker_is_away = False

    def one(self, **criteria: Any) -> PublishedTrigger:  # noqa: ANN401 - any field's value
        """The only trigger that fits; fails if none does, or several do."""
        __tracebackhide__ = True
        found = self.all(**criteria)
        if len(found) != 1:
            raise AssertionError(self._told(f"expected one trigger {_shown(criteria)}", found, criteria))
        return found[0]

    def none(self, **criteria: Any) -> None:  # noqa: ANN401 - any field's value
        """Fails if a trigger fits."""
        __tracebackhide__ = True
        if found := self.all(**criteria):
            raise AssertionError(self._told(f"expected no trigger {_shown(criteria)}", found, criteria))

    def exactly(self, number: int, **criteria: Any) -> list[PublishedTrigger]:  # noqa: ANN401 - any field's value
        """Those that fit; fails if they are not so many."""
        __tracebackhide__ = True
        found = self.all(**criteria)
        if len(found) != number:
            raise AssertionError(self._told(f"expected {number} triggers {_shown(criteria)}", found, criteria))
        return found

    def all(self, **criteria: Any) -> list[PublishedTrigger]:  # noqa: ANN401 - any field's value
        """Those that fit; never fails.

        Raises:
            TypeError: a criterion is no field of a trigger.
        """
        if unknown := [name for name in criteria if name not in CRITERIA]:
            raise TypeError(f"no criterion is called {unknown[0]!r}; there are {', '.join(CRITERIA)}")
        return [trigger for trigger in self if not list(_differences(trigger, criteria))]

    @contextmanager
    def broker_away(self) -> Iterator[None]:
        """Within this, publishing fails with ``PublishError``, as it does where no broker answers."""
        self.broker_is_away = True
        try:
            yield
        finally:
            self.broker_is_away = False

    def clear(self) -> None:
        """Forget what was published."""
        self._triggers.clear()
        self.copies = 0

    def add(self, checked: CheckedTrigger) -> None:
        """Note a trigger."""
        if checked.request_id in self._triggers:
            self.copies += 1
        self._triggers.setdefault(checked.request_id, published(checked))

    @overload
    def __getitem__(self, index: int) -> PublishedTrigger: ...
    @overload
    def __getitem__(self, index: slice) -> list[PublishedTrigger]: ...
    def __getitem__(self, index: int | slice) -> PublishedTrigger | list[PublishedTrigger]:
        """By its place."""
        return list(self._triggers.values())[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._triggers)

    def __repr__(self) -> str:
        """All of them: pytest shows it where an assertion fails."""
        return f"<{len(self)} {self._what}: {'; '.join(map(str, self[:MOST_SHOWN]))}>"

    def _told(self, expected: str, found: Sequence[PublishedTrigger], criteria: Mapping[str, Any]) -> str:
        lines = [f"{expected}, and {len(found) or 'none'} of the {len(self)} {self._what} fits:"]
        for number, trigger in enumerate(self[:MOST_SHOWN], 1):
            differs = "; ".join(_differences(trigger, criteria))
            lines.append(f"  {number}. {trigger}" + (f"\n     {differs}" if differs else "   <- fits"))
        if len(self) > MOST_SHOWN:
            lines.append(f"  and {len(self) - MOST_SHOWN} more")
        if not self:
            lines[0] = f"{expected}, and nothing was {self._what}"
        return "\n".join(lines)


def _shown(criteria: Mapping[str, Any]) -> str:
    return f"with {', '.join(f'{name}={value!r}' for name, value in criteria.items())}" if criteria else "of any kind"


def _differences(trigger: PublishedTrigger, criteria: Mapping[str, Any]) -> Iterator[str]:
    """Why a trigger doesn't fit, in words; nothing if it does."""
    for name, wanted in criteria.items():
        yield from _differs(name, getattr(trigger, name), wanted)


def _differs(path: str, found: object, wanted: object) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name, inner in wanted.items():
            if name not in found:
                yield f"{path}.{name} is missing"
            else:
                yield from _differs(f"{path}.{name}", found[name], inner)
    elif isinstance(found, UUID) and isinstance(wanted, str):
        yield from _differs(path, str(found), wanted)
    elif found != wanted:
        yield f"{path} is {found!r}, not {wanted!r}"
