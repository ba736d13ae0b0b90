"""First attempts at a destination that answers nothing: one a second tries, few wait here, the rest in the broker.

It is no outage: calls that are open are waited for, retries go on, and one answer lifts it.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ajo_worker.closing import Closing
from ajo_worker.dispatch.gate import SentBack
from ajo_worker.limits.turns import Turns
from ajo_worker.outages.answers import Listening, Patience
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.urgency import Urgency

EVERY = 1.0
"""Seconds between two first attempts at a silent destination."""
STOCK = 60
"""First attempts that wait in the worker for their turn: as many as there are turns until the first calls end."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    turn: "asyncio.Future[OneTry | None]"
    urgency: Urgency
    campaign: str


@dataclass(slots=True)
class OneTry:
    """A turn to try a silent destination; nobody has the next one before it is over."""

    line: "_Line | None"

    def over(self) -> None:
        """The attempt was made ready, or given up."""
        if self.line is not None and self.line.turn is self:
            self.line.turn = None


class _Line:
    """One destination: who waits for a turn."""

    def __init__(self, patience: Patience) -> None:
        self.listening = Listening(patience)
        self.waiting: Turns[_Waiting] = Turns()
        self.turn: OneTry | None = None
        self.next_at = float("-inf")
        self.wanting = True
        self.stopped = False

    def __len__(self) -> int:
        return len(self.waiting)

    def let_one(self, now: float) -> None:
        """Give the next turn, if it is due and somebody waits."""
        if now < self.next_at or self.turn is not None:
            return
        for one in self.waiting.take():
            if not one.turn.done():
                self.turn, self.next_at = OneTry(self), now + EVERY
                one.turn.set_result(self.turn)
                return

    def let_all(self) -> None:
        """It is over."""
        self.wanting = True
        for one in self.waiting.take():
            if not one.turn.done():
                one.turn.set_result(None)

    def send_back(self, most: int) -> None:
        """Let no more than so many wait here."""
        kept: list[_Waiting] = []
        for one in self.waiting.take():
            if one.turn.done():
                continue
            if len(kept) < most:
                kept.append(one)
            else:
                one.turn.set_exception(SentBack())
        for one in kept:
            self.waiting.add(one, one.urgency, one.campaign)


class Silences:
    """What this worker hears of destinations; on the event loop, without I/O."""

    def __init__(
        self, destinations: Mapping[str, str], patience: Patience, closing: Closing, monotonic: Callable[[], float]
    ) -> None:
        self._destinations = destinations
        self._lines = {scope: _Line(patience) for scope in destinations.values()}
        self._closing = closing
        self._monotonic = monotonic

    def silent(self, campaign: str) -> bool:
        """Whether nothing is heard from a campaign's destination."""
        scope = self._destinations.get(campaign)
        return scope is not None and self._lines[scope].listening.since is not None

    @property
    def scopes(self) -> dict[str, float]:
        """The destinations that are silent, with the instant since when."""
        found = {scope: line.listening.since for scope, line in self._lines.items()}
        return {scope: since for scope, since in found.items() if since is not None}

    @property
    def wanting(self) -> frozenset[str]:
        """Silent destinations with nobody left here who could try them."""
        return frozenset(scope for scope in self.scopes if self._lines[scope].wanting)

    def open_calls(self, scope: str) -> int:
        """This worker's calls at a destination."""
        return self._lines[scope].listening.open

    def campaigns(self, scope: str) -> list[str]:
        """Those that go to a destination."""
        return [name for name, destination in self._destinations.items() if destination == scope]

    def began(self, received: Received) -> None:
        """A call begins."""
        if (scope := self._destinations.get(received.trigger.campaign)) is not None:
            self._lines[scope].listening.sends(received.trigger.request_id, self._monotonic())

    def ended(self, received: Received, *, answered: bool) -> None:
        """A call ended; an answer of any status lifts a silence at once."""
        if (scope := self._destinations.get(received.trigger.campaign)) is None:
            return
        line = self._lines[scope]
        line.listening.ended(received.trigger.request_id, self._monotonic(), answered=answered)
        if answered and line.waiting:
            line.let_all()

    async def turn(self, received: Received, urgency: Urgency) -> OneTry | None:
        """Wait for a turn to make a first attempt at a silent destination; None where it isn't silent, or not any more.

        Raises:
            HandedBack: the worker is stopping.
            SentBack: too many wait.
        """
        campaign = received.trigger.campaign
        if not self.silent(campaign):
            return None
        line = self._lines[self._destinations[campaign]]
        future: asyncio.Future[OneTry | None] = asyncio.get_running_loop().create_future()
        line.waiting.add(_Waiting(future, urgency, campaign), urgency, campaign)
        try:
            await self._closing.race(future)
        except BaseException:
            if future.done() and not future.cancelled() and not future.exception() and (turn := future.result()):
                turn.over()
            future.cancel()
            raise
        return future.result()

    def look(self) -> dict[str, float]:
        """See which destinations are silent now, and give turns that are due; to be called twice a second."""
        now = self._monotonic()
        for line in self._lines.values():
            if not line.stopped and line.listening.look(now):
                line.let_one(now)
                line.wanting = len(line) < STOCK if line.wanting else not len(line)
            else:
                line.let_all()
        return self.scopes

    def send_back(self) -> None:
        """Let all wait elsewhere that are too many here, at destinations that want nobody."""
        for scope in self.scopes:
            if not self._lines[scope].wanting:
                self._lines[scope].send_back(STOCK)

    def stop(self, scopes: Collection[str]) -> None:
        """Nothing is sent to these destinations, for an outage or an operator: a silence of theirs is over.

        Where that ends somebody was answered, and it is listened to anew.
        """
        for scope, line in self._lines.items():
            was, line.stopped = line.stopped, scope in scopes
            if was != line.stopped:
                line.listening.over(self._monotonic())
                line.let_all()
