"""Which triggers are parked for a probe while their whole lane waits in the broker."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.attempt import Flight, Ready
from ajo_worker.dispatch.gate import KeptBack
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.party import Party
from ajo_worker.dispatch.prepare import Preparing
from ajo_worker.dispatch.standing import Standing
from ajo_worker.ledger.admission import Known
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import Refusal

from tests.support.simulation.network import START

BATCH = [UUID(int=number) for number in range(1, 6)]
PARKED = Refusal("parked", "outage")


@dataclass
class Looks:
    """The ledger's looks: what it knows of each trigger, all told at once."""

    known: dict[UUID, Any] = field(default_factory=dict)
    asked: int = 0

    async def submit(self, request_id: UUID) -> Any:
        self.asked += 1
        await asyncio.sleep(0)
        return self.known.get(request_id)


class Shut:
    """A gate that keeps a lane back; ``wanted`` triggers are to be parked for a probe."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted

    def kept_back(self, campaign: KnownCampaign) -> KeptBack:  # noqa: ARG002 - the protocol's
        return KeptBack("outage")

    def waits_in_broker(self, lane: str) -> bool:  # noqa: ARG002 - the protocol's
        return True

    def wants_any(self, campaign: KnownCampaign) -> bool:  # noqa: ARG002 - the protocol's
        return self.wanted > 0

    def wants_one(self, campaign: KnownCampaign) -> bool:  # noqa: ARG002 - the protocol's
        self.wanted -= 1
        return self.wanted >= 0


async def batch(looks: Looks, gate: Shut) -> list[Any]:
    """What becomes of a batch that comes while its lane is kept back."""
    ledger, clock, campaign = Mock(looks=looks), Mock(monotonic=lambda: 0.0), Mock()
    standing = Standing(lambda: 0.0, Mock(), Mock())
    means = Means(ledger, clock, Mock(), Mock(), Mock(), gate, Closing(), 5.0, Mock(), standing)  # type: ignore[arg-type] # only what is asked

    def received(request_id: UUID) -> Received:
        trigger = Trigger(request_id=request_id, campaign="a", recipients=(Recipient(user_id="ada@example.com"),))
        return Received(trigger, b"", uuid4(), "shop", START, 0.0, START, campaign, "standard", "standard")

    found: dict[UUID, Any] = {}
    flights = tuple(Flight(received(one), lambda *_: None, lambda *_: None) for one in BATCH)
    parties = [Party(campaign, flights)]
    while parties:
        way = Preparing(means, parties.pop(0), parties.append)
        [flight, *_] = way.party.flights
        try:
            end = await way.some()
            assert not isinstance(end, Ready)
            found[flight.received.trigger.request_id] = end.why
        except HandedBack as back:
            found[flight.received.trigger.request_id] = type(back)
    return [found[one] for one in BATCH]


def known() -> Known:
    return Mock(spec=Known)


async def test_one_trigger_of_a_batch_is_parked_for_a_probe_and_the_others_wait_in_the_broker() -> None:
    assert await batch(Looks(), Shut(1)) == [PARKED, *[HandedBack] * 4]


async def test_of_a_batch_that_comes_again_another_one_is_parked() -> None:
    first, second = known(), known()
    looks = Looks({BATCH[0]: first, BATCH[1]: second})
    assert await batch(looks, Shut(1)) == [first, second, PARKED, HandedBack, HandedBack]


async def test_the_want_lasts_until_a_trigger_comes_of_which_nothing_is_known() -> None:
    gate = Shut(1)
    await batch(Looks({one: known() for one in BATCH}), gate)
    assert gate.wanted == 1


@pytest.mark.parametrize("wanted", [0, -3])
async def test_where_no_probe_waits_the_ledger_is_not_asked(wanted: int) -> None:
    looks = Looks()
    assert await batch(looks, Shut(wanted)) == [HandedBack] * 5
    assert looks.asked == 0
