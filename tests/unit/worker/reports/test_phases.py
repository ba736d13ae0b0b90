"""Phases of all campaigns together."""

from ajo_worker.reports.phases import phase_rows
from ajo_worker.reports.value import TriggerSpread
from ajo_worker.views.phases import Phase, Sum

PHASES = [
    Phase(name, name, f"What {name} is.", after_end=False, always_known=name != "producer")
    for name in ("producer", "broker", "outage")
]
SUMS = [Sum(name, f"What {name} is.") for name in ("total", "budget")]


def found(phase: str, triggers: int, seconds: float, late: int = 0) -> dict[str, object]:
    """The percentiles of triggers that all took as long."""
    return {"phase": phase, "triggers": triggers, "late": late, "seconds": triggers * seconds,
            "p50": seconds, "p95": seconds, "p99": seconds, "longest": seconds}  # fmt: skip


def test_phases_come_in_their_order_then_the_sums_that_were_rolled_up() -> None:
    rows = phase_rows(PHASES, SUMS, [found("total", 10, 3.0), found("broker", 10, 1.0), found("budget", 2, 0.1)], 10)
    assert [(row.phase, row.system) for row in rows] == [
        ("producer", "producer"), ("broker", "broker"), ("outage", "outage"), ("total", None), ("budget", None),
    ]  # fmt: skip


def test_a_phase_has_its_own_figures() -> None:
    broker = phase_rows(PHASES, SUMS, [found("broker", 6, 1.0, late=2)], 10)[1]
    assert (broker.late, broker.seconds, broker.spread) == (2, 6.0, TriggerSpread(1.0, 1.0, 1.0, 1.0, 6))


def test_a_phase_that_nobody_knows_has_no_percentiles() -> None:
    producer, broker, _ = phase_rows(PHASES, SUMS, [], 5)
    assert producer.spread is None
    assert broker.spread == TriggerSpread(0, 0, 0, 0, 5)
