"""Access tokens: each is distinct, and lives as long as its answer said."""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from ajo_simulator.faults import CallFault, Hang, HugeBody, ResetBefore, Vanish
from ajo_simulator.scenario import TokenRules

SILENCES: dict[str, CallFault] = {"hang": Hang(), "vanish": Vanish(), "reset": ResetBefore()}


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
        if rules.holds(seconds):
            if rules.body is not None:
                return rules.fail_status or 200, rules.body.replace("{token}", self._issue(rules)).encode()
            if rules.fail_status is not None:
                return rules.fail_status, _error("temporarily_unavailable")
        if form.get("grant_type") != "client_credentials":
            return 400, _error("unsupported_grant_type")
        known_id = self._client_id is None or form.get("client_id") == self._client_id
        known_secret = self._client_secret is None or form.get("client_secret") == self._client_secret
        if not form.get("client_id") or not known_id or not known_secret:
            return 400, _error("invalid_client")
        if not form.get("scope"):
            return 400, _error("invalid_scope")
        told = {"access_token": self._issue(rules), "token_type": "bearer", "expires_in": rules.expires_in}
        return 200, msgspec.json.encode(told)

    def _issue(self, rules: TokenRules) -> str:
        token = f"simulated-{secrets.token_urlsafe(48)}"
        self._expiry[token] = self._monotonic() + rules.expires_in
        self.issued += 1
        return token

    def valid(self, authorization: str) -> bool:
        """Whether the header carries a token that was issued and has not expired."""
        expiry = self._expiry.get(authorization.removeprefix("Bearer "))
        return expiry is not None and self._monotonic() < expiry


def fault_of(rules: TokenRules, seconds: float) -> CallFault | None:
    """What becomes of a token request beside its answer, ``seconds`` after the scenario's start."""
    if not rules.holds(seconds):
        return None
    if rules.silence is not None:
        return SILENCES[rules.silence]
    return None if rules.bytes is None else HugeBody(bytes=rules.bytes)


def _error(name: str) -> bytes:
    return msgspec.json.encode({"error": name})
