"""Parked triggers that go on in this worker. No message stands behind them: nothing is answered for, or given back."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.attempt import Ended, Flight, Flights
from ajo_worker.ledger.write_faults import WriterStopped
from ajo_worker.triggers.received import Received

log = structlog.get_logger("ajo_worker.dispatch")

PAUSE_AFTER_FAULT = 5.0
"""Seconds after a fault of our own before it is tried again, or a message goes back to the broker: it must not spin."""


class GoingOn:
    """Takes up to ``most`` of them at a time, each until it has its end, or another worker finds it in the ledger."""

    def __init__(
        self, flights: Flights, start: Callable[[Sequence[Flight]], None], closing: Closing, most: int
    ) -> None:
        self._flights, self._start, self._closing, self._most = flights, start, closing, most
        self._open = 0

    @property
    def room(self) -> int:
        """How many more may go on."""
        return 0 if self._closing.begun else max(self._most - self._open, 0)

    def takes(self, received: Received) -> Coroutine[Any, Any, None]:
        """It counts from now on, and goes its way once this is begun."""
        self._open += 1
        return self._to_the_end(received)

    async def _to_the_end(self, received: Received) -> None:
        try:
            if received.trigger.request_id in self._flights:
                await self._end_of(received)  # the end of the round before, just being told
            while isinstance(fault := await self._end_of(received), BaseException):
                if isinstance(fault, HandedBack | WriterStopped | asyncio.CancelledError):
                    return  # another worker finds it in the ledger
                log.error("dispatch-fault", request_id=str(received.trigger.request_id), exc_info=fault)
                await asyncio.sleep(PAUSE_AFTER_FAULT)
        finally:
            self._open -= 1

    async def _end_of(self, received: Received) -> Ended:
        """What becomes of a trigger that no message stands behind; of the one that is in hand, where there is one."""
        end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

        def told(flight: Flight, ended: Ended) -> None:
            self._flights.let_go(flight)
            if not end.done():
                end.set_result(ended)

        flight = Flight(received, told, _no_receipt)
        if (running := self._flights.get(received.trigger.request_id)) is not None:
            running.joined(flight)
        else:
            self._flights[received.trigger.request_id] = flight
            self._start([flight])
        return await end


def _no_receipt(*_: object) -> None:
    """Nobody is told of its retries."""
