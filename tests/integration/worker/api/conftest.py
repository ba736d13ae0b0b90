"""Adapters, made as the worker makes them and on its event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvloop
from ajo_worker.api.adapters import make_adapter
from ajo_worker.api.answer import HttpAdapter
from ajo_worker.settings import Settings

Make = Callable[..., HttpAdapter]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the worker has."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["direct", "pyreqwest", "httpx"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes adapters of one library: ``make(max_answer_bytes=10)``; connecting may take long by default."""
    made: list[HttpAdapter] = []

    def start(**settings: Any) -> HttpAdapter:
        made.append(make_adapter(Settings(**{"http_adapter": request.param, "connect_timeout": 20, **settings})))
        return made[-1]

    yield start
    for adapter in made:
        await adapter.close()


@pytest.fixture
def adapter(make: Make) -> HttpAdapter:
    """An adapter with the settings' own values."""
    return make()
