"""Runs are summed up to a table and a verdict, and take their place on a page."""

import pytest

from benchmarks.bench.page import NoMarkers, replaced
from benchmarks.bench.report import ratios, summed_up, table, verdict
from benchmarks.bench.run import Run


def run_of(name: str, round_: int, rate: float, wrong: str = "", broker: str = "") -> Run:
    cpu = {"worker": rate / 1000, "postgres": 0.1, "broker": 0.05, "endpoint": 9.0}
    return Run(
        name, "0 ms", round_, 1000, rate, rate, 1, cpu, memory=rate, wal=700, others=0.1, broker=broker, wrong=wrong
    )


RUNS = [
    *(run_of("ours, Valkey, single", number, rate) for number, rate in enumerate((9000, 1000, 3000, 2000))),
    *(run_of("pg-boss", number, rate) for number, rate in enumerate((1, 5000, 6000, 4000))),
]


def test_a_row_has_the_median_and_the_range_of_the_rounds_without_the_warm_up() -> None:
    fastest, other = summed_up(RUNS)
    assert (fastest.name, fastest.rate, fastest.slowest, fastest.fastest, fastest.runs) == (
        "pg-boss",
        5000,
        4000,
        6000,
        3,
    )
    assert (other.rate, other.cpu["worker"], other.memory) == (2000, 2.0, 3000)


def test_what_counts_together_is_worker_database_and_broker_but_not_the_endpoint() -> None:
    assert summed_up(RUNS)[1].together == pytest.approx(2.15)


def test_the_table_has_a_line_a_contender_and_says_who_failed() -> None:
    lines = table(summed_up([*RUNS, Run("taskiq", "0 ms", 0, 10, 0, 0, 0, wrong="it ended")])).splitlines()
    assert lines[2].startswith("| pg-boss | 5,000 (4,000–6,000) | 5.00 | 0.10 | 0.05 | 5.15 | 6,000 | 700 | 0.10 |")
    assert lines[3].startswith("| **ours, Valkey, single** | 2,000 ")
    assert lines[4].startswith("| taskiq | failed |")


def test_ratios_are_to_the_best_peer_the_best_on_rabbitmq_and_the_bare_loop() -> None:
    rows = summed_up([
        run_of("ours, Valkey, single", 1, 3000, broker="valkey"),
        run_of("pg-boss", 1, 2000, broker="postgres"),
        run_of("taskiq", 1, 500, broker="rabbitmq"),
        run_of("bare loop of our HTTP client", 1, 6000, broker="none"),
    ])  # fmt: skip
    lines = ratios(rows).splitlines()
    assert "best peer (pg-boss)" in lines[0]
    assert "best on RabbitMQ (taskiq)" in lines[0]
    assert lines[2:] == [f"| ours, Valkey, single | 1.50 | 6.00 | 0.50 | {3.15 / 0.65:.2f} |"]
    assert ratios(rows[:1]) == ""


def test_the_verdict_counts_triggers_or_names_the_run_that_went_wrong() -> None:
    assert verdict(RUNS).startswith("In all 8 runs (8,000 triggers) every id was called once")
    bad = verdict([*RUNS, run_of("taskiq", 2, 5, wrong="3 never called\nand more")])
    assert bad == "1 of 9 runs went wrong: taskiq in round 2: 3 never called."


def test_a_part_of_a_page_is_replaced_between_its_markers_and_nothing_else() -> None:
    page = "a\n<!-- make bench, x: begin -->\nold\n<!-- make bench, x: end -->\nb\n"
    once = replaced(page, "x", r"new \1")
    assert once == "a\n<!-- make bench, x: begin -->\n\nnew \\1\n\n<!-- make bench, x: end -->\nb\n"
    assert replaced(once, "x", r"new \1") == once
    with pytest.raises(NoMarkers, match="make bench, y: begin"):
        replaced(page, "y", "")
