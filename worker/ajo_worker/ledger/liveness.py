"""A worker says in the ledger that it lives; from the answers it learns the ledger's time, and whether it may send."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import asyncpg
import structlog

from ajo_worker.ledger.clock import STEP_SECONDS, LedgerClock
from ajo_worker.ledger.connect_faults import SessionsMixed, told
from ajo_worker.ledger.database import NO_LEDGER, UPGRADE
from ajo_worker.ledger.full_intakes import FullIntakes
from ajo_worker.ledger.worker_rows import NO_LIMITS, Speed, Unsent, WorkerRow

log = structlog.get_logger("ajo_worker.ledger")

# Heartbeats from the future: nobody who lives now has seen the clock being set.
TIME = f"""
    SELECT clock_timestamp() AS at, EXISTS (
        SELECT FROM ledger.workers
        WHERE greatest(heartbeat_at, stopped_at) > clock_timestamp() + make_interval(secs => {STEP_SECONDS})) AS ahead
"""  # noqa: S608 - our own number
CLOCK_STEP = "SELECT ledger.note_clock_step($1, $2)"
STOP_SECONDS = 2.0
"""How long a stopping worker tries to say so; unsaid, it counts as dead a little later."""


def _no_token_asked() -> None:
    """Stands where nothing asks for tokens."""


class Liveness:
    """The heartbeat of one worker process; ``definitions`` are the call digests that it sends, by campaign."""

    def __init__(
        self,
        worker_id: UUID,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        clock: LedgerClock,
        *,
        every: float,
        owner_timeout: float,
        budget: float,
        lanes: Sequence[str],
        definitions: Mapping[str, Sequence[str]],
        speed: Speed = NO_LIMITS,
    ) -> None:
        self.worker_id = worker_id
        self._connect = connect
        self._clock = clock
        self._every = every
        self._owner_timeout = owner_timeout
        self._row = WorkerRow(
            worker_id, owner_timeout=owner_timeout, budget=budget, lanes=lanes, definitions=definitions, speed=speed
        )
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._beat_asked = float("-inf")
        self._gap_ended = float("-inf")
        self._judges_from = float("-inf")
        self._began = float("inf")
        self._stepped = 0.0
        self.first_beat = asyncio.Event()
        self.refusal: SessionsMixed | None = None
        """Why there will be no beat unless somebody sets something else; set together with ``first_beat``."""
        self.token_failing: Callable[[], tuple[float, str] | None] = _no_token_asked
        """Since when (monotonic), and why, there is no access token; each beat tells it."""
        self.in_hand: Callable[[], Unsent] = Unsent
        """What is in hand; each beat tells it."""
        self._told_fault = ""
        self.full_intakes = FullIntakes(worker_id, clock)

    def start(self) -> None:
        """Begin to beat, unless it does so already; needs a running event loop."""
        self._began = min(self._began, self._clock.monotonic())
        self._task = self._task or asyncio.create_task(self._run(), name="ledger-heartbeat")

    def may_send(self, announced: float) -> bool:
        """Whether nobody can have taken over what was announced at this monotonic instant: no gap in our beats since.

        A process that was stopped (SIGSTOP, a frozen machine) finds this false when it wakes up.
        """
        fresh = self._clock.monotonic() - self._beat_asked < self._owner_timeout
        return fresh and announced > self._gap_ended

    @property
    def judges(self) -> bool:
        """Whether it may say of others that they are dead: no gap in its own beats has ended so lately as to be theirs.

        Who was beyond the ledger's reach doesn't know who else was: their next beats are yet to come.
        """
        now = self._clock.monotonic()
        return now - self._beat_asked < self._owner_timeout and now >= self._judges_from

    async def stop(self) -> None:
        """Give up all ownership, so that others need not wait for the time-out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                connection = await self._connected()
                await self._row.stopped(connection)
                await connection.close()
        except Exception as fault:  # noqa: BLE001 - a worker stops all the same, and then counts as dead
            log.warning("stop-not-recorded", fault=type(fault).__name__)

    async def _run(self) -> None:
        patience = self._owner_timeout
        while True:
            began, pause = self._clock.monotonic(), self._every
            try:
                async with asyncio.timeout(patience):
                    await self._beat()
                patience = patience_after(self._clock.monotonic() - began, self._owner_timeout)
            except Exception as fault:  # noqa: BLE001 - a heart that ended here would forbid its worker to send, for ever
                self._tell(fault)
                if isinstance(fault, SessionsMixed) and not self.first_beat.is_set():
                    self.refusal = fault
                    self.first_beat.set()
                if self._connection is not None:
                    self._connection.terminate()
                    self._connection = None
                if isinstance(fault, TimeoutError) and patience < self._owner_timeout:
                    pause = 0.0  # there is no time for one
                patience = self._owner_timeout
            await asyncio.sleep(pause)

    def _tell(self, fault: Exception) -> None:
        """Once for each kind of fault, until it is over."""
        kind = told(fault)
        level = "debug" if kind == self._told_fault else "warning"
        self._told_fault = kind
        getattr(log, level)(
            "heartbeat-failed", fault=kind, do=UPGRADE if isinstance(fault, NO_LEDGER) else "see ajo-dispatch doctor"
        )

    async def _beat(self) -> None:
        connection = await self._connected()
        await self._read_clock(connection)
        failing, in_hand = self.token_failing(), self.in_hand()
        asked = self._clock.monotonic()
        await self._row.beat(connection, self._clock, failing, in_hand)
        answered = self._clock.monotonic()
        silent_for = answered - max(self._beat_asked, self._began)
        if answered - self._beat_asked >= self._owner_timeout:
            self._gap_ended = answered
        if silent_for >= (self._owner_timeout if self.first_beat.is_set() else self._every):
            self._judges_from = answered + self._owner_timeout
        self._beat_asked = asked
        self.full_intakes.present(asked)
        self.first_beat.set()
        self._told_fault = ""
        await self.full_intakes.tell(connection)

    async def _read_clock(self, connection: asyncpg.Connection) -> None:
        """Learn the ledger's time; a clock that was set is told before the beat, so that nobody takes it for death."""
        asked = self._clock.monotonic()
        [time] = await connection.fetch(TIME)
        self._stepped += self._clock.sample(asked, self._clock.monotonic(), time["at"])
        if self._stepped or time["ahead"]:
            seconds = await connection.fetchval(CLOCK_STEP, self.worker_id, self._stepped or None)
            self._stepped = 0.0
            log.warning("database-clock-was-set", seconds=round(seconds, 3))

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection


def patience_after(took: float, owner_timeout: float) -> float:
    """Seconds that a beat gets after one that took so long. Pure.

    A connection may be frozen though its other side lives: after half of the time-out there is time for another beat,
    over another connection, and nobody takes the worker for dead. A database that is slow gets all of it.
    """
    return owner_timeout / 2 if took < owner_timeout / 2 else owner_timeout
