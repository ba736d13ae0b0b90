"""Posts events to a webhook when they are due, beside the answering of calls: a message's events in their order."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from heapq import heappop, heappush
from http import HTTPStatus
from itertools import count
from typing import TypeAlias

import aiohttp
import jwt
import msgspec

from ajo_simulator.feedback.documents import document_of
from ajo_simulator.feedback.message import Report
from ajo_simulator.feedback.rules import FeedbackRules

LANES = 16
"""Calls under way at most. A message's events take one lane, one after the other."""
MOST_WAITING = 100_000
TIMEOUT = 10.0
FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0
TOKEN_LIFETIME = 300
MOST_ANSWER = 65_536

Post: TypeAlias = tuple[Report, FeedbackRules]


class Webhook:
    """Events that wait for their time, and tasks that post them; those that find no room are counted as dropped."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self.posted = self.failed = self.dropped = 0
        self.last_error: str | None = None
        self._most_waiting = most_waiting
        self._due: list[tuple[float, int, Post]] = []
        self._number = count()
        self._more = asyncio.Event()
        self._lanes: list[asyncio.Queue[Post]] = []
        self._under_way = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    @property
    def waiting(self) -> int:
        """Events that are neither posted nor given up."""
        return len(self._due) + sum(lane.qsize() for lane in self._lanes) + self._under_way

    def schedule(self, report: Report, rules: FeedbackRules, seconds: float) -> None:
        """Post an event in so many seconds."""
        if self.waiting >= self._most_waiting:
            self.dropped += 1
            return
        if self._session is None:
            self._session = self._start()
        due = asyncio.get_running_loop().time() + seconds
        heappush(self._due, (due, next(self._number), (report, rules)))
        self._more.set()

    async def close(self) -> None:
        """Stop; what still waits is never posted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _start(self) -> aiohttp.ClientSession:
        self._lanes = [asyncio.Queue() for _ in range(LANES)]
        works = [self._release(), *map(self._work, self._lanes)]
        self._tasks = [asyncio.create_task(work, name="feedback") for work in works]
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        return aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=LANES), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def _release(self) -> None:
        """Bring each event to its message's lane when its time has come."""
        loop = asyncio.get_running_loop()
        while True:
            self._more.clear()
            while self._due and self._due[0][0] <= loop.time():
                _, _, post = heappop(self._due)
                message = post[0].message
                lane = hash((message.acceptance.execution_id, message.number)) % LANES
                self._lanes[lane].put_nowait(post)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._due[0][0] if self._due else None):
                    await self._more.wait()

    async def _work(self, lane: asyncio.Queue[Post]) -> None:
        while True:
            report, rules = await lane.get()
            self._under_way += 1
            try:
                await self._deliver(report, rules)
            finally:
                self._under_way -= 1

    async def _deliver(self, report: Report, rules: FeedbackRules) -> None:
        """Post an event, again and again while ``retry_for`` lasts."""
        loop = asyncio.get_running_loop()
        end, wait = loop.time() + rules.retry_for, FIRST_WAIT
        while error := await self._post(report, rules):
            self.last_error = error
            if loop.time() + wait > end:
                self.failed += 1
                return
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        self.posted += 1

    async def _post(self, report: Report, rules: FeedbackRules) -> str | None:
        """One call; what went wrong."""
        if self._session is None or rules.webhook is None:
            return "no webhook"
        body = msgspec.json.encode(document_of(report))
        try:
            async with self._session.post(
                rules.webhook, data=body, headers=headers_of(rules, time.time()), allow_redirects=False
            ) as answer:
                await answer.content.read(MOST_ANSWER)  # so that the connection can be used again
                done = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
                return None if done else f"status {answer.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: of an address that is none
            return type(error).__name__


def headers_of(rules: FeedbackRules, now: float) -> Mapping[str, str]:
    """The headers of a call at ``now``, as seconds since 1970."""
    headers = {"content-type": "application/json"}
    if rules.secret is not None:
        headers[rules.header] = rules.secret
    if rules.jwt_secret is not None:
        claims = {"iat": int(now), "exp": int(now) + TOKEN_LIFETIME}
        headers["authorization"] = f"Bearer {jwt.encode(claims, rules.jwt_secret, algorithm='HS256')}"
    return headers
