"""Carrying batches to the broker: over one connection, and over a second one where the first has died meanwhile."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.connecting import open_link
from ajo_producers.publishing.environment import PublisherSettings, broker_of, check_settings, read_settings
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.forks import reset_after_fork
from ajo_producers.publishing.link import Deadline, Link, LinkFailure
from ajo_producers.publishing.outgoing import Outgoing, Sender, to_message, to_parcel
from ajo_producers.publishing.turns import Turns

NO_TURN = "other threads had the connection all the time"


class Delivered(NamedTuple):
    """The messages that were confirmed, why not all were, and whether any of the others may have arrived."""

    messages: list[Outgoing]
    failure: LinkFailure | None
    handed_over: bool


class Carrier:
    """Has the connection to one broker; threads take turns. After a fork, each process has its own.

    ``env`` is asked for the broker's address before each connection, where a file holds it: the file may come to hold
    another password.

    Raises:
        SettingError: one of the settings can't be used.
    """

    def __init__(self, settings: PublisherSettings, env: Mapping[str, str] | None = None) -> None:
        self.broker: BrokerAddress = broker_of(settings.url)
        check_settings(queue_prefix=settings.queue_prefix, timeout=settings.timeout, producer=settings.producer)
        self.timeout = settings.timeout
        self.sender = Sender(settings.producer or _host_name(), _origin(), settings.queue_prefix)
        self._env = env
        self._turns = Turns()
        self._link: Link | None = None
        reset_after_fork(self)

    def deliver(
        self,
        load: Callable[[], Sequence[Sequence[CheckedTrigger]]],
        deadline: Deadline,
        *,
        renewed: bool = False,
    ) -> Delivered:
        """Send batches, if need be over a second connection.

        ``load`` is asked for them once, as soon as the connection stands: what comes while it is made goes along.
        ``renewed``: each confirm gives all of the time again.
        """
        handed_over = False
        turn = self._turns.turn()
        try:
            try:
                came = turn.wait(deadline.remaining())
            except TimeoutError:
                came = False
            if not came:
                return Delivered([], LinkFailure(NO_TURN), handed_over)
            parcels = None
            done: list[Outgoing] = []

            def confirmed(message: Outgoing) -> None:
                del waiting[message.batch_id]
                done.append(message)
                if renewed:
                    deadline.renew()

            while True:
                fresh = self._link is None
                try:
                    if self._link is None:
                        self._look_for_the_broker()
                        self._link = open_link(self.broker, deadline)
                    if parcels is None:
                        parcels = [to_parcel(batch, self.sender) for batch in load()]
                        waiting = {parcel.batch_id: parcel for parcel in parcels}
                    if not waiting:
                        return Delivered(done, None, handed_over)
                    self._link.prepare({parcel.queue for parcel in waiting.values()}, deadline)
                    messages = [to_message(parcel, self.sender) for parcel in waiting.values()]
                    handed_over = True
                    self._link.publish(messages, deadline, confirmed)
                except LinkFailure as failure:
                    self.drop_link()
                    # An old connection may have died while nobody looked; what it perhaps delivered is sent again
                    # with the same request ids, which the worker joins.
                    if fresh or deadline.passed:
                        return Delivered(done, failure, handed_over)
                else:
                    return Delivered(done, None, handed_over)
        except BaseException:  # such as Ctrl-C in the middle of a frame: the connection is of no use any more
            self.drop_link()
            raise
        finally:
            try:
                turn.leave()
            except BaseException:  # Ctrl-C comes once
                turn.leave()
                raise

    def explain(self, failure: LinkFailure) -> str:
        """The failure in words for people."""
        return f"not confirmed by {self.broker.shown} (time limit {self.timeout:g} s): {failure}"

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        turn = self._turns.turn()
        try:
            turn.wait(threading.TIMEOUT_MAX)
            link, self._link = self._link, None
            if link is not None:
                link.close()
        finally:
            try:
                turn.leave()
            except BaseException:  # Ctrl-C comes once
                turn.leave()
                raise

    def drop_link(self) -> None:
        """Leave the connection without a word."""
        link, self._link = self._link, None
        if link is not None:
            link.abandon()

    def __del__(self) -> None:
        """Leave no socket behind."""
        if getattr(self, "_link", None) is not None:
            self.drop_link()

    def _look_for_the_broker(self) -> None:
        """Take its address from its file once more; what can't be used leaves the old one."""
        if self._env is not None and not self._env.get("AJO_BROKER_URL"):
            with suppress(SettingError):
                self.broker = broker_of(read_settings(self._env).url)

    def _after_fork(self) -> None:
        """In the child: the connection is the parent's, and its lock may be held by a thread that isn't here."""
        self._turns = Turns()
        self._link = None
        self.sender = self.sender._replace(origin=_origin())


def _host_name() -> str:
    from socket import gethostname  # noqa: PLC0415 - not needed to import the package

    return gethostname() or "unknown"


def _origin() -> str:
    return f"{os.getpid()}@{_host_name()}"
