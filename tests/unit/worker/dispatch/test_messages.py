"""What the dispatcher does with messages that it hasn't opened yet."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ajo_worker.closing import Closing
from ajo_worker.dispatch.messages import Dispatcher
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.triggers.delivery import Delivery


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
    pipeline: Any = SimpleNamespace(preparation=SimpleNamespace(closing=Closing()), start=nothing)
    dispatcher = Dispatcher(pipeline, nothing, LedgerClock(), {}, most_open=0)
    answers = [Answer(away=away) for away in (False, True, False, True)]
    for number, answer in enumerate(answers):
        dispatcher.deliver(Delivery(b"", {}, "ajo-dispatch.standard", float(number), answer))
    dispatcher.drop_away()
    assert [answer.told for answer in answers] == [[], ["returned"], [], ["returned"]]
    assert [delivery.received for delivery, _ in dispatcher._opening._waiting["ajo-dispatch.standard"]] == [0.0, 2.0]
