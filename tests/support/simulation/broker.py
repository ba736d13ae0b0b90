"""A model broker: a message stays until its newest copy is acknowledged, and dead workers' messages come again."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ajo_worker.triggers.delivery import Delivery

from tests.support.simulation.loops import Loop, World

AGAIN = 0.02
"""Seconds until a message that came back is handed out again."""


class Consumer(Protocol):
    """A process that takes messages."""

    loop: Loop

    def takes(self) -> bool:
        """Whether it takes messages now."""

    def deliver(self, delivery: Delivery) -> None:
        """Hand it a message."""

    def monotonic(self) -> float:
        """Its clock."""


@dataclass(eq=False, slots=True)
class Message:
    """A message that is not yet acknowledged; ``copy`` counts its deliveries, ``holder`` has the newest."""

    number: int
    body: bytes
    request_ids: tuple[UUID, ...]
    copy: int = 0
    holder: Consumer | None = None


class Broker:
    """Queues and consumers of one lane."""

    def __init__(self, world: World, on_acknowledge: Callable[[Message], None]) -> None:
        self.world = world
        self.messages: list[Message] = []
        self.consumers: list[Consumer] = []
        self._published = 0
        self._queue: deque[Message] = deque()
        self._on_acknowledge = on_acknowledge

    def publish(self, body: bytes, request_ids: tuple[UUID, ...]) -> Message:
        """Take a message."""
        message = Message(self._published, body, request_ids)
        self._published += 1
        self.messages.append(message)
        self.queue(message)
        return message

    def queue(self, message: Message, to: Consumer | None = None) -> None:
        """Hand a message out (again), to a certain consumer if that one takes messages; older copies count no more."""
        message.copy += 1
        message.holder = None
        if to is not None and to.takes():
            self._hand_out(message, to)
        else:
            self._queue.append(message)
            self.world.later(AGAIN, self.hand_out)

    def lose(self, consumer: Consumer) -> None:
        """A consumer's connection has ended: all that it had comes again."""
        if consumer in self.consumers:
            self.consumers.remove(consumer)
        for message in self.messages:
            if message.holder is consumer:
                self.queue(message)

    def hand_out(self) -> None:
        """Hand out what is queued, to one consumer after another."""
        while self._queue:
            takers = [consumer for consumer in self.consumers if consumer.takes()]
            if not takers:
                return
            consumer = takers[0]
            self.consumers.remove(consumer)
            self.consumers.append(consumer)
            self._hand_out(self._queue.popleft(), consumer)

    def _hand_out(self, message: Message, consumer: Consumer) -> None:
        message.holder = consumer
        receipt = Receipt(self, message, message.copy)
        delivery = Delivery(message.body, {}, "ajo-dispatch.standard", consumer.monotonic(), receipt)
        consumer.loop.call_soon(consumer.deliver, delivery)
        self.world.mark("delivered", consumer.loop)

    def acknowledge(self, message: Message, copy: int) -> None:
        """A message is done, unless that copy counts no more."""
        self._on_acknowledge(message)
        if message.copy == copy and message in self.messages:
            self.messages.remove(message)

    def give_back(self, message: Message, copy: int) -> None:
        """A message was not finished."""
        if message.copy == copy and message in self.messages:
            self.queue(message)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of one copy."""

    broker: Broker
    message: Message
    copy: int

    @property
    def away(self) -> bool:
        """Whether another copy counts."""
        return self.message.copy != self.copy

    def retried(self, retries: int, reason: str) -> None:
        """Nothing to show."""

    def done(self, summary: str) -> None:  # noqa: ARG002 - the protocol's signature
        """Acknowledge."""
        self.broker.acknowledge(self.message, self.copy)

    failed = done

    def returned(self) -> None:
        """Give back."""
        self.broker.give_back(self.message, self.copy)
