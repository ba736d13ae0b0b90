"""Acknowledgements go out together, and each once; nothing that is open is acknowledged."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake.acknowledging import HELD, Acknowledgements, Tags
from ajo_worker.intake.hub_calls import HubCalls
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["came", "answered", "given back", "turn", "later"]), st.integers(0, 20)))


@given(STEPS)
def test_what_is_answered_is_told_once_and_soon_and_what_is_open_never(steps: list[Step]) -> None:
    tags, now = Tags(), 0.0
    waiting: list[int] = []  # what RabbitMQ waits for
    open_, answered = list[int](), dict[int, float]()
    came = 0
    for step, number in steps:
        now += 0.01
        match step:
            case "came":
                came += 1
                tags.came(came)
                waiting.append(came)
                open_.append(came)
            case "answered" if open_:
                tag = open_.pop(number % len(open_))
                tags.answered(tag, now)
                answered[tag] = now
            case "given back" if open_:
                tag = open_.pop(number % len(open_))
                tags.given_back(tag)
                waiting.remove(tag)
            case "later":
                now += HELD
        if step in {"turn", "later"}:
            if (newest := tags.run()) is not None:
                assert newest in waiting, "RabbitMQ closes the channel over a tag that it doesn't know"
                acknowledged = [tag for tag in waiting if tag <= newest]
                assert set(acknowledged) <= answered.keys()
                waiting = [tag for tag in waiting if tag > newest]
            for tag in tags.stragglers(now - HELD):
                assert tag in answered
                waiting.remove(tag)
            left = [tag for tag in answered if tag in waiting]
            assert all(any(other < tag for other in open_) and answered[tag] >= now - HELD for tag in left)
            assert tags.held == bool(left)


def test_one_by_one_each_is_told_in_its_turn() -> None:
    tags = Tags()
    for tag in (1, 2, 3):
        tags.came(tag)
        tags.answered(tag, 0.0)
        assert tags.run() == tag


@dataclass
class Channel:
    """One of RabbitMQ's, that keeps what it is told."""

    told: list[tuple[int, bool]] = field(default_factory=list)
    broken: bool = False

    def basic_ack(self, tag: int, *, multiple: bool = False) -> None:
        if self.broken:
            raise BrokenPipeError
        self.told.append((tag, multiple))

    def __hash__(self) -> int:
        return id(self)


def message(channel: Any, tag: int) -> Any:
    return SimpleNamespace(channel=channel, delivery_tag=tag, requeue=lambda: None)


@pytest.fixture
def acknowledgements() -> Acknowledgements:
    return Acknowledgements(HubCalls())


def test_a_run_goes_out_as_one_and_what_lies_behind_an_open_one_singly(acknowledgements: Acknowledgements) -> None:
    channel = Channel()
    messages = [message(channel, tag) for tag in range(1, 7)]
    for one in messages:
        acknowledgements.came(one)
    for one in (*messages[:3], *messages[4:]):
        acknowledgements.acknowledge(one)
    acknowledgements.flush()
    assert channel.told == [(3, True)]
    acknowledgements.flush(held=0)
    assert channel.told[1:] == [(5, False), (6, False)]


def test_what_goes_back_over_a_broken_connection_is_no_fault(acknowledgements: Acknowledgements) -> None:
    def breaks() -> None:
        raise BrokenPipeError

    acknowledgements.came(one := message(Channel(), 1))
    one.requeue = breaks
    acknowledgements.give_back(one)


def test_of_a_connection_that_broke_no_tag_is_told_on_the_next(acknowledgements: Acknowledgements) -> None:
    old, new = Channel(broken=True), Channel()
    acknowledgements.came(message(old, 1))
    acknowledgements.acknowledge(message(old, 1))
    acknowledgements.flush()
    acknowledgements.connection_lost()
    acknowledgements.came(message(new, 1))
    acknowledgements.acknowledge(message(old, 1))
    acknowledgements.flush(held=0)
    assert (old.told, new.told) == ([], [])


def test_a_server_that_refuses_an_answer_is_told_of_once_and_a_broken_connection_is_not() -> None:
    acknowledgements = Acknowledgements(HubCalls())

    def requeue(fault: Exception) -> None:
        def refuse() -> None:
            raise fault

        acknowledgements.give_back(SimpleNamespace(channel=None, delivery_tag="1", requeue=refuse))

    with capture_logs() as logs:
        requeue(ConnectionError())
        for _ in range(3):
            requeue(ResponseError("no permissions to run the 'eval' command"))
    assert [line["fault"] for line in logs if line["log_level"] == "warning"] == [
        "no permissions to run the 'eval' command"
    ]
