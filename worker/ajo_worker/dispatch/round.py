"""The types of a round, one for each stage."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ajo_producers.campaigns.definition import BeforeStart
from ajo_producers.contract.sealing import Sealer

from ajo_worker.api.answer import Answer, Failure
from ajo_worker.dispatch.backoff import Backoff
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import End, History, Retry


class Lost(Exception):  # noqa: N818 - not an error: this worker asks what became of the trigger
    """The trigger was taken over, or ended, by somebody else."""


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


@dataclass(frozen=True, slots=True)
class Round:
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
    rejected_token: str | None = field(default=None, repr=False)

    @property
    def repeats(self) -> bool:
        """Whether the trigger may have been sent before: in this round, or in one before it."""
        return self.number > 1 or self.history.attempts > 0


@dataclass(frozen=True, slots=True)
class Sent:
    """One HTTP call: when it was made (monotonic), what came back, and the token that it carried.

    ``token_until`` (monotonic): until then that had surely not expired.
    """

    dispatched: float
    result: Answer | Failure
    token: str = field(repr=False)
    token_until: float
