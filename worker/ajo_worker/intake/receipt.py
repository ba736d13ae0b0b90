"""Answers for a message through Celery's own request: it acknowledges, and it tells Flower."""

import sys
import time
from collections.abc import Callable
from typing import Any

from billiard.einfo import ExceptionInfo
from celery.exceptions import Reject
from celery.worker.request import Request

from ajo_worker.intake.hub_calls import HubCalls


class DeadLetters(Exception):  # noqa: N818 - Flower shows this name
    """At least one trigger of the message was not accepted; the ledger says which, and why."""


class RequestReceipt:
    """The receipt of a message that Celery knows as a task request."""

    def __init__(self, request: Request, calls: HubCalls, on_end: Callable[[], None]) -> None:
        self._request = request
        self._calls = calls
        self._on_end = on_end
        self._started = time.monotonic()

    def retried(self, retries: int, reason: str) -> None:
        """Show a retry inside the process as Celery's own event; an invented type would set a wrong state."""
        self._calls.soon(lambda: self._request.send_event("task-retried", retries=retries, exception=reason))

    def done(self, summary: str) -> None:
        """Acknowledge."""
        self._finish((0, summary, time.monotonic() - self._started))

    def failed(self, summary: str) -> None:
        """Acknowledge, and show the task as failed."""
        self._finish((1, _exception_info(DeadLetters(summary)), time.monotonic() - self._started))

    def returned(self) -> None:
        """Give the message back to its queue."""
        self._finish((1, _exception_info(Reject("handed back", requeue=True)), time.monotonic() - self._started))

    def _finish(self, result: tuple[int, Any, float]) -> None:
        def finish() -> None:
            try:
                self._request.on_success(result)
            finally:
                self._on_end()

        self._calls.soon(finish)


class QuarantineReceipt:
    """The receipt of a message that never became a task request; unless it is kept, it is not acknowledged."""

    def __init__(self, calls: HubCalls, acknowledge: Callable[[], None], on_end: Callable[[], None]) -> None:
        self._calls = calls
        self._acknowledge = acknowledge
        self._on_end = on_end

    def retried(self, retries: int, reason: str) -> None:
        """Nothing to show: nothing is sent."""

    def done(self, summary: str) -> None:  # noqa: ARG002 - the protocol's signature
        """Acknowledge."""
        self._calls.soon(self._acknowledge)
        self._calls.soon(self._on_end)

    failed = done

    def returned(self) -> None:
        """Leave the message unacknowledged: it comes back when the connection closes."""
        self._calls.soon(self._on_end)


def _exception_info(exception: Exception) -> ExceptionInfo:
    try:
        raise exception
    except type(exception):
        return ExceptionInfo(sys.exc_info())
