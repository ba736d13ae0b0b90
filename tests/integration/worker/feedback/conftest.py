"""A ledger with triggers of invented people, and a connection to it as a worker has it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from ajo_worker.ledger.ledger import PLANNER

from tests.integration.worker.feedback.triggers import put_campaign


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with a worker's planner settings; the campaign of all triggers is known."""
    put_campaign(database_url)
    opened = await asyncpg.connect(database_url, server_settings=PLANNER)
    yield opened
    opened.terminate()
