"""What Celery is told: RabbitMQ must not wait for a silent worker longer than the ledger does."""

import pytest
from ajo_worker.intake.application import heartbeat, make_app
from ajo_worker.intake.remote_control import AnsweringNode
from ajo_worker.settings import Settings


@pytest.mark.parametrize(("owner_timeout", "expected"), [(15.0, 7), (60.0, 30), (4.0, 2), (1.5, 1), (0.6, 1)], ids=str)
def test_rabbitmq_has_missed_two_heartbeats_of_a_silent_worker_when_the_ledger_counts_it_as_dead(
    owner_timeout: float, expected: int
) -> None:
    assert heartbeat(owner_timeout) == expected


def test_no_connection_of_a_worker_waits_for_confirms() -> None:
    assert "confirm_publish" not in make_app(Settings()).conf.broker_transport_options


def test_remote_control_answers_over_the_events_connection() -> None:
    assert isinstance(make_app(Settings()).control.mailbox.Node("worker@host"), AnsweringNode)
