"""Does what is due, twice a second: opens circuits, probes, lets parked triggers go on, closes what has recovered."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog

from ajo_worker.ledger import rate_limits, silences, unknown_definitions, worker_rows
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.outages import circuits, resumption
from ajo_worker.outages.resumption import Resumed
from ajo_worker.outages.silence_watch import SilenceWatch
from ajo_worker.outages.token_watch import TokenWatch
from ajo_worker.outages.trigger_probes import TriggerProbes
from ajo_worker.outages.view import View
from ajo_worker.outages.ways_in import WaysIn

log = structlog.get_logger("ajo_worker.outages")

EVERY = 0.5
"""Seconds between two rounds; a suspicion doesn't wait for the next."""
MOST_RESUMED = 500
"""Parked triggers that go on in one round at most."""
LISTEN_EVERY = 0.25
"""Seconds between two looks whether destinations answer; they wait for nothing, so a slow ledger doesn't deafen us."""
RESCUE_EVERY = 5.0
DEFINITIONS_EVERY = 5.0
SLOW_DOWN_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: from opening to the first probe, between growing ones at most, to grow back after a 429, to recover.

    ``longest_budget``: how long a probe may be under way; ``definition_wait``: how long a trigger may be parked
    since no worker has its definition.
    """

    probe_interval: float
    longest_interval: float
    rate_recovery: float
    recovery: float
    longest_budget: float
    definition_wait: float


class Patrol:
    """One for each worker; what it finds due, whichever worker is first does."""

    def __init__(
        self,
        view: View,
        ledger: SharedConnection,
        ways_in: WaysIn,
        worker: UUID,
        timing: Timing,
        silence_watch: SilenceWatch,
        token_watch: TokenWatch,
        judges: Callable[[], bool],
    ) -> None:
        """``judges``: whether this worker may say of others that they are dead."""
        self._judges = judges
        self._view = view
        self._silence_watch = silence_watch
        self._token_watch = token_watch
        self._ledger = ledger
        self._ways_in = ways_in
        self._worker = worker
        self._timing = timing
        self._probes = TriggerProbes(
            view,
            ledger,
            ways_in,
            worker,
            longest_interval=timing.longest_interval,
            longest_budget=timing.longest_budget,
        )
        self._task: asyncio.Task[None] | None = None
        self._ear: asyncio.Task[None] | None = None
        self._paused: frozenset[str] | None = None
        self._dead: frozenset[UUID] = frozenset()
        self._rescue_at = self._slow_down_at = self._definitions_at = 0.0
        self.first_round = asyncio.Event()

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="outages")
        self._ear = asyncio.create_task(self._listen(), name="silences")

    async def stop(self) -> None:
        """Stop; a probe under way is left to the dispatcher's end."""
        for task in (self._task, self._ear):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        with suppress(Exception):  # unsaid, its silences end with its heartbeat
            await self._ledger.run(lambda c: silences.end_all(c, self._worker))
        await self._probes.stop()
        self._ledger.close()

    async def _run(self) -> None:
        while True:
            self._view.woken.clear()
            try:
                await self._round()
            except Exception as fault:  # noqa: BLE001 - without the ledger nothing is sent, and what was known still holds
                log.warning("outage-round-failed", fault=type(fault).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._view.woken.wait()

    async def _listen(self) -> None:
        while True:
            try:
                if self._silence_watch.look():
                    self._view.woken.set()
                self._turn_taps()
                for lane in self._paused or ():
                    self._ways_in.dispatcher.give_back(lane)
            except Exception:
                log.exception("listening-failed")
            await asyncio.sleep(LISTEN_EVERY)

    async def _round(self) -> None:
        self._turn_taps()
        await self._silence_watch.record(self._ledger, self._worker)
        await self._open()
        await self._end_refuted()
        await self._token_watch.tell(self._ledger)
        await self._slow_down()
        timing = self._timing
        for scope in await self._ledger.run(circuits.end_holds):
            log.info("hold-over", scope=scope)
        for scope in await self._ledger.run(lambda c: circuits.close_recovered(c, timing.recovery)):
            log.info("outage-over", scope=scope)
        known = await self._ledger.run(circuits.read)
        slowed = await self._ledger.run(lambda c: rate_limits.slowed(c, timing.rate_recovery))
        workers = await self._ledger.run(circuits.living_workers)
        self._view.know(known, slowed, workers)
        stopped = [scope for scope, circuit in known.items() if circuit.state in circuits.NOTHING_SENT]
        self._silence_watch.silences.stop(stopped)
        self._turn_taps()
        await self._tell_dead()
        self.first_round.set()
        self._probes.start_due()
        await self._resume()
        await self._look_for_definitions()

    async def _open(self) -> None:
        while self._view.suspected:
            scope, suspicion = next(iter(self._view.suspected.items()))
            outage = await self._ledger.run(
                lambda c, scope=scope, suspicion=suspicion: circuits.open_circuit(  # type: ignore[misc] # bound now
                    c, scope, self._timing.probe_interval, suspicion.reason, str(self._worker), suspicion.evidence
                )
            )
            self._view.suspected.pop(scope, None)
            if outage is not None:
                log.warning("outage-opened", scope=scope, outage=outage, reason=suspicion.reason, **suspicion.evidence)

    async def _end_refuted(self) -> None:
        while self._view.answering:
            scope, outage = next(iter(self._view.answering.items()))
            ended = await self._ledger.run(
                lambda c, scope=scope, outage=outage: circuits.answered(c, scope, outage, self._worker)  # type: ignore[misc] # bound now
            )
            self._view.answering.pop(scope, None)
            if ended:
                log.info("outage-refuted", scope=scope, outage=outage)

    async def _slow_down(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._slow_down_at:
            return
        self._slow_down_at = now + SLOW_DOWN_EVERY
        for scope, kept in self._view.rates.throttled().items():
            await self._ledger.run(
                lambda c, scope=scope, kept=kept: rate_limits.slow_down(c, scope, kept, self._timing.rate_recovery)  # type: ignore[misc] # bound now
            )

    async def _tell_dead(self) -> None:
        if not self._judges():
            return
        dead = await self._ledger.run(lambda c: worker_rows.dead_workers(c, self._worker))
        if new := dead - self._dead:
            self._ways_in.left_behind(new)
        self._dead = dead

    def _turn_taps(self) -> None:
        self._token_watch.look()
        paused = self._view.paused_lanes()
        if paused != self._paused:
            self._paused = paused
            self._ways_in.tap(paused)

    async def _resume(self) -> None:
        definitions = self._view.definitions_of(self._view.free_campaigns())
        most = min(self._ways_in.dispatcher.room, MOST_RESUMED)
        if not most:
            return
        if definitions:
            rows = await self._ledger.run(lambda c: resumption.resume(c, definitions, most, self._worker))
            await self._take(rows)  # before anything else may fail: nobody but us has them now
            if len(rows) == MOST_RESUMED:
                self._view.woken.set()
        await self._take(await self._orphans(most))

    async def _look_for_definitions(self) -> None:
        """What nobody can send for want of its definition is told, and ends when it has waited for too long."""
        now = asyncio.get_running_loop().time()
        if now < self._definitions_at:
            return
        await self._ledger.run(unknown_definitions.look)
        rejected = await self._ledger.run(lambda c: unknown_definitions.reject(c, self._timing.definition_wait))
        if rejected:
            log.warning("definition-unknown", rejected=rejected, waited=self._timing.definition_wait)
        if rejected < unknown_definitions.MOST_AT_ONCE:
            self._definitions_at = now + DEFINITIONS_EVERY

    async def _orphans(self, most: int) -> list[Resumed]:
        """What dead workers had resumed, or we without knowing; of what is kept back too, where it is parked again."""
        now = asyncio.get_running_loop().time()
        if now < self._rescue_at or not self._judges():
            return []
        self._rescue_at = now + RESCUE_EVERY
        definitions = self._view.definitions_of(self._view.destinations)
        rows = await self._ledger.run(lambda c: resumption.rescue(c, definitions, most, self._worker))
        return [row for row in rows if not self._ways_in.dispatcher.has(row.request_id)]

    async def _take(self, rows: list[Resumed]) -> None:
        unreadable = []
        for row in rows:
            received = self._ways_in.unsealing.received(row, probe=False)
            if received is None:
                unreadable.append(row.request_id)
            else:
                self._ways_in.dispatcher.resume(received)
        for request_id in unreadable:
            await self._ledger.run(
                lambda c, request_id=request_id: resumption.park_again(c, request_id, self._worker)  # type: ignore[misc] # bound now
            )
