"""What Adobe says of each campaign, cached: for whoever wants to know it beside the sending, never in its way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import httpx2
import structlog
from ajo_producers.campaigns.definition import Definition

from ajo_worker.api.token import TokenProvider, TokenUnavailable
from ajo_worker.campaigns.live_campaign import UNKNOWN, LiveCampaign
from ajo_worker.campaigns.question import ANSWER_SECONDS, Unreadable, ask, question_of
from ajo_worker.settings import Settings

log = structlog.get_logger("ajo_worker.campaigns")

FAILED_PAUSE = 60.0
"""Seconds until a question that failed is asked again, unless the time to live is shorter."""
LEAST_PAUSE = 0.1

Ask = Callable[[str], Awaitable[LiveCampaign | Unreadable]]


@dataclass(frozen=True, slots=True)
class _Held:
    """What is known of a campaign, if anything; asked again from ``until`` on (monotonic)."""

    campaign: LiveCampaign | None
    until: float


class CampaignStatuses:
    """What Adobe says of some campaigns. Nothing here ever raises for what Adobe does.

    ``ttl`` is in seconds. A campaign that may not be read, or that Adobe doesn't know, is remembered as unknown; where
    an answer fails to come, what was known before is kept, however old it is.
    """

    def __init__(
        self,
        ask_for: Ask,
        campaign_ids: Iterable[str],
        *,
        ttl: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask_for
        self._ids = tuple(dict.fromkeys(campaign_ids)) if ttl > 0 else ()
        self._ttl = ttl
        self._monotonic = monotonic
        self._held: dict[str, _Held] = {}
        self._under_way: set[str] = set()
        self._told: set[tuple[str, str]] = set()
        self._refreshing: asyncio.Task[None] | None = None

    def known(self, campaign_id: str) -> LiveCampaign | None:
        """What the cache holds, at once; None if nothing was learnt yet."""
        held = self._held.get(campaign_id)
        return held.campaign if held else None

    async def of(self, campaign_id: str) -> LiveCampaign | None:
        """What the cache holds, asked anew if it is too old.

        Who asks waits for the answer; others, while it is under way, get at once what ``known`` gives.
        """
        if campaign_id in self._ids and campaign_id not in self._under_way and self._is_due(campaign_id):
            self._under_way.add(campaign_id)
            try:
                self._hold(campaign_id, await self._ask(campaign_id))
            finally:
                self._under_way.discard(campaign_id)
        return self.known(campaign_id)

    def start(self) -> None:
        """Keep what is known of all campaigns up to date, in the background, until ``stop``."""
        if self._ids:
            self._refreshing = asyncio.create_task(self._refresh(), name="campaign-status")

    async def stop(self) -> None:
        """Ask no more; to be called before the HTTP client is closed."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _refresh(self) -> None:
        while True:
            for campaign_id in self._ids:
                await self.of(campaign_id)
            due = min(held.until for held in self._held.values()) if self._held else 0.0
            await asyncio.sleep(max(due - self._monotonic(), LEAST_PAUSE))

    def _is_due(self, campaign_id: str) -> bool:
        held = self._held.get(campaign_id)
        return held is None or self._monotonic() >= held.until

    def _hold(self, campaign_id: str, found: LiveCampaign | Unreadable) -> None:
        before = self.known(campaign_id)
        match found:
            case Unreadable(reason="failed"):
                held, lives = before, min(self._ttl, FAILED_PAUSE)
            case Unreadable():
                held, lives = UNKNOWN, self._ttl
            case _:
                held, lives = found, self._ttl
        self._held[campaign_id] = _Held(held, self._monotonic() + lives)
        self._tell(campaign_id, before, found)

    def _tell(self, campaign_id: str, before: LiveCampaign | None, found: LiveCampaign | Unreadable) -> None:
        if isinstance(found, LiveCampaign):
            self._told -= {(campaign_id, "failed"), (campaign_id, "not-found")}
            if found != before:
                log.info("campaign-status", campaign_id=campaign_id, status=found.status, text=found.status_text)
            return
        # One permission opens all campaigns, so its lack is told once and not for each of them.
        key = ("", "forbidden") if found.reason == "forbidden" else (campaign_id, found.reason)
        if key not in self._told:
            self._told.add(key)
            log.warning("campaign-status-unreadable", campaign_id=campaign_id, reason=found.reason, detail=found.detail)


def campaign_statuses(
    settings: Settings, definitions: Iterable[Definition], tokens: TokenProvider, client: httpx2.AsyncClient
) -> CampaignStatuses:
    """The statuses of the definitions' campaigns; with ``AJO_CAMPAIGN_STATUS`` off, Adobe is never asked.

    Raises:
        ForeignHost: the host of a definition's endpoint is not on the allow-list.
    """
    wanted = definitions if settings.campaign_status == "on" else ()
    questions = {definition.campaign_id: question_of(definition, settings) for definition in wanted}

    async def ask_for(campaign_id: str) -> LiveCampaign | Unreadable:
        try:
            token = await tokens.get(ANSWER_SECONDS)
        except TokenUnavailable as reason:
            return Unreadable("failed", str(reason))
        # A refused token is not reported: whether it is the token's fault only attempts can tell, and they would wait.
        return await ask(questions[campaign_id], client, token)

    return CampaignStatuses(ask_for, questions, ttl=settings.campaign_status_ttl)
