"""The ledger's statements, each done to the model of its tables."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ajo_worker.ledger import admission, attempts, commits, liveness, ownership, partitions, rollup, upkeep, worker_rows
from ajo_worker.ledger.admission import Known
from ajo_worker.ledger.attempts import Intent
from ajo_worker.ledger.by_day import FIRST_ID, LAST_ID
from ajo_worker.ledger.ownership import Release, Takeover

from tests.support.simulation.tables import Tables

KINDS = {
    admission.INSERT: "admissions",
    admission.INSERT_HELD: "admissions",
    admission.LOOK: "looks",
    attempts.INTEND: "intents",
    attempts.ACCEPT: "records",
    attempts.ACCEPTED: "records",
    attempts.RECORD: "records",
    ownership.TAKE_OVER: "takeovers",
    ownership.RELEASE: "releases",
    commits.AFTER_ALL: "afterwards",  # there are no standbys in the model
    liveness.TIME: "clocks",
    liveness.CLOCK_STEP: "clocks",
    worker_rows.BEAT: "beats",
    worker_rows.STOPPED: "stop",
    partitions.MISSING: "upkeep",
    upkeep.DEFINITIONS: "upkeep",
    upkeep.PURGE: "upkeep",
    rollup.CLAIM: "upkeep",  # another worker always has it: reports are not in the model
}
"""Each statement by the writer that it belongs to; another one is not in the model, and fails the test."""


UUIDS = re.compile(r"'([0-9a-f-]{36})'")


def of_any_day(statement: str) -> str:
    """The statement that one for a day was made of."""
    if found := UUIDS.findall(statement):
        return statement.replace(min(found), FIRST_ID).replace(max(found), LAST_ID)
    return statement


def run(tables: Tables, now: datetime, statement: str, parameters: Sequence[Any]) -> Any:
    """Do what a statement does, and give what it gives."""
    statement = of_any_day(statement)
    if statement in {admission.INSERT, admission.INSERT_HELD}:
        return f"INSERT 0 {len(tables.insert(parameters[0]))}"
    if statement == admission.LOOK:
        found = tables.look(parameters[0], now)
        return [
            {"request_id": key} | {name: getattr(known, name) for name in Known.__slots__}
            for key, known in found.items()
        ]
    if statement == attempts.INTEND:
        return [(one,) for one in tables.intend(rows_of(Intent, parameters))]
    if statement == attempts.ACCEPT:
        return f"INSERT 0 {tables.accept(*parameters[:3], now)}"
    if statement == attempts.ACCEPTED:
        return [(one,) for one in tables.accepted(parameters[0])]
    if statement == attempts.RECORD:
        ended = tables.end(parameters[1])
        tables.record(parameters[0], now)
        return [(one,) for one in ended]
    if statement == ownership.TAKE_OVER:
        return [(one,) for one in tables.take_over(rows_of(Takeover, parameters), now)]
    if statement == ownership.RELEASE:
        tables.release(rows_of(Release, parameters))
    if statement == liveness.TIME:
        return [tables.time(now)]
    if statement == liveness.CLOCK_STEP:
        return tables.note_clock_step(parameters[1], now)
    if statement == worker_rows.BEAT:
        return tables.beat(parameters[0], now, owner_timeout=parameters[8])
    if statement == worker_rows.STOPPED:
        return tables.stop(parameters[0], now)
    return []


def rows_of(row_type: type, columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Rows again from the columns that a statement is given first."""
    return [row_type(*values) for values in zip(*columns[: len(row_type.__slots__)], strict=True)]
