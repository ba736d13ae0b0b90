"""What processes used between two moments, from looks before, between and after them."""

import pytest

from benchmarks.bench.usage import Look, Process, Usage, at, tree_of


def look(moment: float, worker: float, machine: float, ours: float = 0) -> Look:
    return Look(moment, {"worker": worker, "broker": 0.0}, machine, ours)


LOOKS = [look(10, 1, 100), look(11, 2, 102, 0.1), look(13, 6, 108, 0.3)]


@pytest.mark.parametrize(("moment", "worker"), [(9, 1), (10, 1), (10.5, 1.5), (11, 2), (12, 4), (13, 6), (20, 6)])
def test_between_two_looks_usage_is_taken_to_be_steady(moment: float, worker: float) -> None:
    assert at(LOOKS, moment).groups["worker"] == pytest.approx(worker)


def test_others_have_what_the_machine_did_beside_all_groups_and_the_bench_itself() -> None:
    usage = Usage({"worker": [], "broker": []}, looks=LOOKS)
    assert usage.between(10, 13) == pytest.approx({"worker": 5, "broker": 0, "others": 8 - 5 - 0.3})


def test_a_tree_has_the_roots_that_run_and_all_their_descendants() -> None:
    parents = {1: 0, 5: 1, 6: 5, 7: 6, 8: 1, 9: 8}
    among = {pid: Process(parent, 0, 0.0) for pid, parent in parents.items()}
    assert tree_of([5, 99], among) == {5, 6, 7}
