"""Events for Flower never keep the hub: each is sent once."""

from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake.application import make_app
from ajo_worker.intake.events import Dispatcher
from ajo_worker.settings import Settings


@pytest.fixture
def dispatcher() -> Any:
    """One whose connection is broken; ``tried`` has what it was asked to publish, and how."""
    tried: list[dict[str, Any]] = []

    def publish(event: Any, **how: Any) -> None:
        tried.append({"type": event["type"], **how})
        raise BrokenPipeError

    app = make_app(Settings())
    made = app.events.Dispatcher(app.connection_for_write(), enabled=False)
    made.producer, made.enabled, made.tried = SimpleNamespace(publish=publish), True, tried
    return made


def test_celery_takes_it(dispatcher: Any) -> None:
    assert isinstance(dispatcher, Dispatcher)


def test_a_heartbeat_that_cant_be_sent_is_a_broken_connection_and_is_not_tried_again(dispatcher: Any) -> None:
    with pytest.raises(BrokenPipeError):
        dispatcher.send("worker-heartbeat", retry=True)
    assert [(one["type"], one["retry"]) for one in dispatcher.tried] == [("worker-heartbeat", False)]


@pytest.mark.parametrize("kind", ["task-succeeded", "task-failed", "worker-online", "worker-offline"])
def test_any_other_event_is_dropped_then_and_nothing_grows(dispatcher: Any, kind: str) -> None:
    dispatcher.send(kind, retry=True)
    assert [one["retry"] for one in dispatcher.tried] == [False]
    assert not dispatcher._outbound_buffer
