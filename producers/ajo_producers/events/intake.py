"""The ASGI application that takes events over HTTP: checked, bounded, confirmed by the broker before it says so."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ajo_producers.entrance.body import MOST_OPEN, TOO_MANY, BadBody, Strangers, one_gives_way, read_bytes
from ajo_producers.events.answers import outcome_of
from ajo_producers.events.authentication import by_signature, refusal_before_body, signature_refusal
from ajo_producers.events.cloudevents import UnreadableEvents, attribute_of, header_value, read_message
from ajo_producers.events.dead_letters import DeadLetterFile
from ajo_producers.events.event import BadEvent, Event
from ajo_producers.events.log import tell
from ajo_producers.events.openapi import HEALTH, OPENAPI, PATH, document, page
from ajo_producers.events.settings import Admitted
from ajo_producers.events.translation import Translation
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError

FULL_SECONDS, AWAY_SECONDS = "1", "5"
"""What Retry-After says where too much comes, and where the broker doesn't confirm."""
AT_ONCE = 50
"""Events that are translated before other requests have their turn."""


class Publishing(Protocol):
    """As much of ``AsyncPublisher`` as is used."""

    @property
    def waiting(self) -> int: ...
    async def publish(self, trigger: CheckedTrigger) -> object: ...
    async def close(self) -> None: ...


class Intake:
    """What one request after another is answered with.

    ``translate`` says what an event makes; ``admitted`` who may post now (None: anybody); ``reachable`` whether the
    broker can be reached.
    """

    def __init__(
        self,
        translate: Callable[[Event], Translation],
        publisher: Publishing,
        admitted: Callable[[], Admitted] | None,
        reachable: Callable[[], bool],
        dead_letters: DeadLetterFile | None,
        *,
        pending: int,
        most_bytes: int,
        body_seconds: float,
    ) -> None:
        self._translate, self._publisher, self._admitted, self._reachable = translate, publisher, admitted, reachable
        self._dead_letters, self._pending = dead_letters, pending
        self._most_bytes, self._body_seconds = most_bytes, body_seconds
        self._open = 0
        self._strangers: Strangers = {}

    def application(self) -> Starlette:
        """The application; at its end, what is on its way is seen through."""

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            yield
            await self._publisher.close()

        routes = [
            Route(PATH, self.take, methods=["POST"]),
            Route(HEALTH, self.health, methods=["GET"]),
            Route(OPENAPI, lambda _: JSONResponse(document()), methods=["GET"]),
            Route("/", lambda _: HTMLResponse(page()), methods=["GET"]),
        ]
        app = Starlette(routes=routes, lifespan=lifespan)
        app.router.redirect_slashes = False  # behind a proxy to http://, at any host: a token would go along
        return app

    async def health(self, _: Request) -> Response:
        """Whether the broker can be reached."""
        up = await asyncio.to_thread(self._reachable)
        return JSONResponse({"broker": "up" if up else "away"}, 200 if up else 503)

    async def take(self, request: Request) -> Response:
        """Take the events of a request."""
        self._open += 1
        try:
            if self._open > MOST_OPEN and not one_gives_way(self._strangers):
                return _later(429, TOO_MANY, FULL_SECONDS)
            admitted = self._admitted() if self._admitted is not None else None
            if admitted is not None and (refusal := refusal_before_body(admitted, request.headers)):
                return _refused(401, refusal, {"www-authenticate": "Bearer"})
            signed = admitted is not None and by_signature(admitted, request.headers)
            strangers = self._strangers if signed else None  # whose it is, only the whole body shows
            body = await read_bytes(request, self._most_bytes, self._body_seconds, strangers)
            headers = [(name, header_value(value)) for name, value in request.headers.items()]
            if admitted is not None and signed:
                if refusal := signature_refusal(admitted.secrets, request.headers, body, time.time()):
                    return _refused(401, refusal)
                if any(attribute_of(name) for name, _ in headers):
                    return _refused(400, "attributes in headers are not signed: send the event structured")
            events = read_message(headers, request.headers.get("content-type", ""), body)
            return await self._answer(events, request.headers.get("traceparent"))
        except BadBody as bad:
            return _refused(bad.status, str(bad))
        except UnreadableEvents as bad:
            return _refused(400 if bad.supported else 415, str(bad))
        except Exception as fault:  # noqa: BLE001 - its text may hold what was sent
            tell("events-fault", "error", fault=type(fault).__name__)
            return JSONResponse({"error": "a fault of the intake"}, 500)
        finally:
            self._open -= 1

    async def _answer(self, events: list[Event | BadEvent], traceparent: str | None) -> Response:
        found: list[Translation | BadEvent] = []
        for number, event in enumerate(events, 1):
            traced = event if isinstance(event, BadEvent) else event.traced(traceparent)
            found.append(traced if isinstance(traced, BadEvent) else self._translate(traced))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        triggers = [trigger for one in found if isinstance(one, Translation) for trigger in one.triggers]
        waiting = self._publisher.waiting
        if waiting and waiting + len(triggers) > self._pending:
            return _later(429, "the broker confirms more slowly than events come", FULL_SECONDS)
        failed = await self._publish(triggers)
        refused = [one for one in found if isinstance(one, BadEvent) or one.faults]
        outcomes = [_confirmed(outcome_of(one), failed) for one in found]
        if failed:
            reason = next(iter(failed.values()))
            tell("events-not-confirmed", triggers=len(failed), why=str(reason))
            text = f"{len(failed)} of {len(triggers)} triggers are not confirmed: send it again, nothing is doubled"
            return JSONResponse({"error": text, "events": outcomes}, 503, {"retry-after": AWAY_SECONDS})
        if self._dead_letters is not None and refused:
            await asyncio.to_thread(self._dead_letters.keep, refused, "http")
        if not refused:
            return JSONResponse({"events": outcomes}, 202)
        tell("events-refused", status=400, events=len(events), refused=len(refused))
        others = "; the rest was taken" if len(refused) < len(events) else ""
        text = f"{len(refused):,} of {len(events):,} events can't be taken{others}"
        return JSONResponse({"error": text, "events": outcomes}, 400)

    async def _publish(self, triggers: Sequence[CheckedTrigger]) -> dict[str, PublishError]:
        """Why triggers are not confirmed, by their request ids; empty once the broker has all of them."""
        results = await asyncio.gather(*map(self._publisher.publish, triggers), return_exceptions=True)
        failed = {}
        for trigger, result in zip(triggers, results, strict=True):
            if isinstance(result, PublishError):
                failed[str(trigger.request_id)] = result
            elif isinstance(result, BaseException):
                raise result
        return failed


def _confirmed(outcome: dict[str, Any], failed: Mapping[str, PublishError]) -> dict[str, Any]:
    if failed:
        for trigger in outcome["triggers"]:
            trigger["confirmed"] = trigger["request_id"] not in failed
    return outcome


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    tell("events-refused", status=status, why=why)
    # What is left of the body is not read any more.
    return JSONResponse({"error": why}, status, {"connection": "close", **(headers or {})})


def _later(status: int, why: str, seconds: str) -> JSONResponse:
    tell("events-refused", status=status, why=why)
    return JSONResponse({"error": why}, status, {"connection": "close", "retry-after": seconds})
