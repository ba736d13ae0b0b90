"""Phases of all campaigns together."""

from ajo_worker.ledger.phases import Phase, Sum
from ajo_worker.reports.phases import phase_rows
from ajo_worker.reports.value import Spread

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


def test_campaigns_are_added_up() -> None:
    broker = phase_rows(PHASES, SUMS, [found("broker", 6, 1.0, late=2), found("broker", 4, 3.0, late=4)], 10)[1]
    assert (broker.late, broker.seconds, broker.spread and broker.spread.triggers) == (6, 18.0, 10)


def test_triggers_of_minutes_in_which_a_phase_took_no_time_count_as_none() -> None:
    outage = phase_rows(PHASES, SUMS, [found("outage", 10, 60.0)], 100)[2]
    assert outage.spread is not None
    assert (outage.spread.triggers, outage.spread.p50, outage.spread.p99) == (100, 0, 60)


def test_triggers_of_which_a_phase_is_unknown_do_not_count() -> None:
    producer = phase_rows(PHASES, SUMS, [found("producer", 10, 2.0)], 100)[0]
    assert producer.spread == Spread(10, 2.0, 2.0, 2.0, 2.0)


def test_a_phase_that_nobody_knows_has_no_percentiles() -> None:
    producer, broker, _ = phase_rows(PHASES, SUMS, [], 5)
    assert producer.spread is None
    assert broker.spread == Spread(5, 0, 0, 0, 0)
