"""What remote control and Flower are shown of a message."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from ajo_producers.contract.task_message import headers, summary
from ajo_worker.intake.application import make_app
from ajo_worker.intake.task import Task, shown
from ajo_worker.settings import Settings
from celery.worker import control, state
from celery.worker.consumer.consumer import Consumer
from celery.worker.consumer.events import Events

ID = UUID("01a2137e-7d7f-7d7f-8d7f-7d7f7d7f7d7f")

OURS = [summary(["order-shipped"], [ID]), summary(["a"] * 3, [ID] * 3), summary(["a", "b"], [ID] * 2)]
FOREIGN = [
    *(None, 5, {}, "", "x" * 200, "a b c ×5"),
    *(
        "ada@example.com",
        "order-shipped ada@example.com",
        "order-shipped ×5 ada",
        '([{"user_id": "ada@example.com"}],)',
    ),
]


@pytest.mark.parametrize("ours", OURS)
def test_a_publishers_own_summary_is_shown(ours: str) -> None:
    assert shown(ours) == ours


@pytest.mark.parametrize("foreign", FOREIGN)
def test_whatever_else_a_producer_writes_there_is_not(foreign: object) -> None:
    assert shown(foreign) == "…"


class Border:
    """Stands for the acknowledgements, and for the events' dispatcher; keeps what it is told."""

    hostname, pid = "a@host", 7

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[str] = []

    def tell(self, kind: str, task: str, **fields: Any) -> None:
        self.told.append((kind, {"uuid": task, **fields}))

    def acknowledge(self, _: Any) -> None:
        self.answers.append("acknowledged")

    def give_back(self, _: Any) -> None:
        self.answers.append("given back")


def task_of(border: Border, **given: Any) -> Task:
    written = given or headers(ID, origin="1@shop", summary=OURS[0])
    info = {"routing_key": "ada@example.com", "x": "ada@x", "queue": "ajo.standard"}
    message = SimpleNamespace(headers=written, body=b"ada@example.com", delivery_info=info)
    task = Task(message, border, border)  # type: ignore[arg-type] # it stands for both
    task.begins()
    return task


@pytest.fixture
def border() -> Border:
    state.reset_state()
    return Border()


def test_a_publishers_own_id_and_summary_are_shown(border: Border) -> None:
    task_of(border)
    assert [kind for kind, _ in border.told] == ["task-received", "task-started"]
    assert {fields["uuid"] for _, fields in border.told} == {str(ID)}
    assert (border.told[0][1]["root_id"], border.told[0][1]["args"]) == (str(ID), OURS[0])


def test_of_what_another_producer_writes_into_headers_and_of_the_body_nothing_is_shown(border: Border) -> None:
    written = headers(ID, origin="1@shop", summary=OURS[0])
    task = task_of(border, **dict.fromkeys([*written, "shadow", "stamps", "x"], "ada@example.com"))
    assert "ada" not in f"{border.told}{task.info()}"
    assert UUID(task.id)
    assert task.root_id is None


def test_what_is_open_is_found_by_remote_control_and_what_has_ended_is_not(border: Border) -> None:
    panel = SimpleNamespace(tset=set)
    first, second = task_of(border), task_of(border, id="0" * 8 + str(ID)[8:])
    assert {one["id"] for one in control.active(panel)} == {first.id, second.id}
    assert control.query_task(panel, [first.id])[first.id][0] == "active"
    first.acknowledge("1 trigger: 1 accepted", failed=False)
    assert [one["id"] for one in control.active(panel)] == [second.id]
    second.lost()
    assert (control.active(panel), state.requests) == ([], {})


@pytest.mark.parametrize("failed", [False, True])
def test_what_a_message_came_to_is_told_in_plain_words_and_it_is_acknowledged_once(
    border: Border, *, failed: bool
) -> None:
    task = task_of(border)
    task.show_retry(1, "unavailable")
    task.acknowledge("100 triggers: 3 accepted, 97 rejected (Adobe: bad-request)", failed=failed)
    [retried, (kind, fields)] = border.told[2:]
    assert retried == ("task-retried", {"uuid": str(ID), "retries": 1, "exception": "unavailable"})
    assert kind == ("task-failed" if failed else "task-succeeded")
    assert fields["result"] == "100 triggers: 3 accepted, 97 rejected (Adobe: bad-request)"
    assert fields["exception"] == (fields["result"] if failed else None)
    assert "traceback" not in fields
    assert border.answers == ["acknowledged"]


def test_a_new_connection_for_events_is_given_to_what_is_open(border: Border) -> None:
    task, app = task_of(border), make_app(Settings())
    Consumer.on_close(SimpleNamespace(controller=None, task_buckets={}, pool=None))  # the connection broke
    celery = SimpleNamespace(
        app=app, hostname="a@host", amqheartbeat=0, hub=None, connection_errors=(), channel_errors=(),
        connection_for_write=lambda **_: app.connection_for_write(),
    )  # fmt: skip
    step = Events(celery)
    celery.event_dispatcher = app.events.Dispatcher(app.connection_for_write(), enabled=False)
    step.start(celery)
    assert task.eventer is celery.event_dispatcher


def test_a_revoked_one_is_neither_answered_nor_forgotten(border: Border) -> None:
    task = task_of(border)
    task.terminate(None, signal=15)
    assert border.answers == []
    assert task in state.active_requests
