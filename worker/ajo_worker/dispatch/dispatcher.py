"""The dispatcher: messages are taken apart into triggers, and answered for once each of these has its end."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from ajo_producers.contract.batch import BadMessage, BadTrigger, decode_body

from ajo_worker.closing import HandedBack
from ajo_worker.dispatch.attempt import Ended, Flight, Flights
from ajo_worker.dispatch.decision import End
from ajo_worker.dispatch.going_on import GoingOn
from ajo_worker.dispatch.messages import KNOWN_BEFORE, UNREADABLE, Fate, Message, Messages
from ajo_worker.dispatch.opening import Opening
from ajo_worker.dispatch.pipeline import Pipeline
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.quarantine import quarantined
from ajo_worker.ledger.write_faults import RowRefused
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.delivery import Delivery
from ajo_worker.triggers.received import Opened, Received


class Dispatcher:
    """All that is in hand: messages that wait to be opened, their triggers, and parked ones that go on."""

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        clock: LedgerClock,
        campaigns: Mapping[str, KnownCampaign],
        most_open: int,
    ) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._clock = clock
        self._closing = closing = pipeline.means.closing
        self._campaigns = campaigns
        self._opening = Opening(most_open, closing, clock.monotonic, self._opened)
        self._flights = Flights()
        self._new: list[Flight] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._going_on = GoingOn(self._flights, pipeline.start, closing, most_open // 4)
        self._nothing_left = asyncio.Event()
        self._messages = Messages(self._opening.over, self._nothing_left.set, self._begin)
        self.hurried = False

    def deliver(self, delivery: Delivery) -> None:
        """Take a message; its receipt is told what becomes of it."""
        self._opening.take(delivery)

    def give_back(self, lane: str) -> None:
        """Give the messages of a lane back that are not opened yet."""
        self._opening.give_back(lane)

    def drop_away(self) -> None:
        """Let go of what is not opened yet and the broker has again: whoever takes it there begins with it."""
        self._opening.drop_away()

    def resume(self, received: Received) -> "asyncio.Task[None]":
        """Take a parked trigger whose next round was opened; no message stands behind it, so it is not given back."""
        return self._begin(self._going_on.takes(received))

    def has(self, request_id: UUID) -> bool:
        """Whether a trigger is in hand."""
        return request_id in self._flights

    @property
    def room(self) -> int:
        """How many more parked triggers may go on; a share of their own, whatever comes from the broker meanwhile."""
        return self._going_on.room

    def quarantine(self, delivery: Delivery, reason: str) -> None:
        """Keep a message that couldn't even be opened."""
        message = self._messages.take(delivery, 1, opened=False)
        self._begin(self._quarantined(message, delivery.body, reason))

    @property
    def waiting(self) -> int:
        """Messages that are not yet opened."""
        return sum(self._opening.waiting.values())

    @property
    def unopened(self) -> dict[str, int]:
        """Messages of each queue that are not yet opened."""
        return self._opening.waiting

    @property
    def open(self) -> int:
        """Triggers of opened messages that have no end yet."""
        return self._opening.open

    @property
    def under_way(self) -> Counter[tuple[str, str]]:
        """Triggers in hand, by lane and campaign; of none whose campaign nobody here knows.

        Those too that go back to the broker once the others of their message are at their end: until then they are
        nowhere else.
        """
        flights = {request_id: flight.received for request_id, flight in self._flights.items()}
        return Counter(
            (received.lane, received.trigger.campaign)
            for received in (self._messages.going_back | flights).values()
            if received.campaign is not None
        )

    def begin_closing(self) -> None:
        """Give back what is not yet in flight."""
        self._closing.begin()
        self._ledger.hand_back()
        self._opening.give_all_back()

    def hurry(self) -> None:
        """Cut off what is in flight: another worker takes it over, as a dead one's."""
        self.hurried = True
        self._cut_off()

    async def finish(self, grace: float) -> bool:
        """Wait until no message is in hand; after ``grace`` seconds give up and return False."""
        try:
            async with asyncio.timeout(grace):
                while self._messages or self._tasks:
                    self._nothing_left.clear()
                    await self._nothing_left.wait()
        except TimeoutError:
            self._cut_off()
            return False
        return True

    def _cut_off(self) -> None:
        self._pipeline.cut_off()
        for task in tuple(self._tasks):
            task.cancel()
        for flight in tuple(self._flights.values()):
            flight.ends(asyncio.CancelledError())

    def _opened(self, delivery: Delivery, unopened: float) -> int:
        try:
            batch = decode_body(delivery.body)
        except BadMessage as bad:
            self.quarantine(delivery, str(bad))
            return 0
        except Exception as fault:  # noqa: BLE001 - what nobody answers for would never come again
            self._messages.one_less(self._messages.take(delivery, 1, opened=False), fault=fault)
            return 0
        message = self._messages.take(delivery, len(batch.triggers), opened=True)
        ended, received = partial(self._ended, message), Opened.of(delivery, batch, self._clock, unopened).trigger
        for raw in batch.triggers:
            payload = bytes(raw)
            try:
                flight = Flight(received(payload, self._campaigns), ended, message.on_retry)
            except BadTrigger as bad:
                self._begin(self._quarantined(message, payload, str(bad)))
                continue
            except Exception as fault:  # noqa: BLE001 - as above; its neighbours go on
                self._messages.one_less(message, fault=fault)
                continue
            request_id = flight.received.trigger.request_id
            if (running := self._flights.get(request_id)) is not None:
                self._begin(self._joins(flight, running))
            else:
                self._flights[request_id] = flight
                self._starts(flight)
        return len(batch.triggers)

    def _starts(self, flight: Flight) -> None:
        """It starts with all others that are opened in this turn of the loop, of whatever messages."""
        if not self._new:
            asyncio.get_running_loop().call_soon(self._start)
        self._new.append(flight)

    def _start(self) -> None:
        new, self._new = self._new, []
        self._pipeline.start([flight for flight in new if not flight.over])

    async def _joins(self, copy: Flight, running: Flight) -> None:
        """A copy of a trigger in hand ends as that one does."""
        try:
            await self._pipeline.copies.compare(copy.received, running.received)
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - whoever answers for it is told
            copy.ends(fault)
        else:
            running.joined(copy)

    def _ended(self, message: Message, flight: Flight, end: Ended) -> None:
        self._flights.let_go(flight)
        if isinstance(end, RowRefused) and end.writer == self._ledger.admissions.name:
            # Of another writer: it has been admitted, and perhaps sent; its next copy finds out what became of it.
            self._begin(self._quarantined(message, flight.received.payload, f"the ledger can't hold it: {end}"))
        elif isinstance(end, BaseException):
            if isinstance(end, HandedBack):
                self._messages.goes_back(message, flight.received)
            self._messages.one_less(message, fault=end)
        else:
            self._messages.one_less(message, Fate(end.state, end.reason if isinstance(end, End) else KNOWN_BEFORE))

    async def _quarantined(self, message: Message, body: bytes, reason: str) -> None:
        """Keep what can't be read."""
        delivery = message.delivery
        try:
            await self._ledger.quarantine.submit(
                quarantined(
                    body,
                    reason=reason,
                    queue=delivery.queue,
                    headers=delivery.headers,
                    received_at=self._clock.at(delivery.received),
                    worker=self._ledger.worker_id,
                )
            )
        except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001 - the message answers for it
            self._messages.one_less(message, fault=fault)
        else:
            self._messages.one_less(message, Fate("quarantined", UNREADABLE))

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._nothing_left.set()
