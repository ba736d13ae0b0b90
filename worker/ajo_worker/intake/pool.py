"""A Celery pool that is an asyncio event loop on its own thread: one process, thousands of attempts in flight."""

import asyncio
import gc
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, wait
from typing import Any
from uuid import UUID

import structlog
from ajo_producers.campaigns.folder import DefinitionError
from ajo_producers.contract.lanes import queues_of
from celery.concurrency.base import BasePool
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from celery.worker.state import maybe_shutdown

from ajo_worker.api.request import ForeignHost
from ajo_worker.bootstrap import Worker, start_worker
from ajo_worker.identity import worker_id
from ajo_worker.intake.acknowledging import Acknowledgements
from ajo_worker.intake.consumer_timeout import ConsumerTimeout
from ajo_worker.intake.hub_calls import HubCalls
from ajo_worker.intake.in_hand import Fullness, InHand
from ajo_worker.intake.open_files import allow_open_files, too_few_open_files
from ajo_worker.intake.receipt import Answerable, Key, Receipt, queue_of
from ajo_worker.intake.stop_signals import told_to_quit, told_to_stop
from ajo_worker.intake.taps import Taps
from ajo_worker.intake.task import Task, Unread
from ajo_worker.intake.vigil import Look, watch
from ajo_worker.settings import missing_credentials, settings
from ajo_worker.triggers.delivery import Delivery

try:
    from uvloop import Loop
except ImportError:  # there is none for Windows
    from asyncio import SelectorEventLoop as Loop  # type: ignore[assignment] # both are event loops

log = structlog.get_logger("ajo_worker.intake")

SWITCH_SECONDS = 0.000_5
"""After which the hub has the interpreter lock of a loop that is busy; it gives it up several times for each message,
and a thousand messages took seconds with Python's 5 ms."""
COLLECT_AFTER = 50_000, 20, 100
"""Objects, and collections of the younger ones, after which the garbage collector looks. Triggers in hand are none:
with Python's 700, 10, 10 it took a third of the CPU of large batches, and stopped everything for 0.3 s at a time."""
LOOK_EVERY = 0.2
"""Seconds between looks whether a worker that is starting was told to stop."""


class AsyncioPool(BasePool):  # type: ignore[misc] # Celery ships no types
    """Hands messages to the dispatcher on the loop's thread, and answers for them on the hub's."""

    is_green = False
    body_can_be_buffer = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._calls = HubCalls()
        self._acknowledgements = Acknowledgements(self._calls)
        self._consumer: Any = None
        self._taken: deque[Delivery] = deque()
        self._told = False
        self._loop: asyncio.AbstractEventLoop = Loop()
        self._thread = threading.Thread(target=self._run_loop, name="dispatch", daemon=True)
        self._worker: Worker | None = None
        self._watching: list[Future[None]] = []
        self.in_good_order = True
        self._taps = Taps(settings().queue_prefix, settings().lanes)
        fullness = {
            queue: Fullness(settings().prefetch, settings().prefetch_bytes)
            for queue in queues_of(settings().queue_prefix, settings().lanes)
        }
        self._in_hand = InHand(fullness, self._weigh)
        self.consumer_timeout = ConsumerTimeout(settings().consumer_timeout, self._in_hand, self._calls)

    def on_start(self) -> None:
        """Start the loop and everything on it; a worker that can't be built must not take messages.

        Raises:
            WorkerShutdown: it was told to stop meanwhile (0), or can't be built, and has said why (1).
        """
        if (missing := missing_credentials(settings()) or too_few_open_files()) is not None:
            log.error("worker-not-started", reason=missing)
            raise WorkerShutdown(EX_FAILURE)
        settings().max_in_flight = allow_open_files(settings().max_in_flight, "AJO_MAX_IN_FLIGHT")
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(
            start_worker(settings(), worker_id(), self._tap, self._left_behind), self._loop
        )
        while not starting.done():  # without the ledger for however long
            if told_to_stop():
                starting.cancel()
                maybe_shutdown()
            wait([starting], timeout=LOOK_EVERY)
        try:
            self._worker = starting.result()
        except (ForeignHost, DefinitionError, OSError) as reason:
            log.error("worker-not-started", reason="; ".join(str(reason).splitlines()))  # noqa: TRY400 - a person's mistake
            raise WorkerShutdown(EX_FAILURE) from None
        if settings().broker.kind == "rabbitmq":  # Valkey has no consumers that could vanish
            lanes, ask = queues_of(settings().queue_prefix, settings().lanes), self._worker.looking.lengths
            in_time = self.consumer_timeout.keep(self._worker.dispatcher.drop_away)
            watches = (watch(lanes, ask, self._look, self._reconnect), in_time)
            self._watching = [asyncio.run_coroutine_threadsafe(one, self._loop) for one in watches]
        full_intakes = self._worker.ledger.liveness.full_intakes
        self._watching.append(asyncio.run_coroutine_threadsafe(full_intakes.watch(), self._loop))
        gc.freeze()  # what stands now stands until the end
        gc.set_threshold(*COLLECT_AFTER)
        full_intakes.lanes = lambda: self._in_hand.full_lanes(time.monotonic())

    def consuming(self, consumer: Any) -> None:
        """Called by the consumer, on the hub's thread, whenever it is about to consume."""
        self._consumer = consumer
        self._acknowledgements.connection_lost()
        self._in_hand.connection_lost(time.monotonic())
        self._taps.attach(consumer)

    def register_with_event_loop(self, loop: Any) -> None:
        """Called by Celery at each connection to the broker, with its hub."""
        self._calls.attach(loop)

    def came(self, message: Any) -> None:
        """A message came, and is taken or put into quarantine soon."""
        self._acknowledgements.came(message)

    def take(self, message: Any) -> None:
        """Take a message that can be read. The loop is woken once for all that come before it looks."""
        if self._worker is None:  # what comes while the connection ends goes back with it
            return
        task = Task(message, self._acknowledgements, self._consumer.event_dispatcher)
        task.begins()
        if (delivery := self._held(message, task, task=True)) is not None:
            self._taken.append(delivery)
            if not self._told:
                self._told = True
                self._loop.call_soon_threadsafe(self._deliver)

    def quarantine(self, message: Any, reason: str) -> None:
        """Keep a message that Celery can't read; it is acknowledged once it is kept."""
        if self._worker is None:
            return
        if (delivery := self._held(message, Unread(message, self._acknowledgements), task=False)) is not None:
            self._loop.call_soon_threadsafe(self._worker.dispatcher.quarantine, delivery, reason)

    def on_close(self) -> None:
        """The worker was told to stop: give back what is not in flight."""
        if self._worker is not None:
            log.info("worker-stopping", messages_in_hand=self._in_hand.held)
            self._loop.call_soon_threadsafe(self._worker.dispatcher.begin_closing)

    def on_stop(self) -> None:
        """Give back what is not in flight, and wait for the rest, unless told to quit meanwhile.

        The hub's own loop has ended, and is turned here.
        """
        if self._worker is None:
            return
        for watching in self._watching:
            watching.cancel()
        self._loop.call_soon_threadsafe(self._worker.dispatcher.begin_closing)
        stopping = asyncio.run_coroutine_threadsafe(self._worker.stop(), self._loop)
        stopping.add_done_callback(lambda _: self._calls.soon(lambda: None))
        hurried = False
        while not stopping.done() or self._in_hand.held or self._in_hand.away:
            if told_to_quit() and not hurried:
                hurried = True
                self._loop.call_soon_threadsafe(self._worker.dispatcher.hurry)
            self._calls.turn()
        self._acknowledgements.flush(held=0)
        if self._consumer is not None:
            self._consumer.send_events()
        self._worker, self.in_good_order = None, stopping.exception() is None and stopping.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    on_terminate = on_stop

    @property
    def num_processes(self) -> int:
        """Celery's word for the pool's size; with the prefetch multiplier 1 it is the prefetch count."""
        return int(self.limit)

    def _deliver(self) -> None:
        """Called on the loop's thread."""
        self._told = False
        while self._taken:
            delivery = self._taken.popleft()
            if self._worker is not None:
                self._worker.dispatcher.deliver(delivery)

    def _held(self, message: Any, answers: Answerable, *, task: bool) -> Delivery | None:
        """A message that the broker waits for from now on, by what ``answers``; None for a copy of work in hand."""
        now: float = getattr(message, "arrived", None) or time.monotonic()
        key = Key(queue_of(message), _as_bytes(message.body), task)
        if self._in_hand.joins(key, answers, now):
            return None
        if self._in_hand.is_heavy(key.queue):  # it was on its way when the consumer was cancelled
            answers.give_back()
            return None
        receipt = Receipt(answers, key, self._calls, self._ended)
        self._in_hand.hold(receipt, now)
        headers = dict(message.headers or {})
        return Delivery(body=key.body, headers=headers, queue=key.queue, received=now, receipt=receipt)

    def _tap(self, paused: frozenset[str]) -> None:
        self._calls.soon(lambda: self._taps.turn(paused))

    def _weigh(self, heavy: frozenset[str]) -> None:
        log.info("intake-heavy", queues=sorted(heavy), most_bytes=settings().prefetch_bytes)
        self._calls.soon(lambda: self._taps.weigh(heavy))

    def _left_behind(self, dead: frozenset[UUID]) -> None:
        self._calls.soon(lambda: self._taps.give_back_of(dead))

    def _look(self) -> Look:
        return Look(self._in_hand.taken, self._in_hand.held < settings().prefetch, self._taps.closed)

    def _reconnect(self) -> None:
        self._calls.soon(self._taps.reconnect)

    def _ended(self, receipt: Receipt) -> None:
        self._in_hand.ended(receipt, time.monotonic())

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _get_info(self) -> dict[str, Any]:
        dispatcher = self._worker.dispatcher if self._worker else None
        return {
            "implementation": f"{type(self).__module__}:{type(self).__name__}",
            "max-concurrency": self.limit,
            "messages-in-hand": self._in_hand.held,
            "messages-given-back": self._in_hand.away,
            "messages-not-opened": dispatcher.waiting if dispatcher else 0,
            "triggers-open": dispatcher.open if dispatcher else 0,
            "attempts-in-flight": self._worker.slots.taken if self._worker else 0,
        }


def _as_bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)
