"""The plugin of pytest: its fixtures import what they need when a test asks for them, and not before."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ajo_producers.testing.outbox import OutboxReader
    from ajo_producers.testing.published import PublishedTriggers
    from ajo_producers.testing.simulator import RunningSimulator


@pytest.fixture
def published_triggers(monkeypatch: pytest.MonkeyPatch) -> "PublishedTriggers":
    """What any publisher of this process publishes during the test, in place of sending it: no broker is called.

    ``Publisher.from_env()`` and ``AsyncPublisher.from_env()`` need no settings then.
    """
    from ajo_producers.publishing.carrier import Carrier  # noqa: PLC0415 - only for tests that ask
    from ajo_producers.testing.memory import NOBODY, deliver_to  # noqa: PLC0415 - as above
    from ajo_producers.testing.published import PublishedTriggers  # noqa: PLC0415 - as above

    triggers = PublishedTriggers()

    def deliver(carrier: Carrier, *arguments: object, **named: object) -> object:
        return deliver_to(triggers, carrier, *arguments, **named)  # type: ignore[arg-type] # the carrier's signature

    monkeypatch.setattr(Carrier, "deliver", deliver)
    monkeypatch.setenv("AJO_BROKER_URL", NOBODY)
    monkeypatch.delenv("AJO_BROKER_URL_FILE", raising=False)
    return triggers


@pytest.fixture
def ajo_outbox() -> "OutboxReader":
    """Says what waits in the outbox, as a session sees it: ``ajo_outbox(session).one(campaign="order-shipped")``."""
    from ajo_producers.testing.outbox import OutboxReader  # noqa: PLC0415 - only for tests that ask

    return OutboxReader()


@pytest.fixture(scope="session")
def ajo_simulator() -> Iterator["RunningSimulator"]:
    """A simulator of Journey Optimizer for runs through the worker; one for all tests of the run."""
    from ajo_producers.testing.simulator import running_simulator  # noqa: PLC0415 - only for tests that ask

    with running_simulator() as simulator:
        yield simulator
