"""The model of the ledger that the simulation of workers relies on does what PostgreSQL does."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from ajo_worker.ledger.admission import Admission, Known, admit, look
from ajo_worker.ledger.attempts import Intent, Record, intend, record
from ajo_worker.ledger.ledger import PLANNER
from ajo_worker.ledger.ownership import Release, Takeover, release, take_over
from ajo_worker.ledger.worker_rows import BEAT, STOPPED
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.rows import NOON, admission, after, attempt, dead, ending, refused
from tests.support.examples import examples
from tests.support.simulation.statements import run
from tests.support.simulation.tables import Tables

TRIGGERS, WORKERS = 2, 3


@dataclass(frozen=True)
class Names:
    """The triggers and workers of one example; steps know them by number."""

    triggers: list[Admission]
    workers: list[UUID]


class Model:
    """As much of a connection as the ledger's functions use, to the model."""

    def __init__(self) -> None:
        self.tables = Tables(started_at=datetime.now(UTC))

    async def fetch(self, statement: str, *parameters: Any) -> Any:
        return run(self.tables, datetime.now(UTC), statement, parameters)

    execute = fetch


@dataclass(frozen=True)
class Insertion:
    """A copy of a trigger is admitted, or refused."""

    one: int
    owner: int
    refused: bool
    second: int

    async def do(self, connection: Any, ledger: Names) -> Any:
        same = {"request_id": ledger.triggers[self.one].request_id, "owner": ledger.workers[self.owner]}
        row = refused(**same) if self.refused else admission(**same, intended_at=after(self.second))
        return await admit(connection, [row])


@dataclass(frozen=True)
class Announcement:
    """An attempt is announced."""

    one: int
    fence: int
    number: int
    cause: str | None

    async def do(self, connection: Any, ledger: Names) -> Any:
        request_id = ledger.triggers[self.one].request_id
        return await intend(connection, [Intent(request_id, self.fence, self.number, after(self.number), self.cause)])


@dataclass(frozen=True)
class Result:
    """An attempt is recorded, a trigger ends, or both."""

    one: int
    fence: int
    number: int
    outcome: str
    ambiguous: bool
    retry_after: float | None
    brings: str

    async def do(self, connection: Any, ledger: Names) -> Any:
        trigger = ledger.triggers[self.one]
        facts = {"outcome": self.outcome, "ambiguous": self.ambiguous, "retry_after_seconds": self.retry_after}
        made = None if self.brings == "only an end" else attempt(trigger, self.number, **facts)
        end = (ending if self.brings == "acceptance" else dead)(trigger, fence=self.fence, attempts_started=self.number)
        return await record(connection, [Record(made, None if self.brings == "no end" else end)])


@dataclass(frozen=True)
class Change:
    """A trigger changes hands."""

    one: int
    fence: int
    owner: int
    number: int
    interrupted: bool

    async def do(self, connection: Any, ledger: Names) -> Any:
        request_id, owner = ledger.triggers[self.one].request_id, ledger.workers[self.owner]
        change = Takeover(request_id, self.fence, owner, self.number, self.interrupted, marked=self.interrupted)
        return await take_over(connection, [change])


@dataclass(frozen=True)
class Surrender:
    """A stopping worker gives a trigger up."""

    one: int
    fence: int
    number: int

    async def do(self, connection: Any, ledger: Names) -> Any:
        return await release(connection, [Release(ledger.triggers[self.one].request_id, self.fence, self.number)])


@dataclass(frozen=True)
class Sign:
    """A worker beats, or stops."""

    worker: int
    stops: bool
    owner_timeout: float

    async def do(self, connection: Any, ledger: Names) -> None:
        facts = "node-1", 1, "0", datetime.now(UTC), 0.0, None, None, self.owner_timeout, 60.0, [], "{}"
        pace_and_hands = "{}", 1.0, 1.0, 1.0, "{}", "{}"
        more = () if self.stops else (*facts, *pace_and_hands)
        await connection.execute(STOPPED if self.stops else BEAT, ledger.workers[self.worker], *more)


@dataclass(frozen=True)
class Look:
    """Somebody looks."""

    async def do(self, connection: Any, ledger: Names) -> Any:
        found = await look(connection, [trigger.request_id for trigger in ledger.triggers])
        return [found.get(trigger.request_id) for trigger in ledger.triggers]


which, who, small = st.sampled_from(range(TRIGGERS)), st.sampled_from(range(WORKERS)), st.integers(1, 3)
steps = st.one_of(
    st.builds(Insertion, which, who, st.booleans(), small),
    st.builds(Announcement, which, small, small, st.sampled_from([None, "ambiguous-answer", "worker-crash"])),
    st.builds(
        Result,
        one=which,
        fence=small,
        number=small,
        outcome=st.sampled_from(["accepted", "retryable"]),
        ambiguous=st.booleans(),
        retry_after=st.none() | st.just(2.0),
        brings=st.sampled_from(["no end", "acceptance", "another end", "only an end"]),
    ),
    st.builds(Change, which, small, who, st.integers(0, 3), st.booleans()),
    st.builds(Surrender, which, small, st.integers(0, 3)),
    st.builds(Sign, who, st.booleans(), st.sampled_from([0.0, 3600.0])),
    st.builds(Look),
)


async def rows_of(connection: asyncpg.Connection, request_ids: Sequence[UUID]) -> dict[str, list[Any]]:
    """What PostgreSQL has, in the model's shape."""
    found = {}
    for table, order in (
        ("triggers", "request_id"),
        ("attempts", "request_id, attempt"),
        ("held_payloads", "request_id"),
    ):
        sql = f"select * from ledger.{table} where request_id = any($1::uuid[]) order by {order}"
        found[table] = [dict(row) for row in await connection.fetch(sql, request_ids)]
    return found


def assert_same(tables: Tables, found: dict[str, list[dict[str, Any]]]) -> None:
    """Compare every column that the model has."""
    ours = [asdict(row) for _, row in sorted(tables.triggers.items())]
    theirs = [{**row, "duplicate_causes": tuple(row["duplicate_causes"])} for row in found["triggers"]]
    assert ours == [{name: row[name] for name in ours[0]} for row in theirs]
    made = [asdict(row) for _, row in sorted(tables.attempts.items())]
    kept = [name for name in (made[0] if made else ()) if name != "written_at"]
    assert [[row[name] for name in kept] for row in made] == [[row[name] for name in kept] for row in found["attempts"]]
    assert [(row["round"], row["payload"], row["reason"]) for row in found["held_payloads"]] == [
        held for _, held in sorted(tables.held.items())
    ]


def timeless(answer: Any) -> Any:
    """An answer without the moment at which somebody looked, and what followed from it."""
    if not isinstance(answer, list):
        return answer
    return [(replace(one, looked_at=NOON), one.clock_stepped) if isinstance(one, Known) else one for one in answer]


async def compare(url: str, made: Sequence[Any]) -> None:
    ledger = Names([admission() for _ in range(TRIGGERS)], [uuid7() for _ in range(WORKERS)])
    connection, model = await asyncpg.connect(url, server_settings=PLANNER), Model()
    try:
        for each in (model, connection):
            await admit(each, ledger.triggers)
        for step in made:
            answers = [await step.do(each, ledger) for each in (model, connection)]
            assert timeless(answers[0]) == timeless(answers[1])
            assert_same(model.tables, await rows_of(connection, [trigger.request_id for trigger in ledger.triggers]))
    finally:
        connection.terminate()


@settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=st.lists(steps, min_size=1, max_size=12))
@example(made=[Surrender(0, 1, 2), Change(0, 2, 0, 2, True)])  # an attempt that was cut off, of nobody's trigger
def test_the_model_does_what_postgresql_does(database_url: str, made: list[Any]) -> None:
    """Every example has triggers and workers of its own in the same database."""
    asyncio.run(compare(database_url, made))
