"""A seeded stream of triggers of two campaigns, half of them single and half in batches, published by one thread."""

import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from ajo_producers import Campaigns, CheckedTrigger, Publisher, PublishError

CAMPAIGNS = ("order-shipped", "flash-sale")
PLANTED_DOMAIN = "chaos.example.com"
GIVE_UP_SECONDS = 90.0
PAUSE_SECONDS = 0.2


def triggers(folder: Path, seed: int, count: int) -> Iterator[list[CheckedTrigger]]:
    """Chunks of triggers: one of 1 is published by itself, a longer one as a batch; as many triggers in either way."""
    chance, campaigns = random.Random(seed), Campaigns.load(folder)
    number = singles = batched = 0
    while number < count:
        size = 1 if singles <= batched else min(chance.randint(2, 100), count - number)
        chunk = []
        for _ in range(size):
            number += 1
            chunk.append(
                campaigns[chance.choice(CAMPAIGNS)].trigger(
                    to=f"person{number}@{PLANTED_DOMAIN}", context={"orderId": f"A-{seed}-{number}"}
                )
            )
        singles, batched = (singles + size, batched) if size == 1 else (singles, batched + size)
        yield chunk


class Stream:
    """Publishes at a steady rate; whatever was not confirmed is published again, as a careful producer does."""

    def __init__(self, publisher: Publisher, chunks: Iterator[list[CheckedTrigger]], rate: float) -> None:
        self._publisher = publisher
        self._chunks = chunks
        self._rate = rate
        self.offered: set[str] = set()
        self.confirmed: set[str] = set()
        self._publishing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end: everything is confirmed, or was given up."""
        self._thread.join()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is under way to the broker meanwhile."""
        with self._publishing:
            yield

    @property
    def flowing(self) -> bool:
        """Whether it is not over yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        began, sent = time.monotonic(), 0
        for chunk in self._chunks:
            self.offered |= {str(trigger.request_id) for trigger in chunk}
            with self._publishing:
                self._publish(chunk)
            sent += len(chunk)
            time.sleep(max(began + sent / self._rate - time.monotonic(), 0))

    def _publish(self, chunk: list[CheckedTrigger]) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        left = {trigger.request_id: trigger for trigger in chunk}
        while left:
            try:
                if len(left) == 1:
                    self._confirm(left, [self._publisher.publish(next(iter(left.values()))).request_id])
                else:
                    self._confirm(left, self._publisher.publish_many(left.values()).confirmed)
            except PublishError as error:
                self._confirm(left, error.confirmed)
                if time.monotonic() > deadline:
                    return
                time.sleep(PAUSE_SECONDS)

    def _confirm(self, left: dict[UUID, CheckedTrigger], confirmed: Iterable[UUID]) -> None:
        for request_id in confirmed:
            left.pop(request_id, None)
            self.confirmed.add(str(request_id))
