"""Celery's remote control changes nothing that settings say."""

from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake.application import make_app
from ajo_worker.intake.remote_control import WITHOUT_EFFECT
from ajo_worker.settings import Settings
from celery.worker.control import Panel


@pytest.fixture
def answers() -> list[Any]:
    """What was answered."""
    return []


@pytest.fixture
def node(answers: list[Any]) -> Any:
    """A worker's side; whatever a command would touch of its consumer fails."""
    events = SimpleNamespace(answer=lambda reply, *_: answers.append(reply))
    state = SimpleNamespace(consumer=SimpleNamespace(event_dispatcher=events))
    mailbox = make_app(Settings()).control.mailbox
    return mailbox.Node("worker@host", state=state, handlers=Panel.data)


def ask(node: Any, method: str, **arguments: Any) -> None:
    """Have a command done as it comes from a broker."""
    reply_to = {"exchange": "reply.celery.pidbox", "routing_key": "whoever"}
    node.handle_message({"method": method, "arguments": arguments, "reply_to": reply_to, "ticket": "a-ticket"})


@pytest.mark.parametrize("method", sorted(WITHOUT_EFFECT))
def test_a_command_that_settings_stand_for_says_so_and_touches_nothing(
    node: Any, answers: list[Any], method: str
) -> None:
    assert method in Panel.data
    ask(node, method, queue="ajo-dispatch.standard")
    [answer] = answers
    assert answer["worker@host"]["error"].startswith(f"{method} has no effect: ")


def test_other_commands_are_answered_as_celery_does(node: Any, answers: list[Any]) -> None:
    ask(node, "ping")
    assert answers == [{"worker@host": {"ok": "pong"}}]
