"""Events for Flower never keep the hub: each is sent once."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake.application import make_app
from ajo_worker.intake.events import MOST_TOGETHER, EventSender
from ajo_worker.settings import Settings
from amqp.exceptions import AccessRefused
from celery.events import EventReceiver


@pytest.fixture
def dispatcher() -> Any:
    """One whose connection is broken; ``tried`` has what it was asked to publish, and how."""
    tried: list[dict[str, Any]] = []

    def publish(event: Any, **how: Any) -> None:
        tried.append({"type": event["type"], **how})
        raise made.fault

    app = make_app(Settings())
    made = app.events.Dispatcher(app.connection_for_write(), enabled=False)
    made.producer, made.enabled, made.tried = SimpleNamespace(publish=publish), True, tried
    made.fault = BrokenPipeError()
    return made


def test_celery_takes_it(dispatcher: Any) -> None:
    assert isinstance(dispatcher, EventSender)


@pytest.mark.parametrize("fault", [BrokenPipeError(), AccessRefused("refused"), KeyError("anything")])
def test_a_heartbeat_that_cant_be_sent_is_a_broken_connection_and_is_not_tried_again(
    dispatcher: Any, fault: Exception
) -> None:
    dispatcher.fault = fault
    with pytest.raises(dispatcher.connection.connection_errors):
        dispatcher.send("worker-heartbeat", retry=True)
    assert [(one["type"], one["retry"]) for one in dispatcher.tried] == [("worker-heartbeat", False)]


@pytest.mark.parametrize("kind", ["task-succeeded", "task-failed", "worker-online", "worker-offline"])
def test_any_other_event_is_dropped_then_and_nothing_grows(dispatcher: Any, kind: str) -> None:
    dispatcher.send(kind, retry=True)
    assert [one["retry"] for one in dispatcher.tried] == [False]
    assert not dispatcher._outbound_buffer


@pytest.fixture
def sent(dispatcher: Any) -> list[Any]:
    """What is sent over a connection that stands; ``dispatcher`` gathers for it."""
    bodies: list[Any] = []
    dispatcher.producer = SimpleNamespace(publish=lambda body, **how: bodies.append((body, how)))
    dispatcher.on_send_buffered = lambda: None
    return bodies


def test_events_of_tasks_go_out_together_as_celerys_receivers_read_them(dispatcher: Any, sent: list[Any]) -> None:
    for kind in ("task-received", "task-started", "task-succeeded"):
        dispatcher.tell(kind, "an-id", result=kind)
    assert sent == []
    dispatcher.flush()
    [(body, how)] = sent
    seen: list[Any] = []
    receiver = EventReceiver(dispatcher.connection, handlers={"*": seen.append}, app=dispatcher.app)
    receiver._receive(json.loads(body), None)
    assert [(one["type"], one["uuid"], one["result"]) for one in seen] == [
        (kind, "an-id", kind) for kind in ("task-received", "task-started", "task-succeeded")
    ]
    assert {"timestamp", "hostname", "pid", "utcoffset", "clock", "local_received"} <= seen[0].keys()
    assert (how["routing_key"], how["content_type"]) == ("task.multi", "application/json")


def test_many_events_do_not_wait(dispatcher: Any, sent: list[Any]) -> None:
    for _ in range(MOST_TOGETHER + 1):
        dispatcher.tell("task-started", "an-id")
    assert [len(json.loads(body)) for body, _ in sent] == [MOST_TOGETHER]


def test_events_of_tasks_that_nobody_wants_are_not_gathered(dispatcher: Any, sent: list[Any]) -> None:
    dispatcher.groups = {"worker"}
    dispatcher.tell("task-started", "an-id")
    dispatcher.flush()
    assert sent == []


def test_over_a_broken_connection_events_of_tasks_are_dropped_and_nothing_grows(dispatcher: Any) -> None:
    dispatcher.producer = SimpleNamespace(publish=_breaks)
    dispatcher.tell("task-started", "an-id")
    dispatcher.flush()
    dispatcher.flush()
    assert not dispatcher._told


@pytest.fixture
def broker(dispatcher: Any) -> Any:
    """RabbitMQ as py-amqp tells of it, over whose connection another ``dispatcher`` sends."""
    connection = dispatcher.app.connection_for_write()
    connection._connection = SimpleNamespace(on_blocked=None, on_unblocked=None)
    dispatcher.__init__(connection, enabled=False, app=dispatcher.app)
    dispatcher.enabled = True
    return connection._connection


def test_while_the_broker_blocks_publishers_nothing_is_sent_and_nothing_grows_and_then_it_goes_on(
    dispatcher: Any, broker: Any
) -> None:
    sent, answered = list[str](), list[str]()
    dispatcher.producer = SimpleNamespace(publish=lambda _, routing_key, **__: sent.append(routing_key))
    dispatcher._answers = SimpleNamespace(publish=lambda _, routing_key, **__: answered.append(routing_key))

    def tell_all() -> None:
        dispatcher.send("worker-heartbeat")
        dispatcher.tell("task-started", "an-id")
        dispatcher.flush()
        dispatcher.answer({"ok": "pong"}, "reply.celery.pidbox", "whoever", "a-ticket")

    broker.on_blocked("low on memory")
    tell_all()
    assert (sent, answered, dispatcher._told) == ([], [], [])
    broker.on_unblocked()
    tell_all()
    assert (sent, answered) == (["worker.heartbeat", "task.multi"], ["whoever"])


def test_an_answer_that_cant_be_sent_is_dropped(dispatcher: Any) -> None:
    dispatcher._answers = SimpleNamespace(publish=_breaks)
    dispatcher.answer({"ok": "pong"}, "reply.celery.pidbox", "whoever", "a-ticket")
    assert dispatcher._answers is None


def _breaks(*_: Any, **__: Any) -> None:
    raise BrokenPipeError
