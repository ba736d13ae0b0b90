"""A report of a bad day, as it may be read from a ledger; all invented."""

from datetime import UTC, datetime, timedelta
from math import sin
from uuid import UUID

from ajo_worker.reports.lateness import Minute, late_spans
from ajo_worker.reports.value import (
    CampaignRow,
    Counts,
    DuplicateRow,
    Moment,
    OutageRow,
    PhaseRow,
    Report,
    SystemMoment,
    SystemRow,
    TimelineRow,
    TriggerSpread,
    WorstRow,
)

SINCE = datetime(2026, 11, 24, 15, 12, tzinfo=UTC)
UNTIL = datetime(2026, 11, 25, 15, 12, tzinfo=UTC)
STEP = timedelta(minutes=10)
OUTAGE = datetime(2026, 11, 25, 9, 20, tzinfo=UTC)
PHASES = (
    ("producer", "producer"), ("skew", "clocks"), ("broker", "broker"), ("absent", "worker"), ("full", "worker"),
    ("outage", "adobe-api"), ("held", "worker"), ("redrive", "worker"), ("slot", "worker"), ("rate-limit", "worker"),
    ("token", "adobe-api"), ("ledger", "worker"), ("other", "worker"), ("back-off", "adobe-api"),
    ("headers", "adobe-api"), ("body", "adobe-api"), ("handover", "worker"), ("ending", "worker"),
    ("departure", "adobe-departure"), ("delivery", "downstream"), ("residual", None), ("total", None),
    ("end-to-end", None),
)  # fmt: skip
CAUGHT = {"adobe-api": (108, 114, 52.0), "broker": (30, 36, 9.0), "downstream": (60, 66, 900.0),
          "worker": (90, 93, 4.0), "producer": (130, 134, 30.0), "adobe-departure": (20, 24, 200.0),
          "clocks": (75, 77, 3.0)}  # fmt: skip
"""Systems that were late: in which steps, and by how many seconds a trigger."""


def example(*, campaign: str = "order-shipped") -> Report:
    """The report."""
    times, charged = [], []
    for number in range(145):
        at = datetime(2026, 11, 24, 15, 10, tzinfo=UTC) + number * STEP
        triggers = int(400 + 300 * sin(number / 23))
        systems = {
            system: (int(triggers * 0.4), seconds)
            for system, (first, last, seconds) in CAUGHT.items()
            if first <= number < last
        }
        late = max((many for system, (many, _) in systems.items() if system != "clocks"), default=0)
        charged += [SystemMoment(at, system, many, many * seconds) for system, (many, seconds) in systems.items()]
        unknown = triggers // 3 if number > 140 else 0
        slow = max((seconds for _, seconds in systems.values()), default=0)
        counts = Counts(
            triggers, late, unknown, accepted=triggers - late // 20, expired=late // 20, attempts=triggers + late,
            possible_duplicates=late // 149, departed=triggers - late // 20 - unknown,
            clock_skew=int("clocks" in systems), delivered=triggers - late // 20 - unknown - 1, failed=1,
        )  # fmt: skip
        times.append(
            Moment(at, counts, TriggerSpread(1.2 + slow / 9, 4.0 + slow, 7.5 + slow, 12.0 + slow * 1.4, triggers))
        )
    every = Counts(*(sum(getattr(m.counts, name) for m in times) for name in Counts.__struct_fields__))
    systems = {system for row in charged for system in [row.system]}
    totals = [
        SystemRow(
            system,
            sum(row.triggers for row in charged if row.system == system),
            sum(row.seconds for row in charged if row.system == system),
        )
        for system in sorted(systems)
    ]
    minutes = [Minute(m.at, m.counts.triggers // 10, m.counts.late // 10) for m in times]
    spread = TriggerSpread(0.04, 0.9, 2.25, 61.5, every.triggers)
    return Report(
        made_at=UNTIL,
        version="0.1.0",
        since=SINCE,
        until=UNTIL,
        computed_until=UNTIL - timedelta(minutes=1),
        failed_minutes=0,
        step_seconds=600,
        campaign=None,
        counts=every,
        late_spans=late_spans(
            Minute(m.at + timedelta(minutes=n), m.triggers, m.late) for m in minutes for n in range(10)
        ),
        campaigns=[
            CampaignRow(campaign, "standard", every, TriggerSpread(1.6, 60.0, 910.0, 1272.0, every.triggers), spread),
            CampaignRow("password-reset", "high-throughput", Counts(12, accepted=12), None, None),
        ],
        times=times,
        systems=[*totals, SystemRow("none", every.triggers - every.late - every.not_yet_known, 0.0),
                 SystemRow("not-yet-known", every.not_yet_known, 0.0)],
        system_times=charged,
        phases=[
            PhaseRow(phase, system, f"What {phase} is.", 12 if phase in {"headers", "broker"} else 0,
                     every.triggers * (number % 7) / 3, None if phase == "held" else spread)
            for number, (phase, system) in enumerate(PHASES)
        ],
        outages=[
            OutageRow(7, "destination:standard@platform.adobe.io", "sustained-failures", "over", OUTAGE,
                      OUTAGE + timedelta(minutes=41), 2460.0, 9),
            OutageRow(8, f"campaign:{campaign}", "campaign-failing", "open", UNTIL - timedelta(minutes=35), None,
                      2100.0, 2),
        ],
        worst=[slow_trigger(number, campaign) for number in range(10)],
        duplicates=[DuplicateRow(["ambiguous-answer"], 31, 2),
                    DuplicateRow(["ambiguous-answer", "worker-crash"], 1, 0)],
    )  # fmt: skip


def slow_trigger(number: int, campaign: str) -> WorstRow:
    """One of the slowest."""
    began = OUTAGE + timedelta(seconds=number)

    def event(seconds: float, what: str, detail: str, clock: str) -> TimelineRow:
        return TimelineRow(began + timedelta(seconds=seconds), seconds, what, detail, clock)

    return WorstRow(
        request_id=UUID(f"01a21381-d0d2-74eb-87ff-db593e3a3c{number:02x}"),
        campaign=campaign,
        lane="standard",
        producer="shop",
        state="accepted" if number else "expired",
        reason=None if number else "budget-spent",
        attempts=3,
        received_at=began,
        seconds=1272.0 - number * 9,
        system="adobe-api",
        phase="outage",
        delay_seconds=1191.4 - number,
        budget_seconds=60.0,
        budget_used_seconds=58.2,
        phases={phase: 1191.4 if phase == "outage" else 0.01 for phase, system in PHASES if system},
        timeline=[
            event(0, "occurred", "", "the event's source"),
            event(1, "enqueued", "by shop", "producer"),
            event(1.5, "received", "by a worker, standard lane", "ledger"),
            event(2, "dispatched", "slot 0.100 s, token 0.200 s, ledger 0.010 s", "ledger"),
            event(3, "retryable", "503, CJMRT-110100-500, Busy, Retry-After 2 s", "ledger"),
            event(1190, "round opened", "round 2", "ledger"),
            event(1192, "accepted", "UMA-1234", "ledger"),
            event(1271, "sent", "email, matched by execution-id", "Adobe"),
        ],
    )
