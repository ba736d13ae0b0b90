"""The harness of `make bench`: one tiny run of ours, and what it finds wrong."""

import shutil

import pytest
from ajo_local.postgres import Postgres
from ajo_local.processes import Processes
from ajo_local.valkey import start_valkey

from benchmarks.bench.building import build
from benchmarks.bench.endpoint import Work
from benchmarks.bench.ours import Checkout, ours
from benchmarks.bench.plan import WORKS
from benchmarks.bench.run import watch, wrong
from benchmarks.bench.servers import Servers
from benchmarks.bench.stage import staged

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None, reason="the endpoint is built by a C compiler (apt-get install gcc libssl-dev)"
)
COUNT = 60


@pytest.mark.parametrize("work", [WORKS["0 ms"], WORKS["TLS"]], ids=lambda work: work.name)
def test_a_run_delivers_each_id_once_and_measures_worker_and_database(
    processes: Processes, session_postgres: Postgres, work: Work
) -> None:
    servers = Servers(processes, session_postgres, start_valkey(processes, appendfsync=None), None)
    contender = ours("valkey", 20, checkout=Checkout())
    with staged(servers, build(peers=False), contender, work, COUNT) as stage:
        run = watch(stage, work, 1)
        assert run.wrong == ""
        assert (run.count, run.rate > 0, run.memory > 0) == (COUNT, True, True)
        assert run.cpu.keys() == {"worker", "endpoint", "postgres", "broker"}
        calls = stage.published[:-1]
        assert wrong(stage, calls) == "1 never called"
        assert wrong(stage, [*stage.published, calls[0]]) == "1 called more than once"
        stage.published = calls
        assert "59 of 60 ids published, 1 calls of nobody's, 1 not recorded" in wrong(stage, [*calls, "somebody's"])
