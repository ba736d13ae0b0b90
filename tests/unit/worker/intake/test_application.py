"""What Celery is told: RabbitMQ must not wait for a silent worker longer than the ledger does."""

import pytest
from ajo_worker.intake.application import heartbeat


@pytest.mark.parametrize(("owner_timeout", "expected"), [(15.0, 7), (60.0, 30), (4.0, 2), (1.5, 1), (0.6, 1)], ids=str)
def test_rabbitmq_has_missed_two_heartbeats_of_a_silent_worker_when_the_ledger_counts_it_as_dead(
    owner_timeout: float, expected: int
) -> None:
    assert heartbeat(owner_timeout) == expected
