"""What remote control and Flower are shown of a message."""

from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

import pytest
from ajo_producers.contract.task_message import headers, summary
from ajo_worker.intake.request import TriggerRequest, passed_on, shown

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


def test_a_publishers_own_id_and_summary_are_passed_on() -> None:
    told = passed_on(headers(ID, origin="1@shop", summary=OURS[0]))
    assert (told["id"], told["root_id"], told["argsrepr"]) == (str(ID), str(ID), OURS[0])


def test_of_what_another_producer_writes_into_headers_nothing_is_passed_on() -> None:
    written = headers(ID, origin="1@shop", summary=OURS[0])
    told = passed_on(dict.fromkeys([*written, "shadow", "stamps", "replaced_task_nesting", "x"], "ada@example.com"))
    assert "ada" not in str(told)
    assert UUID(told["id"])
    assert told["root_id"] is None


def request_of(ack: Callable[[], None], told: list[tuple[str, dict[str, object]]]) -> TriggerRequest:
    """A request whose events are ``told``."""
    request: TriggerRequest = TriggerRequest.__new__(TriggerRequest)
    request._eventer = SimpleNamespace(enabled=True, send=lambda kind, **fields: told.append((kind, fields)))
    request.id, request.acknowledged = str(ID), False
    request._message = SimpleNamespace(ack=ack)
    request._task = SimpleNamespace(send_events=True)
    return request


def test_a_connection_that_is_broken_is_no_fault_of_what_is_acknowledged_over_it() -> None:
    told: list[tuple[str, dict[str, object]]] = []

    def broken() -> None:
        raise BrokenPipeError

    request_of(broken, told).ended("1 trigger: 1 accepted", 0.25, failed=False)
    assert [kind for kind, _ in told] == ["task-succeeded"]


@pytest.mark.parametrize("failed", [False, True])
def test_what_a_message_came_to_is_told_in_plain_words_and_it_is_acknowledged_once(*, failed: bool) -> None:
    told: list[tuple[str, dict[str, object]]] = []
    asked: list[str] = []
    request = request_of(lambda: asked.append("acknowledged"), told)
    request.ended("100 triggers: 3 accepted, 97 rejected (Adobe: bad-request)", 0.25, failed=failed)
    [(kind, fields)] = told
    assert kind == ("task-failed" if failed else "task-succeeded")
    assert fields["result"] == "100 triggers: 3 accepted, 97 rejected (Adobe: bad-request)"
    assert fields.get("exception") == (fields["result"] if failed else None)
    assert "traceback" not in fields
    assert asked == ["acknowledged"]
