"""Where a definition and Journey Optimizer differ, and what to do. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.live import Difference

from ajo_worker.campaigns.live_campaign import LiveCampaign

SAME_MOMENT = timedelta(seconds=1)
"""Moments less apart are the same: Adobe writes fractions of a second that people don't."""
SCHEDULED = "scheduled"
REIMPORT = "import the campaign's cURL sample again"
OUTSIDE = {"start": "before it", "end": "from then on"}


def differences(definition: Definition, live: LiveCampaign) -> list[Difference]:
    """Every field in which they differ; what Adobe's answer doesn't tell is not compared, except for the status."""
    return [
        *_status(definition, live),
        *_moment("start", definition.start, live.start),
        *_moment("end", definition.end, live.end),
        *_namespace(definition, live),
        *_lane(definition, live),
        *_creates_profiles(definition, live),
    ]


def _status(definition: Definition, live: LiveCampaign) -> Iterator[Difference]:
    there = live.status_text
    if live.status == "not-live" and not _awaits_its_start(definition, live):
        yield Difference("status", None, there, "activate it there; until it is live, its calls fail")
    elif live.status == "ended":
        yield Difference(
            "status", None, there, "its calls fail; activate a new version there, or remove the definition"
        )
    elif live.status == "unknown":
        yield Difference("status", None, there, "look there whether it is live: Adobe's answer doesn't make it clear")


def _awaits_its_start(definition: Definition, live: LiveCampaign) -> bool:
    """A scheduled campaign whose start the definition knows is as agreed: the worker sends nothing before it."""
    is_scheduled = (live.status_text or "").lower() == SCHEDULED
    return is_scheduled and definition.start is not None and _same(definition.start, live.start)


def _moment(field: Literal["start", "end"], here: datetime | None, there: datetime | None) -> Iterator[Difference]:
    if there is None or _same(here, there):
        return
    text = _text(there)
    if here is None:
        advice = f"write {field} = {text} into the definition, so that nothing is sent {OUTSIDE[field]}"
        yield Difference(field, None, text, advice)
    else:
        yield Difference(
            field, _text(here), text, "correct the one that is wrong: calls outside the campaign's dates fail"
        )


def _namespace(definition: Definition, live: LiveCampaign) -> Iterator[Difference]:
    # Adobe's own sample has "email" where its namespace is called "Email".
    if live.namespace is not None and live.namespace.lower() != definition.namespace.lower():
        yield Difference("namespace", definition.namespace, live.namespace, REIMPORT)


def _lane(definition: Definition, live: LiveCampaign) -> Iterator[Difference]:
    if live.lane is not None and live.lane != definition.lane:
        yield Difference("lane", definition.lane, live.lane, REIMPORT)


def _creates_profiles(definition: Definition, live: LiveCampaign) -> Iterator[Difference]:
    here, there = definition.creates_profiles, live.creates_profiles
    if there is None or here == there:
        return
    if here is not None:
        yield Difference("creates_profiles", _flag(here), _flag(there), "correct the one that is wrong")
    elif not there and definition.lane == "standard":  # the other lane reads no profiles
        advice = (
            'calls for unknown profiles fail; switch on "create new profiles" there, '
            "or agree to it with creates_profiles = false in the definition"
        )
        yield Difference("creates_profiles", None, _flag(there), advice)


def _same(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) < SAME_MOMENT


def _text(moment: datetime) -> str:
    """As a definition has it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _flag(value: bool) -> str:
    return "true" if value else "false"
