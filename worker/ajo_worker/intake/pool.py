"""A Celery pool that is an asyncio event loop on its own thread: one process, thousands of attempts in flight."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any
from uuid import UUID

import structlog
from ajo_producers.campaigns.folder import DefinitionError
from ajo_producers.contract.lanes import lane_of, queue_names
from celery.concurrency.base import BasePool
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from celery.worker.state import maybe_shutdown

from ajo_worker.api.request import ForeignHost
from ajo_worker.bootstrap import Worker, start_worker
from ajo_worker.dispatch.delivery import Delivery
from ajo_worker.identity import worker_id
from ajo_worker.intake.fullness import Fullness
from ajo_worker.intake.hub_calls import HubCalls
from ajo_worker.intake.open_files import allow_open_files
from ajo_worker.intake.receipt import QuarantineReceipt, RequestReceipt
from ajo_worker.intake.stop_signals import told_to_quit, told_to_stop
from ajo_worker.intake.taps import Taps
from ajo_worker.intake.vigil import Look, watch
from ajo_worker.settings import settings

try:
    from uvloop import Loop
except ImportError:  # there is none for Windows
    from asyncio import SelectorEventLoop as Loop  # type: ignore[assignment] # both are event loops

log = structlog.get_logger("ajo_worker.intake")

LOOK_EVERY = 0.2
"""Seconds between looks whether a worker that is starting was told to stop."""


class AsyncioPool(BasePool):  # type: ignore[misc] # Celery ships no types
    """Hands messages to the dispatcher on the loop's thread, and answers for them on the hub's."""

    is_green = False
    body_can_be_buffer = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._calls = HubCalls()
        self._in_hand = self._taken = 0
        self._loop: asyncio.AbstractEventLoop = Loop()
        self._thread = threading.Thread(target=self._run_loop, name="dispatch", daemon=True)
        self._worker: Worker | None = None
        self._watching: Future[None] | None = None
        self._taps = Taps(settings().queue_prefix, settings().lanes)
        self._fullness = {
            queue: Fullness(settings().prefetch)
            for lane in settings().lanes
            for queue in queue_names(settings().queue_prefix, lane)
        }
        self._in_hand_of: Counter[str] = Counter()

    def on_start(self) -> None:
        """Start the loop and everything on it; a worker that can't be built must not take messages.

        Raises:
            WorkerShutdown: it was told to stop meanwhile (0), or can't be built, and has said why (1).
        """
        allow_open_files(settings().max_in_flight, "AJO_MAX_IN_FLIGHT")
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
            watching = watch(settings(), self._look, self._reconnect)
            self._watching = asyncio.run_coroutine_threadsafe(watching, self._loop)
        self._worker.ledger.liveness.intake_full = self._full_lanes

    def consuming(self, consumer: Any) -> None:
        """Called by the consumer, on the hub's thread, whenever it is about to consume."""
        self._taps.attach(consumer)

    def register_with_event_loop(self, loop: Any) -> None:
        """Called by Celery at each connection to the broker, with its hub."""
        self._calls.attach(loop)

    def on_apply(self, *_: Any, accept_callback: Any, **__: Any) -> None:
        """Take a message. Celery's tracer (an argument) would call the task and never await it: it is left aside."""
        request = accept_callback.__self__
        accept_callback(None, time.monotonic())
        self._in_hand += 1
        self._taken += 1
        queue = (request.delivery_info or {}).get("routing_key") or ""
        self._in_hand_of[queue] += 1
        if (fullness := self._fullness.get(queue)) is not None:
            fullness.taken(self._in_hand_of[queue], time.monotonic())
        delivery = Delivery(
            body=_as_bytes(request.body),
            headers=dict(request.message.headers or {}),
            queue=queue,
            received=time.monotonic(),
            receipt=RequestReceipt(request, self._calls, lambda: self._ended(queue)),
        )
        self._loop.call_soon_threadsafe(self._started().dispatcher.deliver, delivery)

    def quarantine(
        self, body: Any, *, headers: dict[str, Any], queue: str, reason: str, received: float, then: Callable[[], None]
    ) -> None:
        """Keep a message that Celery can't read; ``then`` is called on the hub's thread once it is kept."""
        receipt = QuarantineReceipt(self._calls, then, self._ended)
        delivery = Delivery(body=_as_bytes(body), headers=headers, queue=queue, received=received, receipt=receipt)
        self._in_hand += 1
        self._loop.call_soon_threadsafe(self._started().dispatcher.quarantine, delivery, reason)

    def on_close(self) -> None:
        """The worker was told to stop: give back what is not in flight."""
        if self._worker is not None:
            log.info("worker-stopping", messages_in_hand=self._in_hand)
            self._loop.call_soon_threadsafe(self._worker.dispatcher.begin_closing)

    def on_stop(self) -> None:
        """Give back what is not in flight, and wait for the rest, unless told to quit meanwhile.

        The hub's own loop has ended, and is turned here.
        """
        if self._worker is None:
            return
        if self._watching is not None:
            self._watching.cancel()
        self._loop.call_soon_threadsafe(self._worker.dispatcher.begin_closing)
        stopping = asyncio.run_coroutine_threadsafe(self._worker.stop(), self._loop)
        stopping.add_done_callback(lambda _: self._calls.soon(lambda: None))
        hurried = False
        while not stopping.done() or self._in_hand:
            if told_to_quit() and not hurried:
                hurried = True
                self._loop.call_soon_threadsafe(self._worker.dispatcher.hurry)
            self._calls.turn()
        self._worker = None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    on_terminate = on_stop

    def terminate_job(self, *_: Any) -> None:
        """A sent call can't be unsent: a revoked trigger that is under way goes on."""
        log.warning("revoke-ignored", reason="the trigger is already under way")

    @property
    def num_processes(self) -> int:
        """Celery's word for the pool's size; with the prefetch multiplier 1 it is the prefetch count."""
        return int(self.limit)

    def _tap(self, paused: frozenset[str]) -> None:
        self._calls.soon(lambda: self._taps.turn(paused))

    def _left_behind(self, dead: frozenset[UUID]) -> None:
        self._calls.soon(lambda: self._taps.give_back_of(dead))

    def _look(self) -> Look:
        return Look(self._taken, self._in_hand < settings().prefetch, self._taps.closed)

    def _reconnect(self) -> None:
        self._calls.soon(self._taps.reconnect)

    def _started(self) -> Worker:
        if self._worker is None:
            raise RuntimeError("the pool was not started")
        return self._worker

    def _ended(self, queue: str | None = None) -> None:
        self._in_hand -= 1
        if queue is not None:
            self._in_hand_of[queue] -= 1
            if (fullness := self._fullness.get(queue)) is not None:
                fullness.ended(self._in_hand_of[queue], time.monotonic())

    def _full_lanes(self) -> dict[str, tuple[float, float]]:
        """Called on the loop's thread: since when and until when no more messages of a lane could be taken."""
        now = time.monotonic()
        full = {queue: newest for queue, fullness in self._fullness.items() if (newest := fullness.newest(now))}
        return {lane_of(queue): newest for queue, newest in sorted(full.items(), key=lambda item: item[1][1])}

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _get_info(self) -> dict[str, Any]:
        dispatcher = self._worker.dispatcher if self._worker else None
        return {
            "implementation": f"{type(self).__module__}:{type(self).__name__}",
            "max-concurrency": self.limit,
            "messages-in-hand": self._in_hand,
            "messages-not-opened": dispatcher.waiting if dispatcher else 0,
            "triggers-open": dispatcher.open if dispatcher else 0,
            "attempts-in-flight": self._worker.slots.taken if self._worker else 0,
        }


def _as_bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)
