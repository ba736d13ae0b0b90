"""A relay says once that triggers are late, and once that they are not any more."""

import asyncio
from contextlib import suppress

import pytest
from ajo_producers.outbox import metrics
from ajo_producers.outbox.database import OutboxUnavailable
from ajo_producers.outbox.lag import Lag, Way
from ajo_producers.outbox.relay import Relay
from ajo_producers.outbox.settings import RelaySettings
from ajo_producers.publishing.publisher import Publisher


async def test_lateness_is_said_at_its_begin_and_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float | None] = [3, 61, 75, None, 80, 5, 4]
    said: list[str] = []

    async def look(_settings: RelaySettings) -> Lag:
        if not seen:
            raise asyncio.CancelledError
        oldest = seen.pop(0)
        if oldest is None:
            raise OutboxUnavailable("away")
        return Lag((Way("standard", "normal", 7, oldest),), 0, 0, ())

    monkeypatch.setattr(metrics, "look", look)
    monkeypatch.setattr(metrics, "LOOK_SECONDS", 0)
    monkeypatch.setattr(metrics, "FRESH_SECONDS", -1)
    told = RelaySettings("postgresql://h/d", "ajo_outbox", 0, 1, 60)
    relay = Relay(told, Publisher("amqp://127.0.0.1:1//"), None, said.append, asyncio.Event())
    with suppress(asyncio.CancelledError):
        await metrics.Metrics(relay).keep_watch()
    assert said == [
        "7 triggers wait in the outbox, the oldest since 61 s",
        "no trigger waits for more than 60 s any more",
    ]
