"""Workers, a ledger, a broker and an endpoint on virtual time, and what must be true of them at every moment."""

from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID

import structlog
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.batch import Batch, encode_body, encode_trigger
from ajo_producers.contract.sealing import Sealer
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.api.request import Endpoint as Address
from ajo_worker.dispatch.attempt import Policy
from ajo_worker.dispatch.backoff import Backoff
from ajo_worker.triggers.campaign import KnownCampaign
from msgspec import Raw

from tests.support.definitions import ORDER_SHIPPED
from tests.support.simulation.broker import Broker, Message
from tests.support.simulation.endpoint import ACCEPTED, Endpoint
from tests.support.simulation.loops import World
from tests.support.simulation.network import START, Network
from tests.support.simulation.process import Process
from tests.support.simulation.witness import Witness

BUDGET, ATTEMPT_TIMEOUT = 20.0, 5.0
POLICY = Policy(Backoff(0.5, 2.0, 4.0), 1.0, frozenset({502, 504}), b"", lambda: Sealer.from_keys(""))
PERSON = Recipient(
    user_id="ada@example.com", channel_data={"emailAddress": "ada@example.com"}, context={"orderId": "1"}
)
QUIET_SECONDS = 120.0
"""Seconds that everything gets to come to its end, once all faults are over."""


class Cluster:
    """Everything together. Close it. ``attempt_timeout`` None: answers are waited for until the budget ends."""

    def __init__(
        self,
        workers: int,
        *,
        slots: int = 3,
        attempt_timeout: float | None = ATTEMPT_TIMEOUT,
        holds_ambiguous: bool = False,
    ) -> None:
        self._stack = ExitStack()
        self.logged = self._stack.enter_context(structlog.testing.capture_logs([structlog.processors.format_exc_info]))
        self.world = World()
        self.network = Network(self.world)
        self.witness = Witness(self.world, self.network, BUDGET, holds_ambiguous=holds_ambiguous)
        self.endpoint = Endpoint(self.world, self.witness.called, self.witness.accepted)
        self.broker = Broker(self.world, self.witness.acknowledged)
        self.processes: list[Process] = []
        self._slots = slots
        self._campaign = KnownCampaign(
            ORDER_SHIPPED,
            PayloadCheck(ORDER_SHIPPED),
            Address(ORDER_SHIPPED.endpoint, {}),
            budget=BUDGET,
            attempt_timeout=attempt_timeout,
            holds_ambiguous=holds_ambiguous,
        )
        for _ in range(workers):
            self.start()

    def start(self) -> Process:
        """Start one more worker."""
        number = len(self.processes) + 1
        process = Process(
            self.world,
            self.network,
            self.endpoint,
            self.broker,
            {ORDER_SHIPPED.name: self._campaign},
            number=number,
            slots=self._slots,
            policy=POLICY,
        )
        self.processes.append(process)
        self.witness.worker_ids[process.loop] = process.worker_id
        return process

    def publish(self, numbers: list[int], expires: float | None = None) -> Message:
        """Publish a batch of triggers, each known by its number; ``expires`` in seconds from now."""
        ids = tuple(UUID(int=number) for number in numbers)
        moment = None if expires is None else self.network.now() + timedelta(seconds=expires)
        for one in ids:
            moment = self.witness.expires.setdefault(one, moment)  # a copy says the same as the first one
        raws = [
            Raw(
                encode_trigger(
                    Trigger(
                        request_id=one,
                        campaign=ORDER_SHIPPED.name,
                        recipients=(PERSON,),
                        expires_at=self.witness.expires[one],
                    )
                )
            )
            for one in ids
        ]
        batch = Batch(version=1, batch_id=UUID(int=0), producer="shop", enqueued_at=START, triggers=tuple(raws))
        return self.broker.publish(encode_body(batch), ids)

    def until(self, moment: str, process: Process | None = None, *, at_most: float = 10.0) -> Process | None:
        """Go on until such a moment comes (in a certain process), and say in which; None if it doesn't in time."""
        loop = self.world.run_to(moment, process.loop if process else None, at_most=at_most)
        return next((one for one in self.processes if one.loop is loop), None)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.world.run(until=self.world.now + seconds)

    def settle(self) -> None:
        """Let all faults run out, and go on until nothing is left to do."""
        self.network.fates.clear()
        self.world.run(until=lambda: not (self.network.is_away() or any(one.loop.frozen for one in self.processes)))
        self.endpoint.usual = ACCEPTED
        self.endpoint.planned.clear()
        self.endpoint.no_token_until = 0.0
        if not any(process.takes() for process in self.processes):
            self.start()
        quiet = self.world.run(until=lambda: not self.broker.messages, at_most=QUIET_SECONDS)
        if not quiet and not self.world.failures:
            self.world.fail(f"{len(self.broker.messages)} messages were never acknowledged")
        self.advance(60.0)  # whatever the endpoint or the ledger still has in hand

    def verify(self) -> None:
        """Fail if anything was wrong so far."""
        self.witness.look(self.endpoint)
        faults = [entry for entry in self.logged if entry["log_level"] == "error"]
        self.world.failures += [f"{entry['event']}: {entry.get('exception')}" for entry in faults]
        assert not self.world.failures, "\n".join(self.world.failures)

    def verify_end(self) -> None:
        """Fail unless everything came to its end, without anything left behind."""
        self.witness.look_back(self.endpoint)
        for process in self.processes:
            if process.takes() and not process.idle():
                self.world.fail(f"worker {process.worker_id.int} holds something although nothing is left to do")
        self.verify()

    def close(self) -> None:
        """Free everything."""
        for process in self.processes:
            process.loop.bury()
        self._stack.close()
