"""Checking what was given against the campaign's definition: the one way in which a trigger comes to be published."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from uuid import UUID

from ajo_producers.campaigns.definition import BeforeStart, Definition
from ajo_producers.campaigns.payload import as_sent, check_recipients, payload_check
from ajo_producers.campaigns.window import window_problem
from ajo_producers.contract.batch import MAX_MESSAGE_BYTES, encode_trigger
from ajo_producers.contract.lanes import Lane, Priority
from ajo_producers.contract.trigger import MAX_TEXT, MOMENT_RULE, Recipient, Trigger, is_moment, is_text
from ajo_producers.publishing.errors import InvalidTrigger
from ajo_producers.publishing.given import OF_ONE, GivenTrigger, recipient_of
from ajo_producers.publishing.request_id import key_flaw, keyed_request_id, random_request_id

ENVELOPE_BYTES = 10_000
"""Room for what surrounds a trigger in a message; in truth some hundred bytes."""
MAX_TRIGGER_BYTES = MAX_MESSAGE_BYTES - ENVELOPE_BYTES
NOT_CHECKED = "only what Campaign.trigger returns can be published"
"""What whoever hands over something else is told."""


@dataclass(frozen=True, slots=True)
class CheckedTrigger:
    """A trigger that its campaign takes, and where it goes; publish it as often as needed, it stays the same."""

    trigger: Trigger
    lane: Lane
    priority: Priority
    encoded: bytes = field(repr=False, compare=False)

    @property
    def request_id(self) -> UUID:
        """The id that follows the trigger through broker, worker, ledger and Journey Optimizer."""
        return self.trigger.request_id


def check_trigger(
    definition: Definition,
    given: GivenTrigger,
    now: datetime,
    found: Sequence[str] = (),
    *,
    before_start: BeforeStart = "refuse",
    again: UUID | None = None,
) -> CheckedTrigger:
    """Check a trigger; ``found`` are problems that are known already, ``again`` the id under which it went out before.

    Raises:
        InvalidTrigger: with every problem there is, so that nobody has to find them one by one.
    """
    problems = list(found)
    recipients = _recipients(definition, given, problems)
    expires_at = _times(given, now, problems)
    if reason := window_problem(definition, now, before_start):
        problems.append(reason)
    request_id = _request_id(definition.name, given, problems, again)
    if given.trace_id is not None and not is_text(given.trace_id):
        problems.append(f"trace_id must be text of 1 to {MAX_TEXT} characters")
    if problems or request_id is None:
        unread = {f"{problem.partition(' ')[0]} is missing" for problem in found}  # it is there, and found says more
        told = [*found, *(problem for problem in problems[len(found) :] if problem not in unread)]
        raise InvalidTrigger(definition.name, told)
    trigger = Trigger(
        request_id=request_id,
        campaign=definition.name,
        recipients=recipients,
        occurred_at=given.occurred_at,
        expires_at=expires_at,
        trace_id=given.trace_id,
        call_digest=payload_check(definition).call_digest,
    )
    encoded = encode_trigger(trigger)
    if len(encoded) > MAX_TRIGGER_BYTES:
        raise InvalidTrigger(definition.name, [f"it has {len(encoded):,} bytes; {MAX_TRIGGER_BYTES:,} is the most"])
    return CheckedTrigger(trigger, definition.lane, definition.priority, encoded)


def _recipients(definition: Definition, given: GivenTrigger, problems: list[str]) -> tuple[Recipient, ...]:
    if given.recipients is None:
        several = [given.for_one()]
    else:
        several = list(given.recipients)
        if both := [name for name in OF_ONE if getattr(given, name) is not None]:
            problems.append(f"recipients stands beside {', '.join(both)}: give one or the other")
    recipients, names = [], []
    for index, one in enumerate(several):
        addressed = recipient_of(definition, one)
        prefix = f"recipients[{index}]." if len(several) > 1 else ""
        problems += [f"{prefix}{problem}" for problem in addressed.problems]
        recipients.append(as_sent(definition, addressed.recipient))
        names.append(addressed.names)
    problems += check_recipients(definition, recipients, names)
    return tuple(recipients)


def _times(given: GivenTrigger, now: datetime, problems: list[str]) -> datetime | None:
    """When the trigger expires; a moment that another machine could misread is a problem."""
    before = len(problems)
    for name, moment in (("occurred_at", given.occurred_at), ("expires_at", given.expires_at)):
        if moment is not None and not is_moment(moment):
            problems.append(f"{name} {MOMENT_RULE}")
    if given.expires_in is not None and given.expires_at is not None:
        problems.append("expires_in stands beside expires_at: give one or the other")
    if len(problems) > before:
        return None
    expires_at = given.expires_at
    if given.expires_in is not None:
        if isinstance(given.expires_in, bool) or not isinstance(given.expires_in, int | float | timedelta):
            problems.append("expires_in must be a number of seconds, or a timedelta")
            return None
        try:
            expires_at = _from_now(now, given.expires_in)
        except OverflowError:
            expires_at = None
    if given.expires_in is not None and not is_moment(expires_at):
        problems.append("expires_in must end between the years 2000 and 2100; leave it out for never")
        return None
    if expires_at is not None and expires_at <= now:
        problems.append(f"it has expired already, at {expires_at.isoformat(timespec='seconds')}")
    return expires_at


def _from_now(now: datetime, expires_in: float | timedelta) -> datetime | None:
    if isinstance(expires_in, timedelta):
        return now + expires_in
    return now + timedelta(seconds=expires_in) if isfinite(expires_in) else None


def _request_id(campaign: str, given: GivenTrigger, problems: list[str], again: UUID | None) -> UUID | None:
    if given.key is None:
        return again or random_request_id()
    if not is_text(given.key):
        problems.append(f"key must be text of 1 to {MAX_TEXT} characters")
        return None
    if flaw := key_flaw(given.key):
        problems.append(f"key {flaw}")
        return None
    moment = given.occurred_at
    if moment is not None and not is_moment(moment):
        return None
    try:
        request_id = keyed_request_id(campaign, given.key, moment)
    except ValueError as error:
        problems.append(f"occurred_at {error}")
        return None
    if again not in (None, request_id):
        problems.append("it went out under another key or time before: these are not the receipts of this file")
    return request_id
