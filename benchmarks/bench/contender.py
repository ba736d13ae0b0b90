"""A contender: the programs that fill its queue and work it off, and how its database is made and asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from benchmarks.bench.endpoint import Endpoint
from benchmarks.bench.servers import Servers

Broker: TypeAlias = Literal["rabbitmq", "valkey", "postgres", "none"]
Program: TypeAlias = Sequence[str | Path]


@dataclass(frozen=True)
class Place:
    """What one run has to itself."""

    servers: Servers
    endpoint: Endpoint
    database: str
    """The address of its database; nothing for the bare loop, which has none."""
    queue: str
    """A name that no other run has."""
    count: int
    """How many triggers it is about."""


@dataclass(frozen=True)
class Records:
    """Where a contender records what it did. ``%(first)s`` is the smallest request id of the run."""

    create: Callable[[Servers, str], None]
    """Makes the database of this name."""
    done: str
    """Selects how many triggers are recorded as accepted, and the last one's time (seconds of the clock)."""
    ids: str
    """Selects the request ids of those."""
    left: str = "select 0"
    """Selects how many jobs are left, where the database is the queue."""
    remove: Callable[[Servers, str], None] | None = None
    """What becomes of the database afterwards, if it is not just dropped."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """Somebody who does the work: take, record the intent, call, record the result, acknowledge."""

    name: str
    broker: Broker
    work: Sequence[Program]
    """The workers, a process each."""
    environment: Callable[[Place], Mapping[str, str]]
    publish: Program | None = None
    """Fills the queue with as many as the word behind it says, and prints the request ids. Without it the worker makes
    its own work, of ``BENCH_COUNT``, and prints the ids."""
    records: Records | None = None
    queues: Sequence[str] = ()
    """Where messages wait until they are acknowledged; ``{queue}`` is the run's."""
    cwd: Path | None = None
    warm_up: int = 1000
    """Triggers of the warm-up, after whose rate the length of the runs goes."""

    def called(self, name: str) -> "Contender":
        """The same under another name."""
        return replace(self, name=name)
