"""Links to no broker: they do what a test tells them, and wait for it to say so."""

import threading
from collections.abc import Callable, Collection, Sequence

from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.publishing.link import Deadline
from ajo_producers.publishing.outgoing import Outgoing

from tests.support.waiting import DEADLINE_SECONDS


class HeldLink:
    """Confirms each window once it is let go; ``fails`` may refuse a window, or raise, by the recipients in it."""

    def __init__(self, fails: Callable[[set[str]], object] = lambda _: None, *, held: bool = False) -> None:
        self.windows: list[list[set[str]]] = []
        self.under_way = threading.Semaphore(0)
        self.let_go = threading.Event()
        self._fails = fails
        if not held:
            self.let_go.set()

    def prepare(self, queues: Collection[str], deadline: Deadline) -> None:
        """Every queue is there."""

    def publish(self, messages: Sequence[Outgoing], _: Deadline, confirmed: Callable[[Outgoing], None]) -> None:
        """Wait, and confirm what doesn't fail."""
        window = [recipients_of(message) for message in messages]
        self.windows.append(window)
        self.under_way.release()
        assert self.let_go.wait(DEADLINE_SECONDS)
        for message, recipients in zip(messages, window, strict=True):
            self._fails(recipients)
            confirmed(message)

    def close(self) -> None:
        """Nothing to do."""

    abandon = close


def recipients_of(message: Outgoing) -> set[str]:
    """The user ids in a message."""
    triggers = map(decode_trigger, decode_body(message.body).triggers)
    return {recipient.user_id for trigger in triggers for recipient in trigger.recipients}
