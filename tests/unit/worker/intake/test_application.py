"""What Celery is told: RabbitMQ must not wait for a silent worker longer than the ledger does."""

from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake.application import heartbeat, make_app, queues
from ajo_worker.intake.consumer import QuarantiningConsumer
from ajo_worker.intake.receipt import queue_of
from ajo_worker.intake.remote_control import AnsweringNode
from ajo_worker.settings import Settings
from celery.worker.consumer import Consumer


@pytest.mark.parametrize(("owner_timeout", "expected"), [(15.0, 7), (60.0, 30), (4.0, 2), (1.5, 1), (0.6, 1)], ids=str)
def test_rabbitmq_has_missed_two_heartbeats_of_a_silent_worker_when_the_ledger_counts_it_as_dead(
    owner_timeout: float, expected: int
) -> None:
    assert heartbeat(owner_timeout) == expected


def test_no_connection_of_a_worker_waits_for_confirms() -> None:
    assert "confirm_publish" not in make_app(Settings()).conf.broker_transport_options


@pytest.mark.parametrize("queue", ["control", "event"])
def test_celerys_own_queues_lock_nobody_out_whose_connection_is_half_open(queue: str) -> None:
    conf = make_app(Settings()).conf
    assert (conf[f"{queue}_queue_exclusive"], conf[f"{queue}_queue_durable"]) == (False, True)


def test_the_queues_of_celerys_delays_which_nothing_here_has_are_not_made() -> None:
    def steps(consumer: type[Any]) -> set[str]:
        return {step.rpartition(":")[2] for step in consumer.Blueprint.default_steps}

    assert steps(Consumer) - steps(QuarantiningConsumer) == {"DelayedDelivery"}


def test_remote_control_answers_over_the_events_connection() -> None:
    assert isinstance(make_app(Settings()).control.mailbox.Node("worker@host"), AnsweringNode)


@pytest.mark.parametrize("routing_key", ["a\0b", "x\udcff", "orders.eu", "ajo.bulk", None])
def test_a_message_is_of_the_queue_that_it_was_consumed_from_whatever_routing_key_its_sender_chose(
    routing_key: str | None,
) -> None:
    consuming, came = dict[str, Any](), list[Any]()
    channel = SimpleNamespace(basic_consume=lambda **options: consuming.update(options), connection=None)
    queue = queues(Settings())[0]
    queue._channel, queue._is_bound = channel, True
    queue.consume("a-tag", came.append, no_ack=False)
    consuming["callback"](SimpleNamespace(delivery_info={"routing_key": routing_key}))
    assert [queue_of(message) for message in came] == [consuming["queue"]] == [queue.name]


def test_a_connection_to_redis_or_valkey_that_is_half_open_is_given_up_before_its_worker_counts_as_dead() -> None:
    settings = Settings(broker_url="redis://127.0.0.1/0")
    options = make_app(settings).conf.broker_transport_options
    assert 0 < options["socket_timeout"] < settings.owner_timeout
