"""How messages are opened: a backlog that comes at once leaves the loop to the other queues."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.batch import Batch, encode_body, encode_trigger
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.api.request import Endpoint
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.attempt import Flight
from ajo_worker.dispatch.decision import End
from ajo_worker.dispatch.dispatcher import Dispatcher
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.delivery import Delivery
from msgspec import Raw
from uuid_utils.compat import uuid7

from tests.support.definitions import definition

BACKLOG, OTHER = "ajo.standard", "ajo.high-throughput"
PERSON = Recipient(user_id="person1")
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Pipeline:
    """Notes what comes, and lets it end when told to."""

    means = SimpleNamespace(closing=Closing())

    def __init__(self) -> None:
        self.came: list[Flight] = []
        self.together: list[int] = []

    def start(self, flights: Sequence[Flight]) -> None:
        self.came += flights
        self.together.append(len(flights))

    def lanes(self) -> list[str]:
        return [flight.received.came_by for flight in self.came]

    def cut_off(self) -> None:
        """No task of its own: each flight waits for its record alone."""

    def end(self) -> None:
        for flight in self.came:
            flight.ends(End("accepted", None))


class Receipt:
    """Nobody asks."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_: None


def delivery(queue: str, triggers: int) -> Delivery:
    """A message of so many triggers."""
    many = [Trigger(request_id=uuid7(), campaign="order-shipped", recipients=(PERSON,)) for _ in range(triggers)]
    raw = tuple(Raw(encode_trigger(one)) for one in many)
    batch = Batch(version=1, batch_id=uuid7(), producer="shop", enqueued_at=NOW, triggers=raw)
    return Delivery(encode_body(batch), {}, queue, 0.0, Receipt())


def dispatcher(pipeline: Pipeline, campaigns: dict[str, Any] | None = None) -> Dispatcher:
    """One without a ledger."""
    ledger: Any = None
    taking: Any = pipeline
    return Dispatcher(taking, ledger, LedgerClock(), campaigns or {}, most_open=4000)


async def test_of_a_backlog_only_some_is_opened_before_a_message_of_another_queue_has_its_turn() -> None:
    pipeline = Pipeline()
    taking = dispatcher(pipeline)
    for _ in range(200):
        taking.deliver(delivery(BACKLOG, 5))
    taking.deliver(delivery(OTHER, 1))
    while "high-throughput" not in pipeline.lanes():
        await asyncio.sleep(0)
    assert pipeline.lanes().index("high-throughput") <= 100
    while len(pipeline.came) < 1001:
        await asyncio.sleep(0)
    assert not taking.waiting
    pipeline.end()
    assert await taking.finish(10)


async def test_triggers_of_all_messages_that_are_opened_in_one_turn_start_together() -> None:
    pipeline = Pipeline()
    taking = dispatcher(pipeline)
    for _ in range(7):
        taking.deliver(delivery(BACKLOG, 1))
    taking.deliver(delivery(OTHER, 2))
    await asyncio.sleep(0)
    assert pipeline.together == [9]
    pipeline.end()
    assert await taking.finish(10)


async def test_what_is_cut_off_before_it_starts_never_starts() -> None:
    pipeline, returned = Pipeline(), list[str]()
    taking = dispatcher(pipeline)
    answers = SimpleNamespace(away=False, returned=lambda: returned.append("returned"))
    taking.deliver(replace(delivery(BACKLOG, 2), receipt=answers))
    taking.hurry()
    await asyncio.sleep(0)
    assert not pipeline.came
    assert returned == ["returned"]


async def test_what_goes_back_to_the_broker_is_in_hand_until_the_others_of_its_message_are_at_their_end() -> None:
    pipeline = Pipeline()
    one = definition()
    campaign = KnownCampaign(one, PayloadCheck(one), Endpoint("https://api.example.com", {}), 60.0)
    taking = dispatcher(pipeline, {one.name: campaign})
    taking.deliver(delivery(BACKLOG, 5))
    await asyncio.sleep(0)
    sent, *others = pipeline.came
    for flight in others:  # an outage begins in the middle of the message
        flight.ends(HandedBack())
    assert taking.under_way == {("standard", "order-shipped"): 5}
    sent.ends(End("accepted", None))
    assert await taking.finish(10)
    assert not taking.under_way


async def test_what_only_waits_for_its_record_goes_back_when_it_is_cut_off_and_its_end_changes_nothing_then() -> None:
    pipeline, told = Pipeline(), list[str]()
    taking = dispatcher(pipeline)
    message = delivery(BACKLOG, 3)
    answers = SimpleNamespace(
        away=False, returned=lambda: told.append("returned"), done=told.append, failed=told.append
    )
    taking.deliver(replace(message, receipt=answers))
    await asyncio.sleep(0)
    pipeline.came[0].ends(End("accepted", None))
    assert not told
    taking.hurry()
    assert told == ["returned"]
    pipeline.end()
    assert told == ["returned"]
    assert await taking.finish(10)
    assert taking.open == 0
