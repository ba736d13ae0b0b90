"""The access token: one is fetched, for real, and never shown."""

import ssl
import time
from collections.abc import Sequence
from typing import NamedTuple

from ajo_worker.api.token import Token
from ajo_worker.api.token_answer import FetchFailed
from ajo_worker.api.token_fetch import token_client, token_fetch
from ajo_worker.doctor.bounds import bounded
from ajo_worker.doctor.check import Check, failed, ok, warning
from ajo_worker.settings import Settings

TOKEN = "token"  # noqa: S105 - the check's name
SHORT = 60.0
"""Seconds: a token that lives for less may end within one trigger's budget."""


class Fetched(NamedTuple):
    """What came of it; without a token if the check failed."""

    check: Check
    token: str | None = None


async def fetch_token(settings: Settings, tls: ssl.SSLContext, seconds: float) -> Fetched:
    """Fetch one as workers do."""
    asked = time.monotonic()
    found = await bounded(TOKEN, seconds, _fetch(settings, tls))
    if isinstance(found, Check):
        return Fetched(found)
    if isinstance(found, Token):
        return Fetched(judge_token(time.monotonic() - asked, found.lifetime, found.remarks), found.text)
    return Fetched(judge_failure(str(found)))


async def _fetch(settings: Settings, tls: ssl.SSLContext) -> Token | FetchFailed:
    async with token_client(settings, tls) as client:
        try:
            return await token_fetch(settings, client)()
        except FetchFailed as fault:
            return fault


def judge_token(took: float, lifetime: float, remarks: Sequence[str]) -> Check:
    """Whether it lives long enough (both in seconds), and what had to be assumed. Pure."""
    found = "; ".join((f"fetched in {took:.3f} s", *remarks, f"it expires in {_duration(lifetime)}"))
    if lifetime < SHORT:
        return warning(TOKEN, found, "so short a life is unusual: is AJO_TOKEN_URL the right endpoint?")
    if remarks:
        return warning(TOKEN, found, "workers go on with it; find out what answers at AJO_TOKEN_URL in Adobe's place")
    return ok(TOKEN, found)


def judge_failure(reason: str) -> Check:
    """What to do about a fetch that failed; ``reason`` is ``FetchFailed``'s, which holds nothing secret. Pure."""
    return failed(TOKEN, reason, next(advice for part, advice in ADVICE.items() if part in reason))


AWAY = "the token endpoint itself is at fault: try again, look at Adobe's status page"
ADVICE = {
    "through the proxy": "see proxy and connect: correct AJO_PROXY or HTTPS_PROXY, or except the host in NO_PROXY",
    "invalid_client": "correct AJO_CLIENT_ID and AJO_CLIENT_SECRET: the endpoint doesn't know this pair",
    "unauthorized_client": "give the credential access to Journey Optimizer, in the Developer Console project",
    "invalid_scope": "correct AJO_SCOPES: take them from the Developer Console project",
    "temporarily_unavailable": AWAY,
    "server_error": AWAY,
    "status 408": AWAY,
    "status 429": "too many ask with these credentials: find out who else does, and try again later",
    "status 4": "correct AJO_CLIENT_ID, AJO_CLIENT_SECRET, AJO_SCOPES and AJO_TOKEN_URL",
    "status 5": AWAY,
    "status": "correct AJO_TOKEN_URL, or look for a proxy in between: this is no token endpoint",
    "": "the endpoint isn't reached: correct AJO_TOKEN_URL, open the firewall, or name its authority in AJO_CA_FILE",
}
"""By what the reason holds; the first that fits."""


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{seconds:,.0f} s"
