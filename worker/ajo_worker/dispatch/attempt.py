"""An attempt, from the trigger in hand to what came of it: what each step adds is a value of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from ajo_producers.campaigns.definition import BeforeStart
from ajo_producers.contract.sealing import Sealer
from msgspec import Struct

from ajo_worker.api.answer import Answer, Failure
from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.backoff import Backoff
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import End, History, Retry
from ajo_worker.ledger.admission import Known, Settled
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import Refusal

OnRetry = Callable[[Received, int, Verdict, float], None]
"""Told of each retry: the trigger, how many attempts it has had, what the last one showed, and the wait in seconds."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is policy and not contract, from the settings; times in seconds."""

    backoff: Backoff
    attempt_minimum: float
    ambiguous_statuses: frozenset[int]
    hash_key: bytes = field(repr=False)
    sealer: Callable[[], Sealer]
    before_start: BeforeStart = "refuse"
    copy_poll: float = 1.0


Ended: TypeAlias = End | Settled | BaseException
"""What became of a trigger in hand: its state is in the ledger; or why it isn't, and the trigger must come again."""


class Flight:
    """A trigger in hand, until it has its end or goes back; whoever answers for it is told, once."""

    __slots__ = ("_copies", "_end", "_told", "on_retry", "received")

    def __init__(self, received: Received, told: "Callable[[Flight, Ended], None]", on_retry: OnRetry) -> None:
        self.received = received
        self.on_retry = on_retry
        self._told = told
        self._end: Ended | None = None
        self._copies: list[Flight] | None = None

    @property
    def over(self) -> bool:
        """Whether it has been told already."""
        return self._end is not None

    def joined(self, copy: "Flight") -> None:
        """A copy of the trigger has the same end."""
        if self._end is not None:
            copy.ends(self._end)
        else:
            self._copies = [*(self._copies or ()), copy]

    def ends(self, end: Ended) -> None:
        """It is over; whoever learns of it again later changes nothing."""
        if self._end is None:
            self._end = end
            self._told(self, end)
            for copy in self._copies or ():
                copy.ends(end)


class Flights(dict[UUID, Flight]):
    """Those in hand, by trigger: one for each, whatever copies of it came."""

    def let_go(self, flight: Flight) -> None:
        """It is over; not where another one has taken its place."""
        request_id = flight.received.trigger.request_id
        if self.get(request_id) is flight:
            del self[request_id]


class Round(Struct, frozen=True):
    """A round that is ours as long as ``fence`` holds, and what it has shown so far.

    ``budget`` is None until the first dispatch. ``step`` is what followed from the newest attempt, ``decided`` when
    (monotonic), ``rejected_token`` the token that Adobe refused in it.
    """

    number: int
    fence: int
    history: History
    budget: Budget | None
    step: Retry | End | None
    decided: float
    rejected_token: str | None = None

    def __repr__(self) -> str:
        """Without the token."""
        return f"Round({self.number}, fence={self.fence}, {self.history}, {self.budget}, {self.step})"

    @property
    def repeats(self) -> bool:
        """Whether the trigger may have been sent before: in this round, or in one before it."""
        return self.number > 1 or self.history.attempts > 0


class Attempt(Struct, frozen=True):
    """An attempt that is ready: token, permit and place are in hand; how long each was waited for, in seconds.

    ``round`` is that of a trigger which is ours already.
    """

    flight: Flight
    campaign: KnownCampaign
    round: Round | None
    token: str
    place: Place
    waits: Waits
    backoff_wait: float

    def __repr__(self) -> str:
        """Without the token."""
        return f"Attempt({self.flight.received.trigger}, {self.round})"

    @property
    def received(self) -> Received:
        """Its trigger."""
        return self.flight.received


class Ready(Struct, frozen=True):
    """Attempts that are ready at the same time, and the places that they have: whoever gets them answers for these."""

    attempts: list[Attempt]
    places: Places


class Unready(Struct, frozen=True):
    """A trigger that is not to be attempted now; what is known of it, where that is the reason."""

    flight: Flight
    why: Refusal | Known


class Announced(Struct, frozen=True):
    """An attempt that the ledger knows is about to start, ``intended`` then (monotonic), in a round that is ours.

    ``asked`` is when it was announced last.
    """

    attempt: Attempt
    round: Round
    intended: float
    asked: float
    ledger_wait: float


class Sent(Struct, frozen=True):
    """One HTTP call: when it was made (monotonic), what came back, and the token that it carried.

    ``token_until`` (monotonic): until then that had surely not expired. ``budget`` began with it, if not before.
    """

    announced: Announced
    budget: Budget
    body: bytes
    dispatched: float
    result: Answer | Failure
    token: str
    token_until: float

    def __repr__(self) -> str:
        """Without body and token."""
        return f"Sent({self.announced}, {self.dispatched}, {self.result})"
