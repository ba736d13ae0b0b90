"""A worker's heartbeat in the ledger: who lives, who stopped, whose clock is wrong, and who may still send."""

import os
import socket
import time
from importlib.metadata import version

import asyncpg
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.liveness import Liveness
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Stoppable
from tests.integration.worker.ledger.workers import HEARTBEAT, beating, until, worker_row
from tests.support.database import query
from tests.support.proxy import Proxy


class Watch:
    """A monotonic clock that a test can move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


async def test_a_worker_says_who_it_is_and_beats_on_by_the_databases_clock(database_url: str) -> None:
    me = uuid7()
    before = query(database_url, "select clock_timestamp() as now")[0]["now"]
    async with beating(database_url, LedgerClock(), me) as heart:
        await heart.first_beat.wait()
        row = worker_row(database_url, me)
        assert (row["hostname"], row["pid"]) == (socket.gethostname(), os.getpid())
        assert row["version"] == version("ajo-dispatch")
        assert row["stopped_at"] is None
        assert before <= row["heartbeat_at"]
        await until(
            lambda: worker_row(database_url, me)["heartbeat_at"] > row["heartbeat_at"], "the worker beats again"
        )
        assert worker_row(database_url, me)["started_at"] == row["started_at"]


async def test_stopping_is_recorded_at_once(database_url: str) -> None:
    me = uuid7()
    async with beating(database_url, LedgerClock(), me) as heart:
        await heart.first_beat.wait()
    row = worker_row(database_url, me)
    assert row["stopped_at"] >= row["heartbeat_at"]


async def test_nobody_may_send_before_the_first_beat(stoppable: Stoppable) -> None:
    stoppable.stop()
    async with beating(stoppable.url, LedgerClock(), uuid7()) as heart:
        assert not heart.may_send(time.monotonic())
        stoppable.start()
        await heart.first_beat.wait()
        assert heart.may_send(time.monotonic())


async def test_nobody_may_send_whose_newest_beat_is_older_than_the_owners_time_out(stoppable: Stoppable) -> None:
    watch = Watch()
    async with beating(stoppable.url, LedgerClock(watch), uuid7(), owner_timeout=15) as heart:
        await heart.first_beat.wait()
        stoppable.stop()
        announced = watch()
        assert heart.may_send(announced)
        watch.ahead = 15
        assert not heart.may_send(watch())
        stoppable.start()
        await until(lambda: heart.may_send(watch()), "the worker may send again")
        assert not heart.may_send(announced), "somebody may have taken it over in between"


async def test_a_heart_whose_connection_is_frozen_beats_over_another_one_before_its_worker_counts_as_dead(
    database_url: str,
) -> None:
    """As where a pooler, or one backend, stands still: TCP finds nothing wrong."""
    me = uuid7()
    with Proxy(database_url) as proxy:
        async with beating(proxy.url, LedgerClock(), me, owner_timeout=8) as heart:
            await heart.first_beat.wait()
            announced = time.monotonic()
            await until(lambda: heart.may_send(announced), "nothing is between two beats")
            proxy.deafen()
            frozen_at = query(database_url, "select clock_timestamp() as now")[0]["now"]
            await until(lambda: worker_row(database_url, me)["heartbeat_at"] > frozen_at, "it beats again")
            assert heart.may_send(announced), "nobody can have taken anything over"


async def test_a_wrong_clock_is_shown_and_does_not_date_what_is_recorded(database_url: str) -> None:
    me, clock = uuid7(), LedgerClock(wall=lambda: time.time() + 120)
    async with beating(database_url, clock, me) as heart:
        await heart.first_beat.wait()
        await until(
            lambda: worker_row(database_url, me)["clock_skew_seconds"] > 1,
            "what the first beat showed",
        )
        assert 119 < worker_row(database_url, me)["clock_skew_seconds"] < 121
        assert abs((clock.now() - worker_row(database_url, me)["heartbeat_at"]).total_seconds()) < 60


async def test_a_heart_goes_on_whatever_befalls_it(database_url: str) -> None:
    """A heart that ended in silence would forbid its worker to send, for ever."""
    faults = [RuntimeError("never seen before"), asyncpg.InternalClientError("another operation"), OSError()]

    async def connect() -> asyncpg.Connection:
        if faults:
            raise faults.pop()
        return await asyncpg.connect(database_url)

    heart = Liveness(
        uuid7(), connect, LedgerClock(), every=HEARTBEAT, owner_timeout=5, budget=60, lanes=[], definitions={}
    )
    heart.start()
    await until(heart.first_beat.is_set, "the first beat")
    await heart.stop()
    assert worker_row(database_url, heart.worker_id)["stopped_at"]


async def test_a_stop_that_cannot_be_recorded_ends_all_the_same(stoppable: Stoppable) -> None:
    me = uuid7()
    async with beating(stoppable.url, LedgerClock(), me) as heart:
        await heart.first_beat.wait()
        stoppable.stop()
    stoppable.start()
    assert worker_row(stoppable.url, me)["stopped_at"] is None


async def test_a_beat_tells_since_when_and_why_a_worker_has_no_token_and_when_it_has_one_again(
    database_url: str,
) -> None:
    me, clock, failing = uuid7(), LedgerClock(), [(time.monotonic() - 40, "token endpoint: ConnectError" + 500 * "!")]
    async with beating(database_url, clock, me) as heart:
        await heart.first_beat.wait()
        assert worker_row(database_url, me)["token_failed_at"] is None
        heart.token_failing = lambda: failing[0] if failing else None
        await until(lambda: worker_row(database_url, me)["token_failed_at"], "the failure is told")
        row = worker_row(database_url, me)
        assert abs((row["heartbeat_at"] - row["token_failed_at"]).total_seconds() - 40) < 30
        assert row["token_failure"].startswith("token endpoint: ConnectError!")
        assert len(row["token_failure"]) == 200
        failing.clear()
        await until(lambda: worker_row(database_url, me)["token_failed_at"] is None, "the failure is over")
        assert worker_row(database_url, me)["token_failure"] is None
