"""The publisher: triggers in, and back only when the broker has confirmed them."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.contract.setting_rules import PUBLISH_TIMEOUT
from ajo_producers.publishing.callers import Callers
from ajo_producers.publishing.carrier import Carrier
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.environment import PublisherSettings, read_settings
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.link import Deadline
from ajo_producers.publishing.outgoing import DEFAULT_BATCH_SIZE, Receipt
from ajo_producers.publishing.stream import PublishReport, Stream, Tally


class Publisher:
    """Publishes triggers to one broker.

    Connects at the first use, and again if the connection was lost since. Threads may share one: what they publish
    while a confirm is under way travels together in the next message. After a fork, each process has its own
    connection. ``timeout`` is in seconds: within it the broker confirms, or ``PublishError`` is raised; ``producer``
    names this application in the ledger (default: the host's name).

    Raises:
        SettingError: one of the arguments can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        queue_prefix: str = DEFAULT_QUEUE_PREFIX,
        timeout: float = PUBLISH_TIMEOUT,
        producer: str | None = None,
    ) -> None:
        self._carry_with(Carrier(PublisherSettings(url, queue_prefix, timeout, producer)))

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """A publisher by ``AJO_BROKER_URL``, ``AJO_QUEUE_PREFIX``, ``AJO_PUBLISH_TIMEOUT`` and ``AJO_PRODUCER``.

        Raises:
            SettingError: one of them can't be used.
        """
        publisher = cls.__new__(cls)
        publisher._carry_with(Carrier(read_settings(env), env))
        return publisher

    def publish(self, trigger: CheckedTrigger) -> Receipt:
        """Publish one trigger; returns once the broker has confirmed it.

        Raises:
            PublishError: it was not confirmed in time; ``unconfirmed`` has its request id.
        """
        return self._callers.publish(trigger)

    def publish_many(
        self,
        triggers: Iterable[CheckedTrigger],
        *,
        batch_size: int = DEFAULT_BATCH_SIZE,
        on_progress: Callable[[int], None] | None = None,
    ) -> PublishReport:
        """Publish triggers in batches by lane; ``on_progress`` is told how many have been confirmed so far.

        Raises:
            PublishError: not all were confirmed, or ``triggers`` raised an exception half-way (then its cause), or one
                has the key of an earlier one with other content (then its cause is an ``InvalidTrigger``).
                ``confirmed`` and ``unconfirmed`` together are all of ``triggers``, up to where they failed.
        """
        stream = Stream(self._carrier, triggers, batch_size, remembers=True)
        tally = Tally(stream.source, on_progress)
        try:
            for receipts in self._publish(stream):
                tally.add(receipts)
        except PublishError as error:
            tally.complete(error)
            raise
        return tally.report()

    def publish_stream(
        self, triggers: Iterable[CheckedTrigger], *, batch_size: int = DEFAULT_BATCH_SIZE, in_order: bool = False
    ) -> Iterator[tuple[Receipt, ...]]:
        """Publish triggers without end: yields the receipts of each message as it is confirmed, and keeps nothing.

        Nothing is sent before a window is full (32 batches, or 4 MB) or ``triggers`` has ended. Where triggers trickle
        in, publish each as it comes. ``in_order``: whatever the broker refuses in between, what is confirmed of a
        recipient's triggers of one lane and priority are the first ones.

        Raises:
            PublishError: ``unconfirmed`` are those taken from ``triggers`` and not confirmed. No more were taken.
        """
        yield from self._publish(Stream(self._carrier, triggers, batch_size, in_order=in_order))

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        self._carrier.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def __repr__(self) -> str:
        """Without the password."""
        return f"Publisher({self._carrier.broker.shown}, {self._carrier.sender.queue_prefix})"

    def _carry_with(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._callers = Callers(carrier)

    def _publish(self, stream: Stream) -> Iterator[tuple[Receipt, ...]]:
        for window in stream.windows:
            delivered = self._carrier.deliver(partial(list, window), Deadline(self._carrier.timeout), renewed=True)
            yield from stream.receipts(window, delivered)
        stream.end()
