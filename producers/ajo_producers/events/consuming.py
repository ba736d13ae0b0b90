"""Consuming events: a message is acknowledged once the broker has confirmed all that its events made, never before.

What can't be taken goes to the dead letters, and holds up nothing behind it. Where the triggers' broker is away, what
was taken waits here, and is tried again with pauses; where the events' broker is away, its messages come again.
"""

import threading
from collections.abc import Callable

from ajo_producers.events.event import Event
from ajo_producers.events.log import tell
from ajo_producers.events.portion import Portion, Streaming
from ajo_producers.events.queue import EventQueue, Taken
from ajo_producers.events.translation import Translation
from ajo_producers.publishing.link import LinkFailure

LOOK_SECONDS = 0.5
"""For which nothing may come before it is looked whether to stop."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a broker that was away is tried again: at first, and at most."""


class Consumer:
    """Takes events until ``stop`` is set; ``connect`` opens a connection to their queue."""

    def __init__(
        self,
        connect: Callable[[], EventQueue],
        translate: Callable[[Event], Translation],
        publisher: Streaming,
        stop: threading.Event,
    ) -> None:
        self._connect, self._translate, self._publisher, self._stop = connect, translate, publisher, stop
        self.taken = self.buried = 0

    def run(self, queue: EventQueue) -> None:
        """Take what comes over ``queue``, and over others once it is broken."""
        pause = FIRST_PAUSE
        current: EventQueue | None = queue
        while not self._stop.is_set():
            try:
                current = current or self._connect()
                pause = FIRST_PAUSE
                while not self._stop.is_set():
                    if taken := current.take(LOOK_SECONDS):
                        self._work(current, taken)
            except LinkFailure as failure:
                tell("events-broker-away", why=str(failure), again_in=pause)
                if current is not None:
                    current.close()
                current = None
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        if current is not None:
            current.close()

    def _work(self, queue: EventQueue, taken: list[Taken]) -> None:
        portion = Portion([event for one in taken for event in one.events], self._translate)
        pause = FIRST_PAUSE
        while (failure := portion.publish(self._publisher)) is not None:
            tell("events-not-confirmed", why=str(failure), again_in=pause)
            self._wait(queue, pause)
            if self._stop.is_set():
                break
            pause = min(pause * 2, LONGEST_PAUSE)
        at = 0
        for one in taken:
            places = range(at, at + len(one.events))
            at += len(one.events)
            if all(map(portion.is_done, places)):
                if faults := [fault for place in places for fault in portion.found[place].faults]:
                    queue.bury(one, faults)
                    self.buried += 1
                    tell("event-buried", queue=queue.dead, faults=[str(fault) for fault in faults][:5])
                queue.acknowledge(one)
                self.taken += 1

    def _wait(self, queue: EventQueue, seconds: float) -> None:
        """In steps, so that neither a stop nor a heartbeat waits."""
        while seconds > 0 and not self._stop.is_set():
            queue.wait(min(LOOK_SECONDS, seconds))
            seconds -= LOOK_SECONDS
