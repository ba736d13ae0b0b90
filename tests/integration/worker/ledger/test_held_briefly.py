"""A worker that is frozen within a commit keeps nobody from its rows for long: the server ends its transaction."""

from uuid import uuid4

import pytest
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.retention import Ages


@pytest.mark.parametrize("shared", [False, True])
async def test_every_connection_of_a_worker_lets_go_of_what_it_locks(database_url: str, shared: bool) -> None:
    beats, ages = {"heartbeat": 2.0, "owner_timeout": 15.0, "budget": 60.0}, Ages(30, 400, 800)
    ledger = Ledger(lambda: database_url, uuid4(), LedgerClock(), [], ages=ages, lanes=(), **beats)
    connection = await (ledger.connect_shared() if shared else ledger.connect())
    try:
        assert await connection.fetchval("show idle_in_transaction_session_timeout") == "8s"
    finally:
        await connection.close()
