"""Workers that live."""

from ajo_worker.doctor.workers import judge_workers


def test_no_worker_is_a_warning() -> None:
    assert judge_workers([]).status == "warning"


def test_workers_are_counted_and_named() -> None:
    found = judge_workers(["node-1:7", "node-2:8"])
    assert (found.status, found.found) == ("ok", "2 workers alive: node-1:7, node-2:8")
