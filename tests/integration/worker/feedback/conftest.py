"""A ledger with triggers of invented people, and a connection to it as a worker has it; receivers of webhooks."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from ajo_local.processes import Processes
from ajo_worker.ledger.ledger import PLANNER

from tests.integration.worker.feedback.receivers import Receiver, start_receiver
from tests.integration.worker.feedback.triggers import put_campaign


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with a worker's planner settings; the campaign of all triggers is known."""
    put_campaign(database_url)
    opened = await asyncpg.connect(database_url, server_settings=PLANNER)
    yield opened
    opened.terminate()


@pytest.fixture
def receive(processes: Processes) -> Callable[..., Receiver]:
    """Starts receivers on free ports: ``receive(database_url, "--insecure", AJO_…="…")``."""

    def start(database_url: str, *arguments: Any, **env: str) -> Receiver:
        return start_receiver(processes, database_url, *arguments, **env)

    return start
