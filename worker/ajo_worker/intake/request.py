"""A message as Celery knows it, without the three headers by which Celery would drop it or let it wait unseen."""

from typing import Any

from celery.worker.request import Request


class TriggerRequest(Request):  # type: ignore[misc] # Celery ships no types
    """A request that is always handed to the pool, at once.

    ``expires`` and a revocation would acknowledge the message without a word in the ledger, and ``eta`` would keep it
    in the worker's memory. A trigger's own ``expires_at`` is what counts.
    """

    def __init__(self, message: Any, headers: dict[str, Any] | None = None, **options: Any) -> None:
        plain = {**(message.headers if headers is None else headers), "eta": None, "expires": None}
        super().__init__(message, headers=plain, **options)

    def revoked(self) -> bool:
        """Never."""
        return False
