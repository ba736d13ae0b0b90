"""The ASGI application that takes Journey Optimizer's feedback webhook: checked, bounded, durable before it says so."""

import codecs
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import parse_qsl

import msgspec
import structlog
from ajo_producers.entrance.body import MOST_OPEN, TOO_MANY, BadBody, read_bytes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ajo_worker.feedback.authentication import Check
from ajo_worker.feedback.feedback import Feedback
from ajo_worker.feedback.reading import UnreadableFeedback, read_items
from ajo_worker.feedback.storing import FeedbackRow, Stored, row_of
from ajo_worker.feedback.writing import LedgerAwayError

log = structlog.get_logger("ajo_worker.feedback")

PATH, HEALTH = "/feedback", "/healthz"
RETRY_SECONDS = "5"
MOST_ITEMS = 5000
FORM = "application/x-www-form-urlencoded"
"""How some providers send the messages of recipients, which may be relayed as they are."""
MOST_TOLD = 20


class Store(Protocol):
    """Where feedback goes."""

    def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def store(self, rows: Sequence[FeedbackRow]) -> list[Stored | None]: ...
    async def reachable(self) -> bool: ...


def receiver(
    make_store: Callable[[], Store],
    checks: Callable[[], Sequence[Check]],
    hash_key: bytes,
    *,
    most_bytes: int,
    body_seconds: float,
) -> Starlette:
    """The application; each request must pass the ``checks`` of its time.

    The store is made, started and stopped on the server's event loop.
    """
    places: list[Store] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        places.append(make_store())
        places[0].start()
        yield
        await places.pop().stop()

    open_requests = 0

    async def take(request: Request) -> JSONResponse:
        nonlocal open_requests
        open_requests += 1
        try:
            if open_requests > MOST_OPEN:
                return _away(TOO_MANY)
            for check in checks():
                if refusal := check(request.headers):
                    return _refused(401, refusal, {"www-authenticate": "Bearer"})
            content = await read_json(request, most_bytes, body_seconds)
            return await _store(places[0], list(read_items(content, hash_key)))
        except BadBody as bad:
            return _refused(bad.status, str(bad))
        except Exception as fault:  # noqa: BLE001 - its text may hold what was sent
            log.error("feedback-fault", fault=type(fault).__name__)  # noqa: TRY400 - without the traceback
            return _answer(500, {"error": "a fault of the receiver"})
        finally:
            open_requests -= 1

    async def health(_: Request) -> JSONResponse:
        if await places[0].reachable():
            return _answer(200, {"ledger": "up"})
        return _answer(503, {"ledger": "away"})

    app = Starlette(
        routes=[Route(PATH, take, methods=["POST"]), Route(HEALTH, health, methods=["GET"])],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # behind a proxy to http://, at any host: the secret would go along
    return app


async def _store(place: Store, found: Sequence[Feedback | UnreadableFeedback]) -> JSONResponse:
    """Store what could be read, and say what could not."""
    arrived = datetime.now(UTC)
    refused = {number: str(item) for number, item in enumerate(found) if isinstance(item, UnreadableFeedback)}
    good = {number: row_of(item, "webhook", arrived) for number, item in enumerate(found) if isinstance(item, Feedback)}
    try:
        stored = await place.store(list(good.values())) if good else []
    except LedgerAwayError:
        return _away("the ledger is away")
    for number, one in zip(good, stored, strict=True):
        if one is None:
            refused[number] = "the ledger can't hold it"
    counts = {"stored": len(found) - len(refused), "new": sum(one is not None and one.new for one in stored)}
    if apart := sum(one is not None and one.match == "apart" for one in stored):
        counts["apart"] = apart
    if not refused:
        return _answer(200, counts)
    told = [{"item": number, "error": refused[number]} for number in sorted(refused)[:MOST_TOLD]]
    log.warning("feedback-refused", status=400, items=len(found), refused=len(refused), first=told[0]["error"])
    return _answer(400, {"error": "not every item is a feedback", **counts, "refused": len(refused), "items": told})


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    log.warning("feedback-refused", status=status, why=why)
    # What is left of the body is not read any more.
    return _answer(status, {"error": why}, {"connection": "close", **(headers or {})})


def _away(why: str) -> JSONResponse:
    log.warning("feedback-refused", status=503, why=why)
    return _answer(503, {"error": why}, {"retry-after": RETRY_SECONDS})


def _answer(status: int, content: Mapping[str, object], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(content, status, headers)


async def read_json(request: Request, most_bytes: int, seconds: float) -> object:
    """What a request's body holds, which gets so many ``seconds`` to come: JSON, or the fields of a form.

    Raises:
        BadBody: it is no JSON, encoded, too large, too slow, or has too many items.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    as_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not as_json and kind != FORM:
        raise BadBody(415, "Content-Type must be application/json")
    body = await read_bytes(request, most_bytes, seconds)
    if not as_json:
        return _form(body)
    try:
        content: object = msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        why = str(fault) if isinstance(fault, msgspec.DecodeError) else "it is not UTF-8, or nested too deeply"
        raise BadBody(400, f"the body is no JSON: {why}") from None
    if isinstance(content, list) and len(content) > MOST_ITEMS:
        raise BadBody(413, f"a list may have {MOST_ITEMS} items at most")
    return content


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=MOST_ITEMS))
    except ValueError:
        raise BadBody(413, f"a form may have {MOST_ITEMS} fields at most") from None
