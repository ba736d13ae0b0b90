"""Takes messages apart into triggers, brings each to its state, and answers for the message as a whole."""

import asyncio
from collections import Counter, deque
from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from ajo_producers.contract.batch import BadMessage, BadTrigger, Batch, decode_body, decode_trigger
from ajo_producers.contract.lanes import lane_of
from ajo_producers.contract.trigger import Trigger

from ajo_worker.api.verdict import Verdict
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.decision import End
from ajo_worker.dispatch.delivery import Delivery
from ajo_worker.dispatch.received import Campaign, Received, as_sent, campaign_of
from ajo_worker.dispatch.rounds import OnRetry, Rounds
from ajo_worker.dispatch.summary import KNOWN_BEFORE, Outcome, mostly_failed, summary
from ajo_worker.ledger.admission import Done
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.group_commit import RowRefused, WriterStopped
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.quarantine import quarantined

log = structlog.get_logger("ajo_worker.dispatch")

PAUSE_AFTER_FAULT = 5.0
"""Seconds before a message goes back to the broker after a fault of our own: it must not spin."""
UNREADABLE = "unreadable"
"""Why something is in quarantine, where nothing of it may be shown; ledger.quarantine says what is wrong."""
AT_ONCE = 25
"""Triggers of a queue after which others have a turn: a backlog that comes at once must not hold the loop up."""


class _Running(NamedTuple):
    """A trigger under way, and how it came first."""

    task: "asyncio.Task[End | Done]"
    first: Received


class Dispatcher:
    """Opens messages of a queue only as long as fewer than ``most_open`` triggers of it are under way.

    The others wait undecoded. So what waits for one lane's destination never keeps another lane's messages, or urgent
    ones, from being opened.
    """

    def __init__(
        self,
        rounds: Rounds,
        ledger: Ledger,
        clock: LedgerClock,
        closing: Closing,
        campaigns: Mapping[str, Campaign],
        *,
        most_open: int,
    ) -> None:
        self._rounds = rounds
        self._ledger = ledger
        self._clock = clock
        self._closing = closing
        self._campaigns = campaigns
        self._most_open = most_open
        self._waiting: dict[str, deque[tuple[Delivery, float]]] = {}
        self._open_of: Counter[str] = Counter()
        self._opened_now: Counter[str] = Counter()
        self._running: dict[UUID, _Running] = {}
        self._going_back: dict[UUID, Received] = {}
        self._messages: set[asyncio.Task[None]] = set()
        self._resumed_open = 0
        self.hurried = False
        self.open = 0

    def deliver(self, delivery: Delivery) -> None:
        """Take a message; its receipt is told what becomes of it. It never waits behind those of other queues."""
        self._waiting.setdefault(delivery.queue, deque()).append((delivery, self._clock.monotonic()))
        self._open_from(delivery.queue)

    def give_back(self, lane: str) -> None:
        """Give the messages of a lane back that are not opened yet."""
        for queue, waiting in self._waiting.items():
            while waiting and lane_of(queue) == lane:
                waiting.popleft()[0].receipt.returned()

    def drop_away(self) -> None:
        """Let go of what is not opened yet and the broker has again: whoever takes it there begins with it."""
        for waiting in self._waiting.values():
            for _ in range(len(waiting)):
                delivery, came = waiting.popleft()
                if delivery.receipt.away:
                    delivery.receipt.returned()
                else:
                    waiting.append((delivery, came))

    def resume(self, received: Received) -> "asyncio.Task[None]":
        """Take a parked trigger whose next round was opened; no message stands behind it, so it is not given back."""
        self._resumed_open += 1
        return self._start(self._resumed(received))

    def has(self, request_id: UUID) -> bool:
        """Whether a trigger is in hand."""
        return request_id in self._running

    @property
    def room(self) -> int:
        """How many more parked triggers may go on; a share of their own, whatever comes from the broker meanwhile."""
        return 0 if self._closing.begun else max(self._most_open // 4 - self._resumed_open, 0)

    def quarantine(self, delivery: Delivery, reason: str) -> None:
        """Keep a message that couldn't even be opened."""
        self._start(self._answer(delivery, BadMessage(reason)))

    @property
    def waiting(self) -> int:
        """Messages that are not yet opened."""
        return sum(map(len, self._waiting.values()))

    @property
    def unopened(self) -> dict[str, int]:
        """Messages of each queue that are not yet opened."""
        return {queue: len(waiting) for queue, waiting in self._waiting.items() if waiting}

    @property
    def under_way(self) -> Counter[tuple[str, str]]:
        """Triggers in hand, by lane and campaign; of none whose campaign nobody here knows.

        Those too that go back to the broker once the others of their message are at their end: until then they are
        nowhere else.
        """
        running = {request_id: running.first for request_id, running in self._running.items()}
        return Counter(
            (received.lane, received.trigger.campaign)
            for received in (self._going_back | running).values()
            if received.campaign is not None
        )

    def begin_closing(self) -> None:
        """Give back what is not yet in flight."""
        self._closing.begin()
        self._ledger.hand_back()
        self._open_more()

    def hurry(self) -> None:
        """Cut off what is in flight: another worker takes it over, as a dead one's."""
        self.hurried = True
        self._cut_off()

    async def finish(self, grace: float) -> bool:
        """Wait until no message is in hand; after ``grace`` seconds give up and return False."""
        while self._messages:
            _, late = await asyncio.wait(self._messages, timeout=grace)
            if late:
                self._cut_off()
                return False
        return True

    def _cut_off(self) -> None:
        for running in self._running.values():
            running.task.cancel()

    def _open_more(self) -> None:
        for queue in self._waiting:
            self._open_from(queue)

    def _open_from(self, queue: str) -> None:
        waiting = self._waiting[queue]
        while waiting and (self._may_open(queue) or self._closing.begun):
            delivery, came = waiting.popleft()
            if self._closing.begun:
                delivery.receipt.returned()
                continue
            self._open(delivery, self._clock.monotonic() - came)

    def _may_open(self, queue: str) -> bool:
        return self._open_of[queue] < self._most_open and self._opened_now[queue] < AT_ONCE

    def _turn_over(self, queue: str, began: float) -> None:
        """Half of the time is for the other queues, if any of their triggers is under way."""
        took = self._clock.monotonic() - began
        others = any(count for other, count in self._open_of.items() if other != queue)
        asyncio.get_running_loop().call_later(took if others else 0.0, self._next_turn, queue)

    def _next_turn(self, queue: str) -> None:
        del self._opened_now[queue]
        self._open_from(queue)

    def _open(self, delivery: Delivery, unopened: float) -> None:
        opened = _decoded(delivery.body)
        triggers = len(opened.triggers) if isinstance(opened, Batch) else 0
        self.open += triggers
        self._open_of[delivery.queue] += triggers
        if delivery.queue not in self._opened_now:
            asyncio.get_running_loop().call_soon(self._turn_over, delivery.queue, self._clock.monotonic())
        self._opened_now[delivery.queue] += max(triggers, 1)
        self._start(self._answer(delivery, opened, unopened))

    def _start(self, answer: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(answer)
        self._messages.add(task)
        task.add_done_callback(self._messages.discard)
        return task

    async def _resumed(self, received: Received) -> None:
        if (before := self._running.get(received.trigger.request_id)) is not None:
            await asyncio.wait({before.task})  # the end of the round before, just being told
        try:
            while True:
                try:
                    await self._conducted(received, _no_receipt)
                except (HandedBack, WriterStopped, asyncio.CancelledError):
                    return  # another worker finds it in the ledger
                except Exception:
                    log.exception("dispatch-fault", request_id=str(received.trigger.request_id))
                    await asyncio.sleep(PAUSE_AFTER_FAULT)
                else:
                    return
        finally:
            self._resumed_open -= 1

    async def _conducted(self, received: Received, on_retry: OnRetry) -> End | Done:
        """Bring a trigger to its state; a copy of one in hand joins it."""
        request_id = received.trigger.request_id
        running = self._running.get(request_id)
        if running is None:
            running = _Running(asyncio.create_task(self._rounds.conduct(received, on_retry)), received)
            self._running[request_id] = running
            running.task.add_done_callback(lambda _: self._running.pop(request_id, None))
        else:
            await self._rounds.claims.compare(received, running.first)
        return await asyncio.shield(running.task)

    async def _answer(self, delivery: Delivery, opened: Batch | BadMessage, unopened: float = 0.0) -> None:
        """Bring a whole message to its end, and say so; whatever happens, the message is answered for."""
        try:
            outcomes = await self._message(delivery, opened, unopened)
        except (HandedBack, WriterStopped, asyncio.CancelledError):
            delivery.receipt.returned()
        except Exception:
            log.exception("dispatch-fault", queue=delivery.queue)
            await asyncio.sleep(PAUSE_AFTER_FAULT)
            delivery.receipt.returned()
        else:
            (delivery.receipt.failed if mostly_failed(outcomes) else delivery.receipt.done)(summary(outcomes))

    async def _message(self, delivery: Delivery, opened: Batch | BadMessage, unopened: float) -> Counter[Outcome]:
        if isinstance(opened, BadMessage):
            await self._quarantine(delivery, delivery.body, str(opened))
            return Counter([Outcome("quarantined", UNREADABLE)])
        back: list[UUID] = []
        ends = await asyncio.gather(
            *(self._trigger(delivery, opened, bytes(raw), unopened, back) for raw in opened.triggers),
            return_exceptions=True,
        )
        for request_id in back:
            self._going_back.pop(request_id, None)
        outcomes = Counter[Outcome]()
        for end in ends:
            if isinstance(end, BaseException):
                raise end
            outcomes[end] += 1
        return outcomes

    async def _trigger(
        self, delivery: Delivery, batch: Batch, payload: bytes, unopened: float, back: list[UUID]
    ) -> Outcome:
        try:
            trigger = decode_trigger(payload)
            received = self._received(delivery, batch, trigger, payload, unopened)
            try:
                end = await self._conducted(received, self._on_retry(delivery))
            except HandedBack:
                back.append(trigger.request_id)
                self._going_back[trigger.request_id] = received
                raise
            return Outcome(end.state, end.reason if isinstance(end, End) else KNOWN_BEFORE)
        except BadTrigger as bad:
            await self._quarantine(delivery, payload, str(bad))
            return Outcome("quarantined", UNREADABLE)
        except RowRefused as refused:
            if refused.writer != self._ledger.admissions.name:
                raise  # it has been admitted, and perhaps sent: its next copy finds out what became of it
            await self._quarantine(delivery, payload, f"the ledger can't hold it: {refused}")
            return Outcome("quarantined", UNREADABLE)
        finally:
            self.open -= 1
            self._open_of[delivery.queue] -= 1
            self._open_from(delivery.queue)

    def _received(
        self, delivery: Delivery, batch: Batch, trigger: Trigger, payload: bytes, unopened: float
    ) -> Received:
        digest = trigger.call_digest or ""
        campaign = campaign_of(self._campaigns, trigger.campaign, digest)
        return Received(
            trigger=as_sent(trigger, campaign),
            payload=payload,
            batch_id=batch.batch_id,
            producer=batch.producer,
            enqueued_at=batch.enqueued_at,
            received=delivery.received,
            received_at=self._clock.at(delivery.received),
            campaign=campaign,
            lane=campaign.definition.lane if campaign else lane_of(delivery.queue),
            call_digest=digest,
            given=trigger.recipients,
            came_by=lane_of(delivery.queue),
            unopened=unopened,
        )

    def _on_retry(self, delivery: Delivery) -> OnRetry:
        def on_retry(received: Received, attempts: int, verdict: Verdict, wait: float) -> None:
            reason = f"{verdict.reason} ({verdict.http_status or verdict.failure})"
            delivery.receipt.retried(attempts, f"{reason}, {received.trigger.request_id}, again in {wait:.2f} s")

        return on_retry

    async def _quarantine(self, delivery: Delivery, body: bytes, reason: str) -> None:
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


def _no_receipt(*_: object) -> None:
    """A resumed trigger has no message whose sender is told of its retries."""


def _decoded(body: bytes) -> Batch | BadMessage:
    try:
        return decode_body(body)
    except BadMessage as bad:
        return bad
