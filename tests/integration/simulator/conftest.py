"""One simulator for all tests that only change its scenario, and callers of others."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from ajo_local.processes import Processes

from tests.integration.simulator.calls import PATIENCE, Api
from tests.support import programs


@pytest.fixture(scope="session")
def shared_simulator(session_processes: Processes) -> programs.Simulator:
    """A simulator of this test run; its scenario is the current test's. Never stop it: take ``simulator`` for that."""
    return programs.start_simulator(session_processes, session_processes.folder(), None)


@pytest.fixture
def api(shared_simulator: programs.Simulator) -> Iterator[Api]:
    """A caller of the shared simulator, which answers at once and without faults until a test says more."""
    with httpx2.Client(timeout=PATIENCE) as client:
        client.post(f"{shared_simulator.url}/_simulator/scenario", content="")
        yield Api.at(shared_simulator.url, shared_simulator.journal, client)


@pytest.fixture
def own_api(simulator: Callable[..., programs.Simulator]) -> Iterator[Callable[..., tuple[programs.Simulator, Api]]]:
    """Starts simulators of this test alone, and a caller of each."""
    with httpx2.Client(timeout=PATIENCE) as client:

        def start(scenario: str | None = None, *arguments: str) -> tuple[programs.Simulator, Api]:
            running = simulator(scenario, *arguments)
            return running, Api.at(running.url, running.journal, client)

        yield start
