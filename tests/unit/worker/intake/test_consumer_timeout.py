"""When messages go back to RabbitMQ, so that it closes no channel over them."""

from math import inf

import pytest
from ajo_worker.intake.consumer_timeout import look_every, overdue, timeout_used


@pytest.mark.parametrize(
    ("timeout", "every", "before"), [(1800, 1.0, 1000 - 1530), (20, 1.0, 983), (3, 0.15, 997.45), (0, 1.0, -inf)]
)
def test_a_message_goes_back_well_before_the_time_out(timeout: float, every: float, before: float) -> None:
    assert (look_every(timeout), overdue(timeout, now=1000)) == (every, pytest.approx(before))


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (
            "PreconditionFailed: (0, 0): (406) PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. "
            "Timeout value used: 20000 ms. This timeout value can be configured, see consumers doc guide to learn more",
            20.0,
        ),
        ("PreconditionFailed: (0, 0): (406) PRECONDITION_FAILED - unknown delivery tag 7", None),
    ],
)
def test_the_time_out_is_learned_from_what_rabbitmq_says(told: str, seconds: float | None) -> None:
    assert timeout_used(told) == seconds
