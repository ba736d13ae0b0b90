"""A message as Celery knows it: nothing drops it or lets it wait unseen, and nobody is shown what it holds."""

import re
from typing import Any

from celery.worker.request import Request

PLAIN: dict[str, Any] = {
    "eta": None,
    "expires": None,
    "shadow": None,
    "kwargsrepr": "{}",
    "stamped_headers": None,
    "stamps": {},
}
"""Headers by which Celery would acknowledge a message or keep it in memory, without a word in the ledger; and those
that it shows to whoever asks."""
_SUMMARY = re.compile(r"[\w.-]{1,100}( campaigns)? (×\d{1,6}|[\da-f-]{36})", re.ASCII)


class TriggerRequest(Request):  # type: ignore[misc] # Celery ships no types
    """A request that is always handed to the pool, at once. A trigger's own ``expires_at`` is what counts."""

    def __init__(self, message: Any, headers: dict[str, Any] | None = None, **options: Any) -> None:
        given = message.headers if headers is None else headers
        super().__init__(message, headers={**given, **PLAIN, "argsrepr": shown(given.get("argsrepr"))}, **options)

    def revoked(self) -> bool:
        """Never."""
        return False

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002 - Celery's signature
        """What remote control is told (``inspect active``, ``query_task``): never arguments, whoever asks."""
        return {**super().info(safe=True), "args": self.argsrepr, "kwargs": {}}


def shown(summary: object) -> str:
    """A message's own summary, if it is one: another producer may have put anything there. Pure."""
    return summary if isinstance(summary, str) and _SUMMARY.fullmatch(summary) else "…"
