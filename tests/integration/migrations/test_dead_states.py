"""What a dead letter is says one function of the ledger, and one constant of the worker: they say the same."""

import re
from typing import get_args

from ajo_worker.cli.dead.choosing import StateOption
from ajo_worker.states import DEAD, STATES, EndState

from tests.support.database import query


def test_the_ledger_the_worker_and_the_command_line_know_the_same_dead_states(database_url: str) -> None:
    rows = query(database_url, "select s as state from unnest($1::text[]) as s where ledger.is_dead(s)", list(STATES))
    assert tuple(row["state"] for row in rows) == DEAD == tuple(state.value for state in StateOption)


def test_the_states_that_the_schema_allows_are_those_that_the_worker_knows(database_url: str) -> None:
    constraint = "select pg_get_constraintdef(oid) as it from pg_constraint where conname = 'triggers_state' limit 1"
    allowed = re.findall(r"'(\w+)'", query(database_url, constraint)[0]["it"])
    assert sorted(allowed) == sorted(STATES) == sorted({*get_args(EndState), "sending"})
