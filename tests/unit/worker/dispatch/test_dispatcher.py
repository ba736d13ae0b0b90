"""What the dispatcher does with messages that it hasn't opened yet."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from ajo_producers.contract.batch import Batch, encode_body
from ajo_worker.closing import Closing
from ajo_worker.dispatch import dispatcher as dispatchers
from ajo_worker.dispatch.dispatcher import Dispatcher
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.triggers.delivery import Delivery
from msgspec import Raw


@dataclass
class Answer:
    """A receipt that writes down how it was answered."""

    away: bool
    told: list[str] = field(default_factory=list)

    def retried(self, retries: int, reason: str) -> None:
        raise AssertionError((retries, reason))

    def done(self, summary: str) -> None:
        self.told.append(summary)

    failed = done

    def returned(self) -> None:
        self.told.append("returned")


def test_what_the_broker_has_again_is_let_go_and_the_rest_keeps_its_order() -> None:
    nothing: Any = None
    pipeline: Any = SimpleNamespace(means=SimpleNamespace(closing=Closing()), start=nothing)
    dispatcher = Dispatcher(pipeline, nothing, LedgerClock(), {}, most_open=0)
    answers = [Answer(away=away) for away in (False, True, False, True)]
    for number, answer in enumerate(answers):
        dispatcher.deliver(Delivery(b"", {}, "ajo-dispatch.standard", float(number), answer))
    dispatcher.drop_away()
    assert [answer.told for answer in answers] == [[], ["returned"], [], ["returned"]]
    assert [delivery.received for delivery, _ in dispatcher._opening._waiting["ajo-dispatch.standard"]] == [0.0, 2.0]


@pytest.mark.parametrize("breaks", ["decode_body", "Opened"])
async def test_what_breaks_while_it_is_opened_goes_back_and_is_not_kept(
    breaks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("ajo_worker.dispatch.messages.PAUSE_AFTER_FAULT", 0)
    monkeypatch.setattr(dispatchers, breaks, broken if breaks == "decode_body" else SimpleNamespace(
        of=lambda *_: SimpleNamespace(trigger=broken)
    ))  # fmt: skip
    nothing: Any = None
    pipeline: Any = SimpleNamespace(means=SimpleNamespace(closing=Closing()), start=nothing)
    dispatcher, answer = Dispatcher(pipeline, nothing, LedgerClock(), {}, most_open=4), Answer(away=False)
    batch = Batch(version=1, batch_id=uuid4(), producer="shop", enqueued_at=datetime.now(UTC), triggers=(Raw(b"{}"),))
    dispatcher.deliver(Delivery(encode_body(batch), {}, "ajo-dispatch.standard", 0.0, answer))
    while not answer.told:
        await asyncio.sleep(0)
    assert answer.told == ["returned"]
    assert dispatcher.open == 0
