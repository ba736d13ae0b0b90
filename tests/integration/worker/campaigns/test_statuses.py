"""The status of campaigns over real HTTP: asked once while it is fresh, kept through failures, in nobody's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from ajo_worker.api.tls import tls_context
from ajo_worker.api.token import TokenProvider
from ajo_worker.api.token_fetch import token_client, token_fetch
from ajo_worker.campaigns.live_campaign import UNKNOWN, LiveCampaign
from ajo_worker.campaigns.question import Unreadable, ask, question_of
from ajo_worker.campaigns.statuses import CampaignStatuses, campaign_statuses
from ajo_worker.settings import Settings
from structlog.testing import capture_logs

from tests.integration.simulator.calls import entries
from tests.support.definitions import definition
from tests.support.programs import Simulator
from tests.support.waiting import DEADLINE_SECONDS

CAMPAIGNS = "/journey/campaigns/service/campaigns/"
LIVE = '[[campaign]]\nid = "a"\n'
TICK = 0.01


@dataclass
class Adobe:
    """A simulator and what is asked of it."""

    simulator: Simulator
    client: httpx2.AsyncClient
    tokens: TokenProvider

    def settings(self, **more: Any) -> Settings:
        own = {"client_id": "me", "client_secret": "secret", "base_url": self.simulator.url, "campaign_status": "on"}
        return Settings(**{**own, **more})

    def statuses(self, *campaign_ids: str, **settings: Any) -> CampaignStatuses:
        """As the worker has them."""
        definitions = [definition(name=name, campaign_id=name) for name in campaign_ids]
        return campaign_statuses(self.settings(**settings), definitions, self.tokens, self.client)

    async def play(self, scenario: str) -> None:
        answer = await self.client.post(f"{self.simulator.url}/_simulator/scenario", content=scenario)
        assert answer.status_code == 204, answer.text

    def answers(self) -> list[int | None]:
        """The status of each question about a campaign."""
        return [entry["status"] for entry in entries(self.simulator.journal) if entry["path"].startswith(CAMPAIGNS)]


@pytest.fixture
async def adobe(simulator: Callable[..., Simulator]) -> AsyncIterator[Adobe]:
    running = simulator()
    settings = Settings(client_id="me", client_secret="secret", token_url=running.token_url)
    async with token_client(settings, tls_context(settings)) as client:
        tokens = TokenProvider(token_fetch(settings, client), margin=1)
        yield Adobe(running, client, tokens)
        await tokens.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(TICK)


async def test_a_campaign_is_asked_for_once_within_its_time_to_live_and_read_whole(adobe: Adobe) -> None:
    await adobe.play(
        LIVE + 'end = 2027-11-01T08:00:00Z\nnamespace = "Email"\nthroughput = "high"\ncreate_profiles = false\n'
    )
    statuses = adobe.statuses("a")
    found = {await statuses.of("a") for _ in range(5)}
    end = datetime(2027, 11, 1, 8, tzinfo=UTC)
    assert found == {LiveCampaign("live", "LIVE", None, end, "Email", "high-throughput", False)}
    assert adobe.answers() == [200]


async def test_a_status_that_changes_is_noticed_in_the_background(adobe: Adobe) -> None:
    statuses = adobe.statuses("a", "b", campaign_status_ttl=0.05)
    statuses.start()
    await until(lambda: [(statuses.known(one) or UNKNOWN).status for one in "ab"] == ["live", "live"])
    await adobe.play('[[campaign]]\nid = "a"\nstatus = "STOPPED"\n')
    await until(lambda: (statuses.known("a") or UNKNOWN).status == "ended")
    assert (statuses.known("b") or UNKNOWN).status == "live"
    await statuses.stop()


async def test_a_missing_permission_is_remembered_as_unknown_and_told_once(adobe: Adobe) -> None:
    await adobe.play("".join(f'[[campaign]]\nid = "{one}"\nanswer = 403\n' for one in "ab"))
    statuses = adobe.statuses("a", "b")
    with capture_logs() as logs:
        assert {await statuses.of(one) for one in "aabb"} == {UNKNOWN}
    assert adobe.answers() == [403, 403]
    assert [log["reason"] for log in logs if log["event"] == "campaign-status-unreadable"] == ["forbidden"]


async def test_a_server_error_keeps_what_was_known(adobe: Adobe) -> None:
    statuses = adobe.statuses("a", campaign_status_ttl=0.05)
    statuses.start()
    await until(lambda: statuses.known("a") is not None)
    await adobe.play(LIVE + "answer = 500\n")
    await until(lambda: 500 in adobe.answers())
    await until(lambda: adobe.answers().count(500) > 1)
    assert (statuses.known("a") or UNKNOWN).status == "live"
    await statuses.stop()


async def test_an_answer_that_takes_an_hour_delays_nobody_but_who_asked(adobe: Adobe) -> None:
    await adobe.play(LIVE + "latency = 3600\n")
    statuses = adobe.statuses("a", "b")
    first = asyncio.create_task(statuses.of("a"))
    await adobe.tokens.get(DEADLINE_SECONDS)
    async with asyncio.timeout(DEADLINE_SECONDS / 2):
        assert await statuses.of("b") is not None
        assert [await statuses.of("a") for _ in range(100)] == [None] * 100
        assert statuses.known("a") is None
        assert not first.done()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        statuses.start()
        await statuses.stop()


async def test_an_answer_that_takes_too_long_is_given_up(adobe: Adobe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ajo_worker.campaigns.question.ANSWER_SECONDS", 0.2)
    await adobe.play(LIVE + "latency = 3600\n")
    question = question_of(definition(campaign_id="a"), adobe.settings())
    assert await ask(question, adobe.client, await adobe.tokens.get(DEADLINE_SECONDS)) == Unreadable(
        "failed", "TimeoutError"
    )


async def test_a_refused_token_is_a_failure_and_leaves_the_token_to_the_attempts(adobe: Adobe) -> None:
    question = question_of(definition(campaign_id="a"), adobe.settings())
    assert await ask(question, adobe.client, "invented") == Unreadable("failed", "status 401, 401013")


async def test_nobody_there_is_a_failure(adobe: Adobe) -> None:
    question = question_of(definition(), adobe.settings(base_url="http://127.0.0.1:1"))
    assert await ask(question, adobe.client, "token") == Unreadable("failed", "ConnectError")


@pytest.mark.parametrize("settings", [{"campaign_status": "off"}, {"campaign_status_ttl": 0}])
async def test_a_worker_that_is_not_told_to_ask_never_does(adobe: Adobe, settings: dict[str, Any]) -> None:
    statuses = adobe.statuses("a", **settings)
    statuses.start()
    assert await statuses.of("a") is None
    await statuses.stop()
    assert adobe.answers() == []
