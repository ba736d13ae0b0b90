"""What a dead letter is says one function of the ledger, and one constant of the worker: they say the same."""

from ajo_worker.cli.dead.choosing import StateOption
from ajo_worker.states import DEAD, STATES

from tests.support.database import query


def test_the_ledger_the_worker_and_the_command_line_know_the_same_dead_states(database_url: str) -> None:
    rows = query(database_url, "select s as state from unnest($1::text[]) as s where ledger.is_dead(s)", list(STATES))
    assert tuple(row["state"] for row in rows) == DEAD == tuple(state.value for state in StateOption)
