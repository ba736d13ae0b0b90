"""Who waits at a silent destination, whose turn it is, and when that ends."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.gate import SentBack, Turn
from ajo_worker.outages.answers import Patience
from ajo_worker.outages.silences import EVERY, STOCK, Silences
from ajo_worker.triggers.urgency import Urgency

SCOPE = "destination:standard@platform.adobe.io"


def received(number: int, campaign: str = "a") -> Any:
    return SimpleNamespace(trigger=SimpleNamespace(request_id=UUID(int=number), campaign=campaign))


class Stage:
    """A destination of the campaigns a and b, and another one; time goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.closing = Closing()
        destinations = {"a": SCOPE, "b": SCOPE, "other": "destination:high-throughput@platform.adobe.io"}
        self.silences = Silences(destinations, Patience(20, 15.0), self.closing, lambda: self.now)

    async def pass_(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            self.now += 0.25
            self.silences.look()
            await asyncio.sleep(0)

    async def fall_silent(self) -> None:
        for number in range(20):
            self.silences.began(received(number))
        self.silences.look()
        await self.pass_(15.0)
        assert self.silences.silent("a")

    def wait(
        self, count: int, urgency: Urgency = Urgency.FIRST, campaign: str = "a"
    ) -> list[asyncio.Task[Turn | None]]:
        return [
            asyncio.create_task(self.silences.turn(received(100 + number, campaign), urgency))
            for number in range(count)
        ]


async def test_nobody_waits_where_answers_come() -> None:
    stage = Stage()
    assert await stage.silences.turn(received(1), Urgency.FIRST) is None
    await stage.fall_silent()
    assert await stage.silences.turn(received(1, "other"), Urgency.FIRST) is None


async def test_one_a_second_has_its_turn_and_the_urgent_go_first() -> None:
    stage = Stage()
    await stage.fall_silent()
    first, urgent = stage.wait(30), stage.wait(2, Urgency.URGENT, "b")
    await asyncio.sleep(0)
    for second in range(1, 8):
        await stage.pass_(EVERY)
        done = [task for task in (*urgent, *first) if task.done()]
        assert len(done) == second
        turn = done[-1].result()
        assert turn is not None
        turn.over()
    assert all(task.done() for task in urgent)
    stage.closing.begin()
    await asyncio.gather(*first, return_exceptions=True)


async def test_a_turn_that_is_not_over_keeps_the_next_one_back() -> None:
    stage = Stage()
    await stage.fall_silent()
    waiting = stage.wait(3)
    await asyncio.sleep(0)
    await stage.pass_(30.0)
    assert sum(task.done() for task in waiting) == 1, "it waits for a place, and nobody goes before it does"
    stage.closing.begin()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_one_answer_lets_all_go_on() -> None:
    stage = Stage()
    await stage.fall_silent()
    waiting = stage.wait(50)
    await asyncio.sleep(0)
    stage.silences.ended(received(7), answered=True)
    assert not stage.silences.silent("a")
    assert await asyncio.gather(*waiting) == [None] * 50


async def test_more_than_are_needed_wait_elsewhere_and_are_wanted_again_when_none_is_left() -> None:
    stage = Stage()
    await stage.fall_silent()
    assert SCOPE in stage.silences.wanting
    waiting = stage.wait(STOCK + 40)
    await asyncio.sleep(0)
    await stage.pass_(0.25)
    assert SCOPE not in stage.silences.wanting
    stage.silences.send_back()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sent_back = [task for task in waiting if task.done() and isinstance(task.exception(), SentBack)]
    assert len(sent_back) in (39, 40)
    stage.closing.begin()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_an_outage_takes_its_place_and_it_does_not_begin_anew_while_that_lasts() -> None:
    stage = Stage()
    await stage.fall_silent()
    waiting = stage.wait(5)
    await asyncio.sleep(0)
    stage.silences.stop([SCOPE])
    assert await asyncio.gather(*waiting) == [None] * 5, "the gate keeps them back now"
    await stage.pass_(30.0)
    assert not stage.silences.scopes
    stage.silences.stop([])
    await stage.pass_(14.0)
    assert not stage.silences.scopes, "somebody was answered: it is listened to anew"
    await stage.pass_(2.0)
    assert stage.silences.silent("a")


async def test_a_stopping_worker_waits_for_no_turn() -> None:
    stage = Stage()
    await stage.fall_silent()
    (waiting,) = stage.wait(1)
    await asyncio.sleep(0)
    stage.closing.begin()
    with pytest.raises(HandedBack):
        await waiting
