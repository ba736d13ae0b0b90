"""For the tests of applications: what they publish is kept in memory, and asked for in assertions.

    def test_an_order_that_ships_tells_its_customer(published_triggers):
        ship(order)
        published_triggers.one(campaign="order-shipped", to="ada@example.com", context={"orderId": "A-1"})

The fixtures come with the distribution: ``published_triggers``, ``ajo_outbox`` and ``ajo_simulator``. docs/testing.md
has all of them. Each name is imported when it is first used, so that tests without triggers pay nothing.
"""

from typing import TYPE_CHECKING

from ajo_producers.first_use import at_first_use

if TYPE_CHECKING:
    from ajo_producers.testing.memory import MemoryAsyncPublisher, MemoryPublisher
    from ajo_producers.testing.outbox import OutboxReader, OutboxTriggers
    from ajo_producers.testing.published import PublishedTrigger, PublishedTriggers
    from ajo_producers.testing.simulator import RunningSimulator, running_simulator

__all__ = [
    "MemoryAsyncPublisher",
    "MemoryPublisher",
    "OutboxReader",
    "OutboxTriggers",
    "PublishedTrigger",
    "PublishedTriggers",
    "RunningSimulator",
    "running_simulator",
]

_PLACES = {
    "memory": ("MemoryAsyncPublisher", "MemoryPublisher"),
    "outbox": ("OutboxReader", "OutboxTriggers"),
    "published": ("PublishedTrigger", "PublishedTriggers"),
    "simulator": ("RunningSimulator", "running_simulator"),
}


__getattr__ = at_first_use(__name__, _PLACES)
