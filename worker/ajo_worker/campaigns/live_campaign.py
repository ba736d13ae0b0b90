"""What Adobe says of a campaign, read with tolerance: what can't be read is unknown. Pure.

First come the names of Adobe's OpenAPI description "Retrieve & filter Action Campaigns", v1.77 (campaigns-retrieve on
developer.adobe.com/journey-optimizer-apis), which marks no field as required; then others that seem likely: a policy.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from ajo_producers.contract.lanes import Lane

LiveStatus: TypeAlias = Literal["live", "not-live", "ended", "unknown"]

STATUSES: dict[str, LiveStatus] = {
    "live": "live",
    "draft": "not-live",
    "in_review": "not-live",
    "activating": "not-live",
    "processing": "not-live",
    "scheduled": "not-live",
    "failed": "not-live",
    "stopping": "ended",
    "stopped": "ended",
    "completed": "ended",
    "finished": "ended",
    "archived": "ended",
    "deleted": "ended",
}
"""Statuses of a campaign in Adobe's description, and ``finished``, which it has for journeys."""

OF_A_DRAFT = frozenset({"draft", "in_review", "activating", "processing", "failed"})
"""What may be said of a next version while the one before it is live."""

LANES_OF_TEXT: dict[str, Lane] = {
    "standard": "standard",
    "high": "high-throughput",
    "high_throughput": "high-throughput",
    "highthroughput": "high-throughput",
}
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:-]{0,63}", re.ASCII)
"""Foreign text that may be shown: short, and neither an address nor a control character."""


@dataclass(frozen=True, slots=True)
class LiveCampaign:
    """A campaign as Adobe tells it; None is unknown. Dates are in UTC."""

    status: LiveStatus = "unknown"
    status_text: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    namespace: str | None = None
    lane: Lane | None = None
    creates_profiles: bool | None = None


UNKNOWN = LiveCampaign()


def read_status(document: object) -> LiveCampaign:
    """Read the JSON of Adobe's answer. Never raises, whatever the document is."""
    fields = _object(document)
    text = _word(fields, "status", "state", "lifecycleState")
    return LiveCampaign(
        status=_status(text, has_live_version=_word(fields, "liveVersionId") is not None),
        status_text=text,
        start=_moment(fields, "start"),
        end=_moment(fields, "end"),
        namespace=_word(fields, "identityNamespace", "namespace")
        or _word(_object(fields.get("audience")), "namespace"),
        lane=_lane(fields),
        creates_profiles=_flag(fields, "createNewProfile", "createNewProfiles", "createProfiles"),
    )


def _status(text: str | None, *, has_live_version: bool) -> LiveStatus:
    word = _plain(text)
    if has_live_version and word in OF_A_DRAFT:
        return "unknown"
    return STATUSES.get(word, "unknown")


def _moment(fields: Mapping[str, Any], edge: Literal["start", "end"]) -> datetime | None:
    schedule = _object(fields.get("schedule"))
    if schedule.get(f"{edge}DateEnabled") is False:
        return None
    found = (_instant(place.get(f"{edge}{kind}")) for place in (schedule, fields) for kind in ("Date", "Time"))
    return next((moment for moment in found if moment is not None), None)


def _instant(value: object) -> datetime | None:
    """A time that says its zone; one without could be meant in any."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _lane(fields: Mapping[str, Any]) -> Lane | None:
    high = _flag(fields, "highThroughputMode", "highThroughput")
    if high is not None:
        return "high-throughput" if high else "standard"
    return LANES_OF_TEXT.get(_plain(_word(fields, "throughputMode", "throughput")))


def _flag(fields: Mapping[str, Any], *names: str) -> bool | None:
    return next((value for name in names if isinstance(value := fields.get(name), bool)), None)


def _word(fields: Mapping[str, Any], *names: str) -> str | None:
    values = (fields.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and WORD.fullmatch(value)), None)


def _plain(text: str | None) -> str:
    return (text or "").lower().replace(" ", "_").replace("-", "_")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
