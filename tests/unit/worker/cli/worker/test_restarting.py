"""What a parent decides when a worker has ended, and what its workers are called."""

import signal

import pytest
from ajo_worker.cli.worker.restarting import MOST_TRIES, SETTLED_SECONDS, Again, GiveUp, Stay, after, numbered
from hypothesis import given
from hypothesis import strategies as st

KILLED = -signal.SIGKILL


@pytest.mark.parametrize(
    ("code", "lived", "in_a_row", "others_settled", "expected"),
    [
        (0, 1.0, 1, False, Stay()),
        (2, 1.0, 1, True, GiveUp(2)),
        (1, 1.0, 1, False, Again(0.5)),
        (KILLED, 1.0, 2, False, Again(1.0)),
        (1, 1.0, MOST_TRIES - 1, False, Again(4.0)),
        (1, 1.0, MOST_TRIES, False, GiveUp(1)),
        (1, 1.0, MOST_TRIES, True, Again(8.0)),
        (1, 1.0, 50, True, Again(60.0)),
        (KILLED, SETTLED_SECONDS, 50, False, Again(0.5)),
    ],
)
def test_what_ended_by_a_fault_begins_again_until_nobody_can_start(
    code: int, lived: float, in_a_row: int, others_settled: bool, expected: object
) -> None:
    assert after(code, lived=lived, in_a_row=in_a_row, others_settled=others_settled) == expected


@given(code=st.sampled_from([1, 70, KILLED]), in_a_row=st.integers(1, 10_000), lived=st.floats(0, 1e6))
def test_while_another_worker_runs_none_is_ever_given_up_and_pauses_stay_within_a_minute(
    code: int, in_a_row: int, lived: float
) -> None:
    what = after(code, lived=lived, in_a_row=in_a_row, others_settled=True)
    assert isinstance(what, Again)
    assert 0 < what.pause <= 60


def test_the_workers_of_a_parent_have_names_of_their_own() -> None:
    assert [numbered("shop@%h", number) for number in (1, 2)] == ["shop-1@%h", "shop-2@%h"]
    assert numbered("shop", 3) == "shop-3"
