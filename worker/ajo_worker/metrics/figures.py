"""What is told to Prometheus: each figure is one question to the ledger, and the metrics that its answer becomes.

No label has anything of a message in it: a campaign that no worker ever had a definition of is ``(unknown)``, since its
name came with a message. Every question costs the same on a busy ledger as on a quiet one, or is bounded to minutes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg
from prometheus_client.core import GaugeMetricFamily

from ajo_worker.metrics import questions

Row: TypeAlias = asyncpg.Record
Families: TypeAlias = list[GaugeMetricFamily]


@dataclass(frozen=True, slots=True)
class Figure:
    """A question to the ledger, and what its answer becomes; ``name`` is that of its first metric."""

    name: str
    sql: str
    families: Callable[[Sequence[Row]], Families]


def gauge(name: str, documentation: str, labels: Iterable[str], sql: str) -> Figure:
    """A figure whose rows have a column for each label, and the column ``value``."""
    names = tuple(labels)

    def families(rows: Sequence[Row]) -> Families:
        return [_family(name, documentation, names, ((*(row[label] for label in names), row["value"]) for row in rows))]

    return Figure(name, sql, families)


def of_measures(rows: Sequence[Row]) -> Families:
    """The alerts that hold, what every alert measures, and the age of the oldest trigger still sending. Pure."""
    held = [row for row in rows if row["holds"]]
    ages = [row["value"] for row in rows if row["alert"] == "sending-age"]
    labels = ("alert", "severity", "audience", "scope")
    return [
        _family("ajo_alerts", "1 for each alert that holds.", labels, ((*(r[n] for n in labels), 1) for r in held)),
        _family(
            "ajo_alert_value",
            "What an alert measures, whether it holds or not.",
            ("alert", "scope"),
            ((row["alert"], row["scope"], row["value"]) for row in rows),
        ),
        _family(
            "ajo_oldest_sending_seconds",
            "Since the first dispatch of the oldest trigger that is still sending; 0 without any.",
            (),
            [(max(ages, default=0.0),)],
        ),
    ]


def _family(name: str, documentation: str, labels: Sequence[str], rows: Iterable[Sequence[Any]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for *values, value in rows:
        family.add_metric(values, float(value))
    return family


FIGURES = (
    Figure("ajo_alerts", questions.MEASURES, of_measures),
    gauge("ajo_circuit_state", "1 for the state that a circuit is in, else 0.", ("scope", "state"), questions.CIRCUITS),
    gauge("ajo_workers", "Workers that live, died or stopped within the last hour.", ("status",), questions.WORKERS),
    gauge(
        "ajo_network_failed",
        "1 for an endpoint whose newest probe of a fresh connection failed at some step, else 0.",
        ("endpoint",),
        questions.NETWORK_FAILED,
    ),
    gauge(
        "ajo_network_seconds",
        "The newest probe of a fresh connection to each endpoint: seconds of each step that was made.",
        ("endpoint", "step"),
        questions.NETWORK,
    ),
    gauge(
        "ajo_excluded",
        "Triggers that were accepted and then excluded by Journey Optimizer, told of in the last hour.",
        ("campaign", "code", "reason"),
        questions.EXCLUDED,
    ),
    gauge(
        "ajo_stray_answers",
        "Calls of the last hour that were answered with another trigger's answer.",
        (),
        questions.STRAYS,
    ),
    gauge(
        "ajo_differing_copies",
        "Copies of the last hour with other content, never sent.",
        ("campaign",),
        questions.DIFFERING,
    ),
    gauge(
        "ajo_queue_messages",
        "Messages that wait: in the broker, and taken by workers but not opened; as seen in the last minute.",
        ("queue", "lane", "place"),
        questions.QUEUES,
    ),
    gauge("ajo_queue_look_seconds", "Since a worker last looked into a queue.", ("queue",), questions.QUEUE_LOOKS),
    gauge(
        "ajo_rate_share",
        "The part (0 to 1) of its rate limit that a lane, or a campaign, has now; 1 if nothing slows it.",
        ("lane", "campaign"),
        questions.RATE_SHARES,
    ),
    gauge(
        "ajo_slowed_seconds",
        "Seconds for which something has slowed a lane or a campaign, or kept it back.",
        ("lane", "campaign", "cause", "scope"),
        questions.SLOW_RATES,
    ),
    gauge(
        "ajo_waiting",
        "Triggers that workers have in hand, and none of whose calls is under way.",
        ("lane", "campaign"),
        questions.WAITING,
    ),
    gauge("ajo_parked", "Parked triggers.", ("campaign",), questions.PARKED),
    gauge("ajo_triggers", "Triggers received in the last 5 minutes.", ("campaign", "state"), questions.TRIGGERS),
    gauge(
        "ajo_attempt_seconds",
        "HTTP calls that ended in the last 5 minutes: quantiles of their seconds.",
        ("campaign", "quantile"),
        questions.ATTEMPTS,
    ),
    gauge(
        "ajo_phase_seconds",
        "Triggers received in the last 5 minutes that came to their end: quantiles of the seconds of each phase.",
        ("phase", "quantile"),
        questions.PHASES,
    ),
    gauge(
        "ajo_dead_letters",
        "Dead letters whose payload is held.",
        ("campaign", "state", "reason"),
        questions.DEAD_LETTERS,
    ),
)
"""In the order in which they are asked for: what matters most first, what may take long last."""
