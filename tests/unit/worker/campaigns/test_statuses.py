"""The cache of what Adobe says: asked once while it is fresh, by one at a time, and nobody is ever in its way."""

import asyncio

import pytest
from ajo_worker.campaigns.live_campaign import UNKNOWN, LiveCampaign
from ajo_worker.campaigns.question import Unreadable
from ajo_worker.campaigns.statuses import FAILED_PAUSE, CampaignStatuses
from structlog.testing import capture_logs

LIVE, ENDED = LiveCampaign("live", "LIVE"), LiveCampaign("ended", "STOPPED")
FORBIDDEN, LOST = Unreadable("forbidden", "status 403"), Unreadable("not-found", "status 404")
FAILED = Unreadable("failed", "status 500")
TTL = 300.0


class Adobe:
    """Says what it is told to say; can be held up."""

    def __init__(self, says: LiveCampaign | Unreadable = LIVE) -> None:
        self.says = says
        self.now = 0.0
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    def monotonic(self) -> float:
        return self.now

    async def ask(self, campaign_id: str) -> LiveCampaign | Unreadable:
        self.asked.append(campaign_id)
        await self.open.wait()
        return self.says

    def statuses(self, *campaign_ids: str, ttl: float = TTL) -> CampaignStatuses:
        return CampaignStatuses(self.ask, campaign_ids or ("a",), ttl=ttl, monotonic=self.monotonic)


@pytest.fixture
def adobe() -> Adobe:
    return Adobe()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_nothing_is_known_until_somebody_asked(adobe: Adobe) -> None:
    statuses = adobe.statuses()
    assert statuses.known("a") is None
    assert await statuses.of("a") == LIVE
    assert statuses.known("a") == LIVE


async def test_adobe_is_asked_again_when_the_time_to_live_is_over_and_not_before(adobe: Adobe) -> None:
    statuses = adobe.statuses()
    await statuses.of("a")
    adobe.now, adobe.says = TTL - 1, ENDED
    assert await statuses.of("a") == LIVE
    adobe.now = TTL
    assert statuses.known("a") == LIVE, "whoever doesn't ask gets what there is"
    assert await statuses.of("a") == ENDED
    assert len(adobe.asked) == 2


async def test_one_asks_and_a_thousand_others_meanwhile_get_at_once_what_there_is(adobe: Adobe) -> None:
    statuses = adobe.statuses()
    adobe.open.clear()
    first = asyncio.create_task(statuses.of("a"))
    await turns()
    async with asyncio.timeout(10):
        assert set(await asyncio.gather(*(statuses.of("a") for _ in range(1000)))) == {None}
    adobe.open.set()
    assert await first == LIVE
    assert adobe.asked == ["a"]


async def test_a_caller_that_goes_away_leaves_the_question_to_the_next(adobe: Adobe) -> None:
    statuses = adobe.statuses()
    adobe.open.clear()
    first = asyncio.create_task(statuses.of("a"))
    await turns()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    adobe.open.set()
    assert await statuses.of("a") == LIVE


@pytest.mark.parametrize("refusal", [FORBIDDEN, LOST])
async def test_a_campaign_that_may_not_be_read_or_is_not_there_is_remembered_as_unknown(
    adobe: Adobe, refusal: Unreadable
) -> None:
    statuses = adobe.statuses()
    await statuses.of("a")
    adobe.now, adobe.says = TTL, refusal
    assert [await statuses.of("a") for _ in range(3)] == [UNKNOWN] * 3
    assert len(adobe.asked) == 2


async def test_a_missing_permission_is_logged_once_for_all_campaigns_and_times(adobe: Adobe) -> None:
    adobe.says = FORBIDDEN
    statuses = adobe.statuses("a", "b")
    with capture_logs() as logs:
        for adobe.now in (0.0, TTL, 2 * TTL):
            await asyncio.gather(statuses.of("a"), statuses.of("b"))
    assert [(log["event"], log["reason"], log["detail"]) for log in logs] == [
        ("campaign-status-unreadable", "forbidden", "status 403")
    ]


async def test_a_failure_keeps_what_was_known_and_is_asked_again_after_a_pause(adobe: Adobe) -> None:
    statuses = adobe.statuses()
    await statuses.of("a")
    adobe.now, adobe.says = TTL, FAILED
    assert await statuses.of("a") == LIVE
    adobe.now, adobe.says = TTL + FAILED_PAUSE - 1, ENDED
    assert await statuses.of("a") == LIVE
    assert len(adobe.asked) == 2
    adobe.now = TTL + FAILED_PAUSE
    assert await statuses.of("a") == ENDED


async def test_a_failure_is_logged_when_it_begins_and_a_status_when_it_changes(adobe: Adobe) -> None:
    statuses = adobe.statuses(ttl=1.0)
    with capture_logs() as logs:
        for step, adobe.says in enumerate((LIVE, LIVE, FAILED, FAILED, LIVE, FAILED, ENDED)):
            adobe.now = float(step)
            await statuses.of("a")
    assert [log.get("status") or log["reason"] for log in logs] == ["live", "failed", "failed", "ended"]


async def test_a_failure_before_anything_was_known_leaves_it_so(adobe: Adobe) -> None:
    adobe.says = FAILED
    assert await adobe.statuses().of("a") is None


@pytest.mark.parametrize("ttl", [0.0, TTL])
async def test_adobe_is_asked_for_no_other_campaign_and_for_none_without_a_time_to_live(
    adobe: Adobe, ttl: float
) -> None:
    statuses = adobe.statuses("a", ttl=ttl)
    assert await statuses.of("another") is None
    assert (await statuses.of("a") is None) == (ttl == 0)
    assert len(adobe.asked) == (ttl > 0)
    statuses.start()
    await turns()
    assert len(adobe.asked) == (ttl > 0)
    await statuses.stop()


async def test_the_background_task_keeps_all_campaigns_fresh_until_it_is_stopped(
    adobe: Adobe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ajo_worker.campaigns.statuses.LEAST_PAUSE", 0.001)
    statuses = adobe.statuses("a", "b", ttl=0.001)
    statuses.start()
    async with asyncio.timeout(10):
        while statuses.known("b") != LIVE:
            await asyncio.sleep(0)
        adobe.now, adobe.says = 1.0, ENDED
        while (statuses.known("a"), statuses.known("b")) != (ENDED, ENDED):
            await asyncio.sleep(0.001)
    await statuses.stop()
    asked = len(adobe.asked)
    adobe.now = 2.0
    await asyncio.sleep(0.01)
    assert len(adobe.asked) == asked


async def test_a_question_that_never_ends_is_given_up_when_the_worker_stops(adobe: Adobe) -> None:
    statuses = adobe.statuses()
    adobe.open.clear()
    statuses.start()
    await turns()
    await statuses.stop()
    assert statuses.known("a") is None
