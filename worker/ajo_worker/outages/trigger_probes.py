"""Real triggers try the way during an outage: one at a time a destination's, a few at a time a campaign's."""

import asyncio
from uuid import UUID

import structlog
from ajo_producers.contract.storable import storable

from ajo_worker.api.blame import OF_ONE
from ajo_worker.api.verdict import Verdict
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.outages import circuits, probe_rights, resumption
from ajo_worker.outages.failures import destination_failed
from ajo_worker.outages.resumption import Resumed
from ajo_worker.outages.scope import lane_of
from ajo_worker.outages.view import View
from ajo_worker.outages.ways_in import WaysIn
from ajo_worker.triggers.received import Received

log = structlog.get_logger("ajo_worker.outages")

LEASE_MARGIN = 60.0
"""Seconds that a probe may wait for a permit, a place and a token, and its record for the ledger, beside its answer."""
NOTHING_TO_SEND = 1.0
OF_CAMPAIGN = 5
"""Triggers that probe a campaign at a time, of different recipients: one alone may be refused for its own fault."""


class TriggerProbes:
    """This worker's probes."""

    def __init__(
        self,
        view: View,
        ledger: SharedConnection,
        ways_in: WaysIn,
        worker: UUID,
        *,
        longest_interval: float,
        longest_budget: float,
    ) -> None:
        self._view = view
        self._ledger = ledger
        self._ways_in = ways_in
        self._worker = worker
        self._longest_interval = longest_interval
        self._lease = longest_budget + LEASE_MARGIN
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def start_due(self) -> None:
        """Start the probes that are due, as far as this worker has campaigns for them."""
        for scope, circuit in self._view.circuits.items():
            if circuit.probe_due and scope not in self._under_way and self._view.campaigns_to_probe(scope):
                task = asyncio.create_task(self._guarded(scope), name=f"probe-{scope}")
                self._under_way[scope] = task
                task.add_done_callback(lambda _, scope=scope: self._under_way.pop(scope, None))  # type: ignore[misc] # bound now

    async def stop(self) -> None:
        """Leave what is under way."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _guarded(self, scope: str) -> None:
        try:
            await self._probe(scope)
        except Exception as fault:  # noqa: BLE001 - the lease runs out, and the next one tries again
            log.warning("probe-failed", scope=scope, fault=type(fault).__name__)

    async def _probe(self, scope: str) -> None:
        outage = await self._ledger.run(lambda c: probe_rights.claim_probe(c, scope, self._worker, self._lease))
        if outage is None:
            return
        definitions = self._view.definitions_of(self._view.campaigns_to_probe(scope))
        of_lane = lane_of(scope) is not None
        take = resumption.resume if of_lane else resumption.resume_some
        rows = await self._ledger.run(lambda c: take(c, definitions, 1 if of_lane else OF_CAMPAIGN, self._worker))
        opened = [one for row in rows if (one := await self._opened(row)) is not None]
        if not opened:
            if of_lane and not rows:
                self._view.want_one(scope)
            await self._put_off(scope, NOTHING_TO_SEND)
            return
        began = asyncio.get_running_loop().time()
        # A call that was sent is seen through.
        await asyncio.gather(*(asyncio.shield(self._ways_in.dispatcher.resume(one)) for one in opened))
        ids = [one.trigger.request_id for one in opened]
        shown = {one: verdict for one in ids if (verdict := self._view.probed.pop(one, None)) is not None}
        if not shown:  # not sent after all: their time had passed, or their payload is refused
            await self._put_off(scope, 0.0)
            return
        if any(_works(scope, verdict) for verdict in shown.values()):
            await self._ledger.run(lambda c: circuits.recover(c, scope, str(self._worker), self._worker))
        elif not of_lane and all(verdict.blame in OF_ONE for verdict in shown.values()):
            await self._put_off(scope, 0.0)  # this tells nothing of the campaign: others are tried
        else:
            longest, took = self._longest_interval, asyncio.get_running_loop().time() - began
            await self._ledger.run(lambda c: probe_rights.probe_failed(c, scope, self._worker, longest, took))
        for request_id, verdict in shown.items():
            accepted, found = _works(scope, verdict), found_in(verdict)
            log.info("probe", scope=scope, outage=outage, request_id=str(request_id), accepted=accepted, found=found)
            note = {"request_id": request_id, "worker": self._worker, "accepted": accepted, "found": found}
            await self._ledger.run(lambda c, note=note: probe_rights.note_probe(c, outage, **note))  # type: ignore[misc] # bound now
        self._view.woken.set()

    async def _opened(self, row: Resumed) -> Received | None:
        """A resumed trigger; None, and parked again, if it can't be read here."""
        received = self._ways_in.unsealing.received(row, probe=True)
        if received is None:
            await self._ledger.run(lambda c: resumption.park_again(c, row.request_id, self._worker))
        return received

    async def _put_off(self, scope: str, seconds: float) -> None:
        await self._ledger.run(lambda c: probe_rights.put_off_probe(c, scope, self._worker, seconds))
        self._view.woken.set()


def _works(scope: str, verdict: Verdict) -> bool:
    """Whether the way is free: a destination that refuses for good works, a campaign must accept."""
    return destination_failed(verdict) is False if lane_of(scope) else verdict.outcome == "accepted"


def found_in(verdict: Verdict) -> str:
    """What an attempt showed, in a line."""
    parts = (str(verdict.http_status or verdict.failure or ""), verdict.error_code, verdict.error_title)
    return storable(" ".join(part for part in parts if part))
