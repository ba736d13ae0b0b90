"""How long the answer to a call is waited for."""

from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.api.answer import Answer, Call
from ajo_worker.dispatch.attempt import Announced, Attempt, Flight, Round
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import History
from ajo_worker.dispatch.send import Calls
from ajo_worker.limits.places import Place
from ajo_worker.limits.waits import NO_WAIT
from msgspec import structs

from tests.support.definitions import ORDER_SHIPPED
from tests.unit.worker.dispatch.test_prepare import CAMPAIGN, Stage, received

IMPATIENT = 5.0


@pytest.mark.parametrize(("probe", "expected"), [(False, IMPATIENT), (True, CAMPAIGN.budget)])
async def test_a_probe_waits_to_the_end_of_its_budget_however_impatient_the_operator_is_otherwise(
    *, probe: bool, expected: float
) -> None:
    waited: list[float] = []

    class Http:
        async def post(self, call: Call, *, timeout: float) -> Answer:  # noqa: ARG002 - the protocol's
            waited.append(timeout)
            return Answer(202, {}, b"", 0.1, 0.1)

    stage = Stage()
    nothing = SimpleNamespace(sends=lambda *_: None, began=lambda *_: None, ended=lambda *_, **__: None)
    tokens = SimpleNamespace(current=lambda: "token", sure_until=lambda _: 0.0)
    slots = SimpleNamespace(sent=lambda _: None)
    standing = stage.means.standing
    ready: Any = SimpleNamespace(tokens=tokens, gate=nothing, silence=nothing, slots=slots, standing=standing)
    parts: tuple[Any, ...] = (None, stage.means.clock, Http(), ready, None, None, None, None)
    campaign = CAMPAIGN.__class__(
        CAMPAIGN.definition, CAMPAIGN.check, CAMPAIGN.endpoint, CAMPAIGN.budget, attempt_timeout=IMPATIENT
    )
    flight = Flight(structs.replace(received(), probe=probe), lambda *_: None, lambda *_: None)
    place = Place(1, ORDER_SHIPPED.name, "standard", urgent=False)
    round_ = Round(1, 1, History(), Budget(stage.means.clock.monotonic(), CAMPAIGN.budget), None, 0.0)
    attempt = Attempt(flight, campaign, round_, "token", place, NO_WAIT, 0.0)
    await Calls(*parts).sent(Announced(attempt, round_, 0.0, 0.0, 0.0))
    assert waited == [pytest.approx(expected)]
