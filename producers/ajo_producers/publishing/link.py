"""One connection to a broker, as the publisher sees it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from socket import SOCK_STREAM, getaddrinfo
from time import monotonic
from typing import Protocol

from ajo_producers.contract.broker import QUEUE_GONE
from ajo_producers.contract.counted import counted
from ajo_producers.publishing.outgoing import Outgoing


class LinkFailure(Exception):  # noqa: N818 - it never leaves this package
    """The link can't be used any more; the text says why, for people."""


class Refused(LinkFailure):
    """The broker has answered: it doesn't take the messages that were not confirmed."""


class Deadline:
    """When waiting ends: ``seconds`` after the start, or after the last sign of progress."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Progress was made: all the time there was is there again."""
        self._end = monotonic() + self._seconds

    @property
    def passed(self) -> bool:
        """Whether waiting has ended."""
        return monotonic() >= self._end

    def left(self) -> float:
        """Seconds left, 0 at least."""
        return max(self._end - monotonic(), 0.0)

    def remaining(self) -> float:
        """Seconds left, above 0.

        Raises:
            TimeoutError: none are.
        """
        if left := self.left():
            return left
        raise TimeoutError


class Link(Protocol):
    """A connection that confirms. Not for two threads at once, and of no use after it has failed."""

    def prepare(self, queues: Collection[str], deadline: Deadline) -> None:
        """See to it that these queues are there, so that what is published next goes out at once.

        Raises:
            LinkFailure: they can't be used.
        """

    def publish(self, messages: Sequence[Outgoing], deadline: Deadline, confirmed: Callable[[Outgoing], None]) -> None:
        """Send messages and wait until the broker has confirmed all; ``confirmed`` is called for each that it has.

        Raises:
            LinkFailure: at least one was not confirmed.
        """

    def close(self) -> None:
        """Take leave of the broker, in a second at most."""

    def abandon(self) -> None:
        """Close the socket without a word."""


def refusal(reasons: Sequence[str]) -> Refused:
    """The failure that the broker's own refusals are; the first one speaks for all."""
    return Refused(f"{counted(len(reasons), 'message')} refused: {reasons[0]}")


def addresses_of(host: str | None, port: int) -> int:
    """How many addresses a host has: the client libraries give their time-out to each of them in turn."""
    return len(getaddrinfo(host, port, type=SOCK_STREAM))


@contextmanager
def failures_named() -> Iterator[None]:
    """Turn whatever a client library raises into a ``LinkFailure`` that can be read."""
    try:
        yield
    except (LinkFailure, ImportError):
        raise
    except Exception as error:  # py-amqp raises AttributeError, KeyError and struct.error on a broken peer
        raise LinkFailure(reason_of(error)) from error


def reason_of(error: BaseException) -> str:
    """Why a connection failed; of an exception whose text is unknown to us, only the type."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    if type(error).__module__.startswith("redis."):
        return str(error) or type(error).__name__
    if type(error).__name__ == "ConsumerCancelled":  # py-amqp's, which is imported for RabbitMQ alone
        return QUEUE_GONE
    reply = getattr(error, "reply_text", None)
    return str(reply) if reply else type(error).__name__
