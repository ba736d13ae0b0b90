"""Access tokens: each is distinct, and lives as long as its answer said."""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from ajo_simulator.scenario import TokenRules


class Tokens:
    """Issues tokens and knows which are valid."""

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._monotonic = monotonic
        self._expiry: dict[str, float] = {}
        self.issued = 0

    def answer(self, form: Mapping[str, str], rules: TokenRules, seconds: float) -> tuple[int, bytes]:
        """Status and body for a token request ``seconds`` after the scenario's start, in the shape of RFC 6749."""
        if rules.fail_status is not None and rules.holds(seconds):
            return rules.fail_status, _error("temporarily_unavailable")
        if form.get("grant_type") != "client_credentials":
            return 400, _error("unsupported_grant_type")
        known_id = self._client_id is None or form.get("client_id") == self._client_id
        known_secret = self._client_secret is None or form.get("client_secret") == self._client_secret
        if not form.get("client_id") or not known_id or not known_secret:
            return 400, _error("invalid_client")
        if not form.get("scope"):
            return 400, _error("invalid_scope")
        token = f"simulated-{secrets.token_urlsafe(48)}"
        self._expiry[token] = self._monotonic() + rules.expires_in
        self.issued += 1
        return 200, msgspec.json.encode({"access_token": token, "token_type": "bearer", "expires_in": rules.expires_in})

    def valid(self, authorization: str) -> bool:
        """Whether the header carries a token that was issued and has not expired."""
        expiry = self._expiry.get(authorization.removeprefix("Bearer "))
        return expiry is not None and self._monotonic() < expiry


def _error(name: str) -> bytes:
    return msgspec.json.encode({"error": name})
