"""A message as Celery knows it: nothing drops it or lets it wait unseen, and nobody is shown what it holds."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import structlog
from ajo_producers.contract.lanes import TASK_NAME
from celery.worker.request import Request
from celery.worker.state import task_ready

log = structlog.get_logger("ajo_worker.intake")

PLAIN: dict[str, Any] = {
    "task": TASK_NAME,
    "lang": "py",
    "parent_id": None,
    "group": None,
    "retries": 0,
    "timelimit": [None, None],
    "ignore_result": True,
    "kwargsrepr": "{}",
}
"""The same for every message. Of its own headers only ids and the summary are passed on, if they are what they should
be: by others Celery would acknowledge it or keep it in memory, or would show them to whoever asks."""
_SUMMARY = re.compile(r"[\w.-]{1,100}( campaigns)? (×\d{1,6}|[\da-f-]{36})", re.ASCII)
_ID = re.compile(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}")


class TriggerRequest(Request):  # type: ignore[misc] # Celery ships no types
    """A request that is always handed to the pool, at once. A trigger's own ``expires_at`` is what counts."""

    acknowledged: bool

    def __init__(self, message: Any, headers: dict[str, Any] | None = None, **options: Any) -> None:
        given = message.headers if headers is None else headers
        super().__init__(message, headers=passed_on(given), **options)

    def revoked(self) -> bool:
        """Never."""
        return False

    def terminate(self, *_: Any, **__: Any) -> None:
        """Celery would acknowledge it here; a call that is under way can't be recalled."""
        log.warning("revoke-ignored", reason="the trigger is already under way")

    cancel = terminate

    def ended(self, summary: str, seconds: float, *, failed: bool) -> None:
        """Acknowledge it, and show what it came to: as its result in any case, and as the exception if it failed.

        By Celery's own way an exception would be wrapped (``ExceptionWithTraceback()``), with a traceback of nothing.
        What a retry said before is no exception of what went well in the end.
        """
        task_ready(self, successful=not failed)
        self.acknowledge()
        exception = summary if failed else None
        kind = "task-failed" if failed else "task-succeeded"
        self.send_event(kind, result=summary, runtime=seconds, exception=exception)

    def acknowledge(self) -> None:
        """Acknowledge it now. A connection that is broken is no fault here: the message comes again, and is known.

        Celery's own way would do so in the hub's next turn, which a broken pipe ends in its middle.
        """
        if not self.acknowledged:
            self.acknowledged = True
            try:
                self.message.ack()
            except Exception as fault:  # noqa: BLE001 - whatever the broker's client raises then
                log.debug("not-acknowledged", id=self.id, fault=type(fault).__name__)

    def given_back(self) -> None:
        """Give it back to its queue."""
        task_ready(self)
        self.reject(requeue=True)


def passed_on(given: Mapping[str, Any]) -> dict[str, Any]:
    """What Celery, and so Flower and remote control, learn of a message's headers. Pure, but for an id of our own."""
    known = id_of(given.get("id")) or str(uuid4())
    return {**PLAIN, "id": known, "root_id": id_of(given.get("root_id")), "argsrepr": shown(given.get("argsrepr"))}


def shown(summary: object) -> str:
    """A message's own summary, if it is one: another producer may have put anything there. Pure."""
    return summary if isinstance(summary, str) and _SUMMARY.fullmatch(summary) else "…"


def id_of(value: object) -> str | None:
    """An id, if it is one. Pure."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
