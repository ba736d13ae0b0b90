"""The publisher: triggers in, and back only when the broker has confirmed them."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self
from uuid import UUID
from weakref import WeakSet

from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.environment import DEFAULT_TIMEOUT, broker_of, check_settings, read_settings
from ajo_producers.publishing.errors import InvalidTrigger, PublishError, SettingError
from ajo_producers.publishing.link import Deadline, Link, LinkFailure, open_link
from ajo_producers.publishing.outgoing import (
    DEFAULT_BATCH_SIZE,
    Outgoing,
    Receipt,
    Sender,
    batches,
    to_message,
    to_parcel,
    windows,
)
from ajo_producers.publishing.source import Source


class PublishReport(NamedTuple):
    """What ``publish_many`` did: the request ids that the broker confirmed, and in how many messages they travelled."""

    confirmed: tuple[UUID, ...]
    messages: int


class _Delivered(NamedTuple):
    """The messages that were confirmed, why not all were, and whether any of the others may have arrived."""

    messages: list[Outgoing]
    failure: LinkFailure | None
    handed_over: bool


class Publisher:
    """Publishes triggers to one broker.

    Connects at the first use, and again if the connection was lost since. Threads may share one, and take turns;
    after a fork, each process has its own connection. ``timeout`` is in seconds: within it the broker confirms, or
    ``PublishError`` is raised; ``producer`` names this application in the ledger (default: the host's name).

    Raises:
        SettingError: one of the arguments can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        queue_prefix: str = DEFAULT_QUEUE_PREFIX,
        timeout: float = DEFAULT_TIMEOUT,
        producer: str | None = None,
    ) -> None:
        self._broker = broker_of(url)
        check_settings(queue_prefix=queue_prefix, timeout=timeout, producer=producer)
        self._timeout = timeout
        self._sender = Sender(producer or _host_name(), _origin(), queue_prefix)
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._env: Mapping[str, str] | None = None
        _publishers.add(self)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """A publisher by ``AJO_BROKER_URL``, ``AJO_QUEUE_PREFIX``, ``AJO_PUBLISH_TIMEOUT`` and ``AJO_PRODUCER``.

        Raises:
            SettingError: one of them can't be used.
        """
        settings = read_settings(env)
        publisher = cls(
            settings.url, queue_prefix=settings.queue_prefix, timeout=settings.timeout, producer=settings.producer
        )
        if not env.get("AJO_BROKER_URL"):
            publisher._env = env  # the file may come to hold another password
        return publisher

    def publish(self, trigger: CheckedTrigger) -> Receipt:
        """Publish one trigger; returns once the broker has confirmed it.

        Raises:
            PublishError: it was not confirmed in time; ``unconfirmed`` has its request id.
        """
        done, failure, handed_over = self._deliver([[trigger]])
        if failure is not None:
            unconfirmed = [trigger.request_id]
            unsent = () if handed_over else unconfirmed
            raise PublishError(self._explain(failure), unconfirmed=unconfirmed, unsent=unsent) from failure
        return done[0].receipts[0]

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
        source = Source(triggers, remembers=True)
        confirmed: list[UUID] = []
        messages = 0
        try:
            for receipts in self._publish(source, batch_size):
                confirmed += [receipt.request_id for receipt in receipts]
                messages += 1
                if on_progress is not None:
                    on_progress(len(confirmed))
        except PublishError as error:
            rest = source.rest()
            error.confirmed, error.unconfirmed = tuple(confirmed), (*error.unconfirmed, *rest)
            error.unsent += rest
            raise
        return PublishReport(tuple(confirmed), messages)

    def publish_stream(
        self, triggers: Iterable[CheckedTrigger], *, batch_size: int = DEFAULT_BATCH_SIZE
    ) -> Iterator[tuple[Receipt, ...]]:
        """Publish triggers without end: yields the receipts of each message as it is confirmed, and keeps nothing.

        Nothing is sent before a window is full (32 batches, or 4 MB) or ``triggers`` has ended. Where triggers trickle
        in, publish each as it comes.

        Raises:
            PublishError: ``unconfirmed`` are those taken from ``triggers`` and not confirmed. No more were taken.
        """
        yield from self._publish(Source(triggers), batch_size)

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def __del__(self) -> None:
        """Leave no socket behind."""
        if getattr(self, "_link", None) is not None:
            self._drop_link()

    def __repr__(self) -> str:
        """Without the password."""
        return f"Publisher({self._broker.shown}, {self._sender.queue_prefix})"

    def _publish(self, source: Source, batch_size: int) -> Iterator[tuple[Receipt, ...]]:
        for window in windows(batches(source, batch_size)):
            done, failure, handed_over = self._deliver(window)
            for message in done:
                source.confirm(receipt.request_id for receipt in message.receipts)
                yield message.receipts
            if failure is not None:
                pending = source.pending()
                on_their_way = {one.request_id for batch in window for one in batch} if handed_over else set()
                unsent = [request_id for request_id in pending if request_id not in on_their_way]
                raise PublishError(self._explain(failure), unconfirmed=pending, unsent=unsent) from failure
        if source.failure is not None:
            why = str(source.failure) if isinstance(source.failure, InvalidTrigger) else type(source.failure).__name__
            text = f"the source of the triggers failed ({why}); all before that is confirmed"
            raise PublishError(text) from source.failure

    def _deliver(self, window: Sequence[Sequence[CheckedTrigger]]) -> _Delivered:
        """Send batches, if need be over a second connection."""
        deadline = Deadline(self._timeout)
        handed_over = False
        if not self._lock.acquire(timeout=self._timeout):
            return _Delivered([], LinkFailure("other threads had the connection all the time"), handed_over)
        try:
            parcels = [to_parcel(batch, self._sender) for batch in window]
            waiting = {parcel.batch_id: parcel for parcel in parcels}
            done: list[Outgoing] = []

            def confirmed(message: Outgoing) -> None:
                del waiting[message.batch_id]
                done.append(message)
                deadline.renew()

            while True:
                fresh = self._link is None
                try:
                    if self._link is None:
                        self._look_for_the_broker()
                        self._link = open_link(self._broker, deadline)
                    self._link.prepare({parcel.queue for parcel in waiting.values()}, deadline)
                    messages = [to_message(parcel, self._sender) for parcel in waiting.values()]
                    handed_over = True
                    self._link.publish(messages, deadline, confirmed)
                except LinkFailure as failure:
                    self._drop_link()
                    # An old connection may have died while nobody looked; what it perhaps delivered is sent again
                    # with the same request ids, which the worker joins.
                    if fresh or deadline.passed:
                        return _Delivered(done, failure, handed_over)
                else:
                    return _Delivered(done, None, handed_over)
        except BaseException:  # such as Ctrl-C in the middle of a frame: the connection is of no use any more
            self._drop_link()
            raise
        finally:
            self._lock.release()

    def _look_for_the_broker(self) -> None:
        """Take its address from its file once more; what can't be used leaves the old one."""
        if self._env is not None:
            with suppress(SettingError):
                self._broker = broker_of(read_settings(self._env).url)

    def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.abandon()

    def _explain(self, failure: LinkFailure) -> str:
        return f"not confirmed by {self._broker.shown} (time limit {self._timeout:g} s): {failure}"

    def _after_fork(self) -> None:
        """In the child: the connection is the parent's, and its lock may be held by a thread that isn't here."""
        self._lock = threading.Lock()
        self._link = None
        self._sender = self._sender._replace(origin=_origin())


def _host_name() -> str:
    from socket import gethostname  # noqa: PLC0415 - not needed to import the package

    return gethostname() or "unknown"


def _origin() -> str:
    return f"{os.getpid()}@{_host_name()}"


def _reset_after_fork() -> None:
    for publisher in list(_publishers):
        publisher._after_fork()


_publishers: WeakSet[Publisher] = WeakSet()
with suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_reset_after_fork)
