"""A message as Celery's remote control and Flower know it: where it is, and nothing of what it holds."""

import re
import time
from typing import Any
from uuid import uuid4

import structlog
from ajo_producers.contract.lanes import TASK_NAME
from celery.worker import state

from ajo_worker.intake.acknowledging import Acknowledgements
from ajo_worker.intake.events import EventSender
from ajo_worker.intake.receipt import queue_of

log = structlog.get_logger("ajo_worker.intake")

_SUMMARY = re.compile(r"[\w.-]{1,100}( campaigns)? (×\d{1,6}|[\da-f-]{36})", re.ASCII)
_ID = re.compile(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}")


class Task:
    """A message that is open, in place of Celery's request: it stands in Celery's books of what goes on.

    Celery's own would drop a message by its headers (``expires``), keep it in memory (``eta``) or end it unanswered
    (revoked), without a word in the ledger. Of the headers only ids and the summary are shown, and only if they have
    the form of ours.
    """

    __slots__ = ("__weakref__", "_acknowledgements", "args", "eventer", "id", "message", "root_id", "time_start")
    name = TASK_NAME

    def __init__(self, message: Any, acknowledgements: Acknowledgements, events: EventSender) -> None:
        headers = message.headers
        self.message = message
        self.id = id_of(headers.get("id")) or str(uuid4())
        self.root_id = id_of(headers.get("root_id"))
        self.args = shown(headers.get("argsrepr"))
        self.time_start = time.monotonic()
        self._acknowledgements, self.eventer = acknowledgements, events  # Celery sets that of the next connection

    def begins(self) -> None:
        """Its work begins."""
        state.task_accepted(self)
        self.eventer.tell(
            "task-received", self.id, name=TASK_NAME, args=self.args, kwargs="{}", root_id=self.root_id, parent_id=None,
            retries=0, eta=None, expires=None,
        )  # fmt: skip
        self.eventer.tell("task-started", self.id)

    def acknowledge(self, summary: str, *, failed: bool) -> None:
        """It has come to its end: as its result in any case, and as the exception if it failed.

        What a retry said before is no exception of what went well in the end.
        """
        state.task_ready(self)
        self._acknowledgements.acknowledge(self.message)
        kind, exception = ("task-failed", summary) if failed else ("task-succeeded", None)
        seconds = time.monotonic() - self.time_start
        self.eventer.tell(kind, self.id, result=summary, runtime=seconds, exception=exception)

    def give_back(self) -> None:
        """It goes back to its queue."""
        state.task_ready(self)
        self._acknowledgements.give_back(self.message)

    def lost(self) -> None:
        """Its channel is gone; what came with it goes on."""
        state.task_ready(self)

    def show_retry(self, retries: int, reason: str) -> None:
        """A trigger of it goes into another attempt. The kind is Celery's: one of ours would set a wrong state."""
        self.eventer.tell("task-retried", self.id, retries=retries, exception=reason)

    def info(self, *, safe: bool = False) -> dict[str, Any]:  # noqa: ARG002 - Celery's signature; nothing is unsafe
        """What ``inspect active`` and ``inspect query_task`` show."""
        return {
            "id": self.id,
            "name": self.name,
            "args": self.args,
            "kwargs": "{}",
            "type": self.name,
            "hostname": self.eventer.hostname,
            "time_start": self.time_start,
            "acknowledged": False,
            "delivery_info": {"routing_key": queue_of(self.message)},
            "worker_pid": self.eventer.pid,
        }

    def terminate(self, *_: Any, **__: Any) -> None:
        """A call that is under way can't be recalled."""
        log.warning("revoke-ignored", reason="the trigger is already under way")

    cancel = terminate


class Unread:
    """A message that nobody can read. Unless it is kept in quarantine, it is not acknowledged; nobody is shown it."""

    __slots__ = ("_acknowledgements", "message")

    def __init__(self, message: Any, acknowledgements: Acknowledgements) -> None:
        self.message, self._acknowledgements = message, acknowledgements

    def acknowledge(self, summary: str, *, failed: bool) -> None:  # noqa: ARG002 - nobody is shown it
        """It is kept."""
        self._acknowledgements.acknowledge(self.message)

    def give_back(self) -> None:
        """It goes back to its queue."""
        self._acknowledgements.give_back(self.message)

    def lost(self) -> None:
        """Its channel is gone."""

    def show_retry(self, retries: int, reason: str) -> None:
        """Nothing to show: nothing is sent."""


def shown(summary: object) -> str:
    """A message's own summary, if it is one: another producer may have put anything there. Pure."""
    return summary if isinstance(summary, str) and _SUMMARY.fullmatch(summary) else "…"


def id_of(value: object) -> str | None:
    """An id, if it is one. Pure."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
