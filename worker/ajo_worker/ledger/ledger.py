"""The ledger as the dispatcher sees it: one group commit for each kind of statement."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import asyncpg
import structlog
from ajo_producers.campaigns.call_digest import call_digest
from ajo_producers.campaigns.definition import Definition

from ajo_worker.ledger import admission, attempts, ownership, quarantine
from ajo_worker.ledger.admission import Admission, Known
from ajo_worker.ledger.attempts import Intent, Record
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.commits import PATIENCE
from ajo_worker.ledger.connecting import CONNECT_SECONDS, Connector
from ajo_worker.ledger.group_commit import GroupCommit
from ajo_worker.ledger.liveness import Liveness
from ajo_worker.ledger.ownership import Release, Takeover
from ajo_worker.ledger.quarantine import SetAside
from ajo_worker.ledger.retention import Ages
from ajo_worker.ledger.rollup import Rollup
from ajo_worker.ledger.upkeep import Upkeep
from ajo_worker.ledger.worker_rows import NO_LIMITS, Speed

log = structlog.get_logger("ajo_worker.ledger")

# Each statement joins a short list of ids to big partitioned tables by their key. A plan made while the tables were
# small must never scan them once they are big.
PLANNER = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}
# A writer's plans are for any rows. For the hundreds at hand, the planner would at times read a whole index. Where a
# lock is held for long, the statement ends before its writer gives it up: else each repetition left a session behind.
# (A `statement_timeout` would also end the wait for a synchronous standby, as if that had the commit.)
WRITER = {"plan_cache_mode": "force_generic_plan", "lock_timeout": f"{PATIENCE - 1:g}s"}
# What reads whole tables plans as it likes.
WHOLE_TABLES = {"enable_hashjoin": "on", "enable_mergejoin": "on", "enable_seqscan": "on", "enable_bitmapscan": "on"}
# Leases, circuits and resumptions are made anew where they are lost: no commit of theirs is waited for.
IMPATIENT = {
    "lock_timeout": "3s",
    "statement_timeout": "8s",
}
CONNECTIONS = 15
"""That a worker needs at most: eight writers, the heartbeat, leases, the patrol; and now and then one each for upkeep,
roll-ups, the matching of feedback and network probes. (A writer, or a rate limit, has one more while somebody keeps
its rows locked.)"""
ROOM_SECONDS = 2.0
"""What these connections get to come at first, and until they are asked for again."""
MORE_CONNECTIONS = (
    "it takes no messages until there are: raise PostgreSQL's max_connections, or default_pool_size of a pooler in "
    "between, or stop what holds them (docs/deployment.md)"
)
COMMAND_TIMEOUT = 60.0
"""Seconds until a statement without an answer counts as a lost connection."""


class Ledger:
    """All that one worker process writes. Create it on the event loop that uses it."""

    def __init__(
        self,
        database_url: Callable[[], str],
        worker_id: UUID,
        clock: LedgerClock,
        definitions: Iterable[Definition],
        *,
        heartbeat: float,
        owner_timeout: float,
        ages: Ages,
        budget: float,
        lanes: Sequence[str],
        speed: Speed = NO_LIMITS,
    ) -> None:
        self._connector = Connector(database_url)
        self.worker_id = worker_id
        definitions = tuple(definitions)
        # A beat whose commit waits for a synchronous standby keeps the row from the next one, which must end by itself.
        lock_timeout = f"{owner_timeout * 500:.0f}ms"
        self.liveness = Liveness(
            worker_id,
            lambda: self.connect(lock_timeout=lock_timeout),
            clock,
            every=heartbeat,
            owner_timeout=owner_timeout,
            budget=budget,
            lanes=lanes,
            definitions={one.name: (call_digest(one), *one.replaces) for one in definitions},
            speed=speed,
        )
        self.upkeep = Upkeep(self.connect, worker_id, definitions, ages)
        self.rollup = Rollup(lambda: self.connect(**WHOLE_TABLES))
        self.admissions: GroupCommit[Admission, Known | None] = GroupCommit("admissions", self._writer, admission.admit)
        self.intents: GroupCommit[Intent, bool] = GroupCommit("intents", self._writer, attempts.intend)
        self.records: GroupCommit[Record, bool] = GroupCommit("records", self._writer, attempts.record, attempts.bare)
        self.looks: GroupCommit[UUID, Known | None] = GroupCommit("looks", self._writer, _look)
        self.answered: GroupCommit[UUID, Known | None] = GroupCommit("answered", self._writer, _look)
        self.takeovers: GroupCommit[Takeover, bool] = GroupCommit("takeovers", self._writer, ownership.take_over)
        self.releases: GroupCommit[Release, None] = GroupCommit("releases", self._writer, ownership.release)
        self.quarantine: GroupCommit[SetAside, None] = GroupCommit("quarantine", self._writer, quarantine.write)
        self._before_a_send = (self.admissions, self.intents, self.looks, self.takeovers)
        self._after_a_send = (self.answered, self.records, self.releases, self.quarantine)

    def start(self) -> None:
        """Begin to beat and to write."""
        self.liveness.start()
        self.upkeep.start()
        self.rollup.start()
        for writer in (*self._before_a_send, *self._after_a_send):
            writer.start()

    async def connections_suffice(self) -> None:
        """Return once all connections that may be needed are there at the same time, that of the heartbeat included.

        With some of them a worker would send what it could not record.
        """
        told, seconds = False, ROOM_SECONDS
        while (given := 1 + await self._connector.at_once(CONNECTIONS - 1, seconds)) < CONNECTIONS:
            if not told:
                log.warning("too-few-database-connections", given=given, needed=CONNECTIONS, do=MORE_CONNECTIONS)
            told = True
            await asyncio.sleep(ROOM_SECONDS)
            seconds = min(2 * seconds, CONNECT_SECONDS)  # the way there may be slow

    def hand_back(self) -> None:
        """Give up the rows that would lead to a send; those whose commit is under way keep their promise."""
        for writer in self._before_a_send:
            writer.refuse()

    async def stop(self, grace: float) -> bool:
        """Write what is left for up to ``grace`` seconds, give up ownership; False if something remained unwritten."""
        written = True
        try:
            async with asyncio.timeout(grace):
                await asyncio.gather(*(writer.drain() for writer in self._after_a_send))
        except TimeoutError:
            written = False
        await asyncio.gather(*(writer.stop() for writer in (*self._before_a_send, *self._after_a_send)))
        await asyncio.gather(self.upkeep.stop(), self.rollup.stop(), self.liveness.stop())
        return written

    async def connect_shared(self, **more: str) -> asyncpg.Connection:
        """A connection for what workers do to the same few rows: none may keep the others waiting for long."""
        return await self.connect(**{**IMPATIENT, **more})

    async def _writer(self) -> asyncpg.Connection:
        return await self.connect(**WRITER)

    async def connect(self, **more: str) -> asyncpg.Connection:
        """A new connection, as every writer has its own; with ``more`` settings of the server."""
        name = f"ajo-dispatch {self.worker_id}"
        return await self._connector.connect(name, {**PLANNER, **more}, command=COMMAND_TIMEOUT)


async def _look(connection: asyncpg.Connection, rows: Sequence[UUID]) -> list[Known | None]:
    known = await admission.look(connection, rows)
    return [known.get(request_id) for request_id in rows]
