"""Whoever can't see the queues says so, aloud where it lasts."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from ajo_worker.queues import looking
from ajo_worker.queues.looking import TELLING, Looking
from structlog.testing import capture_logs

DOWN = OSError("all replicas are down")


class Ledger:
    """One whose looks are claimed by us, but for those where another worker was first."""

    def __init__(self, claims: Iterator[bool]) -> None:
        self.claims = claims

    async def run(self, work: Any) -> list[str]:
        return (
            ["ajo-dispatch.standard"]
            if getattr(work, "func", None) is not looking.looks.claim or next(self.claims)
            else []
        )


async def told(
    answers: list[Exception | None], claims: list[bool], monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """What the log has after these looks."""
    monkeypatch.setattr(looking, "EVERY", 0.0)
    left, over = iter(answers), asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask(_: list[str]) -> dict[str, int]:
        answer = next(left, over)
        if answer is over:
            loop.call_soon_threadsafe(over.set)
        if isinstance(answer, Exception):
            raise answer
        return {}

    mine = Looking(Ledger(iter([*claims, *[True] * 1000])), {"ajo-dispatch.standard": "standard"}, ask, lambda: None)  # type: ignore[arg-type] # stands in for the connection
    with capture_logs() as lines:
        mine.start()
        await over.wait()
        await mine.stop()
    return [(line["log_level"], line["event"]) for line in lines if line["log_level"] != "debug"]


async def test_queues_that_can_not_be_seen_are_warned_of_once_where_it_lasts_and_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await told([DOWN] * (2 * TELLING) + [None, None], [], monkeypatch)
    assert found == [("warning", "queues-not-seen"), ("info", "queues-seen-again")]


async def test_a_look_that_fails_now_and_then_is_nothing_to_warn_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told([DOWN, DOWN, None] * 4, [], monkeypatch) == []


async def test_looks_of_other_workers_say_nothing_of_what_this_one_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await told([DOWN] * TELLING, [True, False] * TELLING, monkeypatch)
    assert found == [("warning", "queues-not-seen")]
