"""How old bytes are, by what the kernel tells of them."""

import pytest
from ajo_worker.api.adapters.arrival import TICK, known_age


@pytest.mark.parametrize(
    ("stamped", "counted", "age"),
    [
        (0.0061, 0.008, 0.0061),
        (0.0004, 0.0, 0.0004),
        (-0.0001, 0.0, 0.0),
        (3600.5, 0.5, 0.5),
        (-1.2, 0.3, 0.3),
        (None, 0.3, 0.3),
        (None, TICK, 0.0),
        (2.0, 0.0, 0.0),
    ],
    ids=[
        "a stamp is exact",
        "a young one too",
        "nothing comes in the future",
        "a clock that was set forwards: the count",
        "a clock that was set back: the count",
        "no stamp: the count",
        "no stamp, and no older than a tick: just now",
        "a clock that was set, and no older than a tick: just now",
    ],
)
def test_a_stamp_counts_unless_the_wall_clock_was_set_since(stamped: float | None, counted: float, age: float) -> None:
    assert known_age(stamped, counted) == age
