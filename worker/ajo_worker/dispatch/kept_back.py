"""What becomes of a trigger that may not go on to its attempt: it is parked, or goes back to the broker."""

from ajo_worker.closing import HandedBack
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.gate import KeptBack
from ajo_worker.dispatch.means import Means
from ajo_worker.ledger.admission import Known
from ajo_worker.reasons import NO_TOKEN
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import EXPIRED, Refusal


async def when_kept_back(by: Means, received: Received, back: KeptBack, *, ours: bool) -> Refusal | Known:
    """That of one whose destination or campaign is kept back; what is known of it, where a probe had wanted one.

    While its lane is not consumed from, one that isn't ours yet goes back to the broker, unless a probe needs it.

    Raises:
        HandedBack: it goes back.
    """
    gate, wanted = by.gate, False
    if ours or received.campaign is None:
        return Refusal("parked", back.reason)
    if gate.wants_any(received.campaign):
        if (known := await by.ledger.looks.submit(received.trigger.request_id)) is not None:
            return known
        wanted = gate.wants_one(received.campaign)
    if not wanted and not back.of_campaign and not received.resumed and gate.waits_in_broker(received.came_by):
        raise HandedBack
    return Refusal("parked", back.reason)


def when_sent_back(by: Means, received: Received, *, ours: bool) -> Refusal:
    """That of one whose destination answers nothing, while enough others wait here to try it.

    Raises:
        HandedBack: it goes back to the broker.
    """
    if not ours and not received.resumed and by.gate.waits_in_broker(received.came_by):
        raise HandedBack
    return Refusal("parked", "silence")


def when_without_token(budget: Budget) -> Refusal:
    """That of one whose budget went on waiting for a token: that was not its own failure."""
    if budget.end_reason == "expires-at":
        return EXPIRED
    return Refusal("parked", NO_TOKEN)
