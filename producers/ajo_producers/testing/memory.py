"""Publishers that need no broker: all of the real ones, but that the last step notes triggers in memory."""

from collections.abc import Callable, Sequence

from ajo_producers.contract.setting_rules import PUBLISH_TIMEOUT
from ajo_producers.publishing.async_publisher import MAX_WAITING, AsyncPublisher
from ajo_producers.publishing.carrier import Carrier, Delivered
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.environment import PublisherSettings
from ajo_producers.publishing.link import Deadline, LinkFailure
from ajo_producers.publishing.outgoing import to_message, to_parcel
from ajo_producers.publishing.publisher import Publisher
from ajo_producers.testing.published import PublishedTriggers

NOBODY = "amqp://in-memory.invalid/"
"""An address that leads nowhere, by RFC 6761."""


class MemoryCarrier(Carrier):
    """Carries nothing anywhere: what it is given is confirmed, and noted."""

    def __init__(self, triggers: PublishedTriggers) -> None:
        super().__init__(PublisherSettings(NOBODY, "in-memory", PUBLISH_TIMEOUT, "tests"))
        self._triggers = triggers

    def deliver(
        self, load: Callable[[], Sequence[Sequence[CheckedTrigger]]], deadline: Deadline, *, renewed: bool = False
    ) -> Delivered:
        """See ``Carrier``."""
        return deliver_to(self._triggers, self, load, deadline, renewed=renewed)


def deliver_to(
    triggers: PublishedTriggers,
    carrier: Carrier,
    load: Callable[[], Sequence[Sequence[CheckedTrigger]]],
    _deadline: Deadline,
    *,
    renewed: bool = False,  # noqa: ARG001 - of the carrier's signature
) -> Delivered:
    """What stands in for ``Carrier.deliver``: the messages are made as ever, and confirmed."""
    if triggers.broker_is_away:
        return Delivered([], LinkFailure("the test's broker is away"), handed_over=False)
    parcels = [to_parcel(batch, carrier.sender) for batch in load()]
    for parcel in parcels:
        for checked in parcel.triggers:
            triggers.add(checked)
    return Delivered([to_message(parcel, carrier.sender) for parcel in parcels], None, handed_over=True)


class MemoryPublisher(Publisher):
    """A ``Publisher`` to give to what is tested; ``published`` has what it published."""

    def __init__(self) -> None:
        self.published = PublishedTriggers()
        self._carry_with(MemoryCarrier(self.published))


class MemoryAsyncPublisher(AsyncPublisher):
    """An ``AsyncPublisher`` to give to what is tested; ``published`` has what it published."""

    def __init__(self) -> None:
        self.published = PublishedTriggers()
        self._carry_with(MemoryCarrier(self.published), MAX_WAITING)
