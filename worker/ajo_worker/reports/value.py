"""What a report says, before it takes any form. Times are instants; durations are seconds; None is unknown."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from ajo_worker.days import read_zone
from ajo_worker.views.spread import KnownSpread

ON_TIME, NOT_YET_KNOWN, CLOCKS = "none", "not-yet-known", "clocks"
"""Answers to "whose fault" that name no guilty system: clocks that disagree delay nothing."""


class Counts(Struct, frozen=True):
    """How many triggers, and what became of them. ``late`` are those with a guilty system.

    Whether they departed, were delivered or failed, feedback tells: None where there was none of any trigger.
    """

    triggers: int = 0
    late: int = 0
    not_yet_known: int = 0
    sending: int = 0
    parked: int = 0
    accepted: int = 0
    rejected: int = 0
    expired: int = 0
    unconfirmed: int = 0
    possible_duplicates: int = 0
    attempts: int = 0
    departed: int | None = 0
    delivered: int | None = 0
    failed: int | None = 0
    clock_skew: int = 0


class TriggerSpread(KnownSpread, frozen=True):
    """How values are spread over the ``triggers`` of which they are known."""

    triggers: int


class LateSpan(Struct, frozen=True):
    """Minutes, with hardly a gap, in which triggers were received that became late; ``until`` is not in it."""

    since: datetime
    until: datetime
    triggers: int
    late: int


class CampaignRow(Struct, frozen=True):
    """One campaign on one lane; ``budget_used`` are the seconds from the first dispatch to the end of the round."""

    campaign: str
    lane: str
    counts: Counts
    end_to_end: TriggerSpread | None
    budget_used: TriggerSpread | None


class Moment(Struct, frozen=True):
    """The triggers received in one step of time, which begins ``at``."""

    at: datetime
    counts: Counts
    end_to_end: TriggerSpread | None


class SystemRow(Struct, frozen=True):
    """What one system is charged with. A trigger with two guilty systems counts for both."""

    system: str
    triggers: int
    seconds: float


class SystemMoment(Struct, frozen=True):
    """The same of the triggers received in one step of time, which begins ``at``."""

    at: datetime
    system: str
    triggers: int
    seconds: float


class PhaseRow(Struct, frozen=True):
    """How long one phase took; no ``system`` is charged with sums of phases."""

    phase: str
    system: str | None
    means: str
    late: int
    seconds: float
    spread: TriggerSpread | None


class OutageRow(Struct, frozen=True):
    """A destination or a campaign that was kept back; ``ended_at`` is None while it lasts."""

    outage_id: int
    scope: str
    reason: str
    state: str
    opened_at: datetime
    ended_at: datetime | None
    duration_seconds: float
    probes: int


class TimelineRow(Struct, frozen=True):
    """Something that happened to a trigger, ``by_clock`` of that machine."""

    at: datetime
    elapsed_seconds: float
    event: str
    detail: str
    by_clock: str


class WorstRow(Struct, frozen=True):
    """One of the slowest triggers: ``seconds`` so far, what held it, and all that happened to it."""

    request_id: UUID
    campaign: str
    lane: str
    producer: str
    state: str
    reason: str | None
    attempts: int
    received_at: datetime
    seconds: float
    system: str
    phase: str | None
    delay_seconds: float | None
    budget_seconds: float | None
    budget_used_seconds: float | None
    phases: dict[str, float | None]
    timeline: list[TimelineRow]


class DuplicateRow(Struct, frozen=True):
    """Triggers that may be duplicates for the same causes; of ``accepted_twice`` it is certain."""

    causes: list[str]
    triggers: int
    accepted_twice: int


class Report(Struct, frozen=True):
    """Triggers received from ``since`` to before ``until``, as far as they were rolled up (``computed_until``).

    Those of ``failed_minutes`` couldn't be, and are missing. ``time_zone`` is what its times are shown in, ``day`` the
    day of that zone that it is of; None if it is of another while.
    """

    made_at: datetime
    version: str
    since: datetime
    until: datetime
    computed_until: datetime | None
    failed_minutes: int
    step_seconds: int
    campaign: str | None
    counts: Counts
    late_spans: list[LateSpan]
    campaigns: list[CampaignRow]
    times: list[Moment]
    systems: list[SystemRow]
    system_times: list[SystemMoment]
    phases: list[PhaseRow]
    outages: list[OutageRow]
    worst: list[WorstRow]
    duplicates: list[DuplicateRow]
    time_zone: str = "UTC"
    day: date | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return read_zone(self.time_zone)
