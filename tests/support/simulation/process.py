"""One simulated worker process: a worker's real parts, wired as in bootstrap.py, on a loop and clocks of its own."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ajo_worker.api.token import Token, TokenProvider
from ajo_worker.api.token_answer import FetchFailed
from ajo_worker.api.verdict import Verdict
from ajo_worker.bootstrap import OPEN_PER_SLOT, Worker
from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Policy
from ajo_worker.dispatch.claim import Claims
from ajo_worker.dispatch.copies import Copies
from ajo_worker.dispatch.decision import Retrying
from ajo_worker.dispatch.dispatcher import Dispatcher
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.pipeline import Pipeline
from ajo_worker.dispatch.rows import Rows
from ajo_worker.dispatch.send import Calls
from ajo_worker.dispatch.standing import Standing
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.retention import Ages
from ajo_worker.limits.slots import Slots
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.delivery import Delivery
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.urgency import Urgency

from tests.support.simulation.broker import Broker
from tests.support.simulation.connection import connect
from tests.support.simulation.endpoint import Adapter, Endpoint
from tests.support.simulation.loops import Loop, World
from tests.support.simulation.network import START, Network

HEARTBEAT, OWNER_TIMEOUT = 2.0, 6.0
GRACE = 20.0
TOKEN_SECONDS = 0.03
"""How long the token endpoint takes; each time it gives another token."""


class ModelLedger(Ledger):
    """The real ledger, connected to the model of a database."""

    def __init__(self, network: Network, loop: Loop, worker_id: UUID, clock: LedgerClock) -> None:
        super().__init__(
            str,
            worker_id,
            clock,
            (),
            heartbeat=HEARTBEAT,
            owner_timeout=OWNER_TIMEOUT,
            ages=Ages(30, 400, 800),
            budget=60,
            lanes=(),
        )
        self._network, self._loop = network, loop

    async def connect(self, **_: str) -> Any:
        """A connection to the model."""
        return await connect(self._network, self._loop)


class Nothing:
    """Stands where the token's HTTP client, the patrol and the leases do."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def close(self) -> None:
        """Nothing to close."""


class Free:
    """No limits, no outages: they have tests of their own."""

    def take_now(self, received: Received, many: int) -> int:  # noqa: ARG002 - the protocol's
        """As many as there are."""
        return many

    async def take(self, received: Received, urgency: Urgency) -> Waits:  # noqa: ARG002 - the protocol's
        """Never wait."""
        return Waits()

    def because(self, lane: str) -> str:  # noqa: ARG002 - the protocol's
        """As if nothing slowed anybody."""
        return "rate-limit"

    async def turn(self, received: Received, urgency: Urgency) -> None:
        """Never wait."""

    def silent(self, campaign: str) -> bool:  # noqa: ARG002 - the protocol's
        """Never."""
        return False

    def began(self, received: Received) -> None:
        """Learn nothing."""

    async def judged(self, received: Received, verdict: Verdict) -> Verdict:  # noqa: ARG002 - the protocol's
        """Every answer is to its own call."""
        return verdict

    def ended(self, received: Received, *, answered: bool) -> None:
        """Learn nothing."""

    def kept_back(self, campaign: KnownCampaign) -> None:
        """Keep nothing back."""

    def kept_back_since(self, campaign: KnownCampaign, moment: datetime) -> bool:  # noqa: ARG002 - the protocol's
        """Never."""
        return False

    def waits_in_broker(self, lane: str) -> bool:  # noqa: ARG002 - the protocol's
        """Never."""
        return False

    def wants_any(self, campaign: KnownCampaign) -> bool:  # noqa: ARG002 - the protocol's
        """Never."""
        return False

    def wants_one(self, campaign: KnownCampaign) -> bool:  # noqa: ARG002 - the protocol's
        """Never."""
        return False

    def known(self, campaign_id: str) -> None:
        """Know nothing of any campaign."""

    def answers_take(self, campaign: KnownCampaign) -> float:  # noqa: ARG002 - the protocol's
        """Nobody knows."""
        return 0.0

    def sends(self, received: Received, dispatched: float) -> None:
        """Count nothing."""

    def saw(self, received: Received, verdict: Verdict, dispatched: float) -> None:
        """Learn nothing."""


class Process:
    """A worker process. ``skew`` is its wall clock's error in seconds; its monotonic clock began at some other time."""

    def __init__(
        self,
        world: World,
        network: Network,
        endpoint: Endpoint,
        broker: Broker,
        campaigns: Mapping[str, KnownCampaign],
        *,
        number: int,
        slots: int,
        policy: Policy,
    ) -> None:
        self.loop = Loop(world)
        self.worker_id = UUID(int=number)
        self.ready = self.closing = False
        self._world, self._network, self._endpoint, self._broker = world, network, endpoint, broker
        self._epoch = 1000.0 * number
        clock, closing = LedgerClock(self.monotonic, self._wall), Closing()
        places = Slots(slots, closing, monotonic=self.monotonic)
        self.ledger = ModelLedger(network, self.loop, self.worker_id, clock)
        http = Adapter(endpoint, self.loop)
        tokens = TokenProvider(self._fetch, margin=300.0, monotonic=self.monotonic)
        free = Free()
        standing: Any = Standing(self.monotonic, free, places)  # type: ignore[arg-type] # no limits
        parts: tuple[Any, ...] = (free, places, free, closing, policy.attempt_minimum, free, standing)
        means = Means(self.ledger, clock, tokens, *parts)
        rows = Rows(clock, self.worker_id, policy)
        claims = Claims(self.ledger, clock, means, closing, rows)
        copies = Copies(self.ledger, clock, means, closing, policy, rows)
        calls = Calls(
            self.ledger, clock, http, means, policy, rows, free, Retrying(policy.backoff, policy.attempt_minimum)
        )  # type: ignore[arg-type] # no strays
        pipeline = Pipeline(self.ledger, clock, claims, copies, calls, means, policy, free)
        self.dispatcher = Dispatcher(pipeline, self.ledger, clock, campaigns, OPEN_PER_SLOT * slots)
        only_closed: list[Any] = [Nothing()] * 7
        self.worker = Worker(
            self.worker_id,
            self.dispatcher,
            places,
            self.ledger,
            http,
            tokens,
            *only_closed,
            grace=GRACE,
        )
        world.loops.append(self.loop)
        self.loop.call_soon(self._begin)

    def monotonic(self) -> float:
        """This machine's monotonic clock."""
        return self._world.now + self._epoch

    def takes(self) -> bool:
        """Whether it takes messages: it is ready, and was not told to stop. A frozen one's socket takes them."""
        return self.loop.alive and self.ready and not self.closing

    def deliver(self, delivery: Delivery) -> None:
        """Take a message; runs on this process's loop."""
        self.dispatcher.deliver(delivery)

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more. What it has sent is under way all the same."""
        self._world.disturbed = True
        self.loop.alive = False
        self._broker.lose(self)

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        self._world.disturbed = True
        self.loop.frozen = True
        self._world.later(seconds, self.thaw)

    def thaw(self) -> None:
        """SIGCONT."""
        self.loop.frozen = False

    def terminate(self) -> None:
        """SIGTERM: the process ends in good order."""
        if not self.closing:
            self._world.disturbed = self.closing = True
            self.loop.call_soon(self._stop)

    def idle(self) -> bool:
        """Whether nothing is in hand and every place is free."""
        return not (self.dispatcher.open or self.dispatcher.waiting or self.worker.slots.taken)

    def _begin(self) -> None:
        self.ledger.start()
        self.loop.create_task(self._join())

    async def _join(self) -> None:
        await self.ledger.liveness.first_beat.wait()
        self.ready = True
        self._broker.consumers.append(self)
        self._broker.hand_out()

    def _stop(self) -> None:
        self.loop.create_task(self._end())

    async def _end(self) -> None:
        await self.worker.stop()
        self.kill()

    async def _fetch(self) -> Token:
        asked = self.monotonic()
        await asyncio.sleep(TOKEN_SECONDS)
        if self._world.now < self._endpoint.no_token_until:
            raise FetchFailed("away")
        return Token(f"token {asked}", asked, 3600.0)

    def _wall(self) -> float:
        return START.timestamp() + self._world.now + 7.0 * self.worker_id.int
