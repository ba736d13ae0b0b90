"""Keeps this worker back while it has no access token and gets none, and has that on record for everybody.

A worker that has a token is not kept back because another has none: its secret may be the old one, or its network cut.
"""

from uuid import UUID

import structlog

from ajo_worker.api.token import Missing, TokenProvider
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.ledger.worker_rows import MOST_FAILURE
from ajo_worker.outages import token_circuit
from ajo_worker.outages.circuits import NOTHING_SENT
from ajo_worker.outages.scope import is_token
from ajo_worker.outages.view import View
from ajo_worker.reasons import CREDENTIALS_REFUSED, NO_TOKEN, PROXY_FAILING, OutageReason

log = structlog.get_logger("ajo_worker.outages")


class TokenWatch:
    """One for each worker. ``patience``: seconds without a token after which it keeps itself back."""

    def __init__(self, tokens: TokenProvider, view: View, clock: LedgerClock, worker: UUID, patience: float) -> None:
        self._tokens = tokens
        self._view = view
        self._clock = clock
        self._worker = worker
        self._patience = patience
        tokens.on_token = view.woken.set

    def look(self) -> None:
        """Note whether this worker keeps itself back; needs nothing but its own memory."""
        missing = self._missing()
        if missing is not None and not self._view.without_token:
            log.warning("without-token", reason=missing.reason)
        self._view.without_token = missing is not None

    async def tell(self, ledger: SharedConnection) -> None:
        """Have an outage on record while any worker keeps itself back, and no longer."""
        scope, missing = self._view.token_scope, self._missing()
        circuit = self._view.circuits.get(scope)
        if missing is not None and (circuit is None or circuit.state not in NOTHING_SENT):
            reason, since = _reason(missing), self._clock.at(missing.since)
            told = missing.reason[:MOST_FAILURE]
            outage = await ledger.run(lambda c: token_circuit.open_circuit(c, scope, reason, self._worker, since, told))
            if outage is not None:
                log.warning("outage-opened", scope=scope, outage=outage, reason=reason, failure=told)
        elif missing is None and self._open_somewhere():
            for ended in await ledger.run(lambda c: token_circuit.end_if_all_have_tokens(c, self._worker)):
                log.info("outage-over", scope=ended)

    def _missing(self) -> Missing | None:
        missing = self._tokens.missing
        return missing if missing and self._clock.monotonic() - missing.since >= self._patience else None

    def _open_somewhere(self) -> bool:
        return any(is_token(scope) and circuit.state == "open" for scope, circuit in self._view.circuits.items())


def _reason(missing: Missing) -> OutageReason:
    if missing.ours:
        return CREDENTIALS_REFUSED
    return PROXY_FAILING if missing.by_proxy else NO_TOKEN
