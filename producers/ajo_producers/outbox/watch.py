"""How a relay with nothing to do learns of new rows: by NOTIFY where that arrives, and by looking now and then.

At most one relay is *on watch*; only it shuts the gate (``table.py``), since a gate that another one has shut can't be
told from one that transactions hold open.
"""

import asyncio

import asyncpg

from ajo_producers.outbox import statements
from ajo_producers.outbox.table import CHANNEL, GATE, WATCH

ECHO_SECONDS = 5.0
"""In which a notification of our own must have arrived."""
EAR_SECONDS = 5.0
"""What a statement of the ear's may take; none of them waits for anything, and the relay waits for each."""
OPEN_SECONDS = 0.05
"""Until the next look while transactions that have added rows are not over; it doubles while nothing comes."""


class Watch:
    """What wakes a relay; ``ear`` is a connection of its own. ``poll`` are the seconds until the next look anyway."""

    def __init__(self, ear: asyncpg.Connection, oid: int, poll: float) -> None:
        self._ear = ear
        self._oid = oid
        self._poll = poll
        self._told = asyncio.Event()
        self.listening = False
        self._on_watch = False
        self._shut = False
        self._open_seconds = OPEN_SECONDS

    async def begin(self, other: asyncpg.Connection) -> bool:
        """Listen; whether notifications arrive: through a pooler that mixes up sessions they don't."""
        await self._ear.add_listener(CHANNEL, self._on_notify)
        await other.execute(statements.NOTIFY)
        try:
            await asyncio.wait_for(self._told.wait(), ECHO_SECONDS)
        except TimeoutError:
            return False
        await self._ear.execute(statements.VANISHED_ASLEEP)
        self.listening = True
        return True

    async def shut(self) -> bool:
        """Have what is added from now on notify; whether it does. What was added before is to be looked for again."""
        self._told.clear()
        if not self.listening:
            return False
        if not self._on_watch:
            self._on_watch = await self._ear.fetchval(statements.TRY_LOCK, WATCH, self._oid)
        if self._on_watch:
            self._shut = await self._ear.fetchval(statements.TRY_LOCK, GATE, self._oid)
        return self._shut

    async def wait(self, stop: asyncio.Event, *, found: bool) -> None:
        """Until something was added, it is time for a look, or ``stop``; then the gate is open again.

        ``found``: there was something since the last wait.
        """
        seconds = self._poll
        if found or self._shut:
            self._open_seconds = OPEN_SECONDS
        if self._on_watch and not self._shut:
            seconds = min(self._open_seconds, self._poll)
            self._open_seconds *= 2
        await first_of(stop, self._told, seconds=seconds)
        if self._shut:
            self._shut = False
            await self._ear.execute(statements.UNLOCK, GATE, self._oid)

    def _on_notify(self, *_: object) -> None:
        self._told.set()


async def first_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait for the first of some events, but no longer."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
