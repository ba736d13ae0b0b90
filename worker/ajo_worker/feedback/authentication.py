"""Who may post feedback: a header with a secret, a JWT, or both, as the settings say. Never tells what it expected."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

import jwt
from ajo_producers.entrance.bearer import BEARER_NEEDED, Headers, bearer_of
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import SecretStr

from ajo_worker.renewal import Renewed
from ajo_worker.settings import Settings
from ajo_worker.settings.source import SettingsError, file_of, read_secret

LEEWAY_SECONDS = 60
"""By how much Adobe's clock and ours may differ where a JWT says until when it is good."""
LEAST_SECRET_BYTES = 32
"""Of an HS256 key: RFC 7518, section 3.2."""
LEAST_KEY_BITS = 2048
"""Of an RS256 key: RFC 7518, section 3.3."""
SECRETS = ("feedback_secret", "feedback_jwt_secret", "feedback_jwt_public_key")
"""Settings that say who may post."""

Check = Callable[[Headers], str | None]
"""Says what is wrong with the headers; None if nothing is."""


@dataclass(frozen=True, slots=True)
class SecretHeader:
    """One header must hold the secret; compared in constant time."""

    name: str
    secret: str = field(repr=False)

    def __call__(self, headers: Headers) -> str | None:
        """Check it."""
        given = headers.getlist(self.name)
        if len(given) != 1:
            return f"the header {self.name} is needed, once"
        if not hmac.compare_digest(given[0].encode("latin-1", "replace"), self.secret.encode()):
            return f"the header {self.name} is wrong"
        return None


@dataclass(frozen=True, slots=True)
class BearerToken:
    """``Authorization: Bearer`` must hold a JWT signed with the key, which is not over if it says when it is."""

    key: "str | RSAPublicKey" = field(repr=False)
    algorithm: str
    audience: str = ""

    def __call__(self, headers: Headers) -> str | None:
        """Check it."""
        if (token := bearer_of(headers)) is None:
            return BEARER_NEEDED
        try:
            jwt.decode(
                token,
                self.key,
                algorithms=[self.algorithm],
                audience=self.audience or None,
                options={"verify_aud": bool(self.audience), "require": ["aud"] if self.audience else []},
                leeway=LEEWAY_SECONDS,
            )
        except jwt.PyJWTError as fault:
            return f"the JWT is refused ({type(fault).__name__})"
        return None


def checks_of(settings: Settings) -> tuple[Check, ...]:
    """All that a request must pass; none if nothing is set.

    Raises:
        SettingsError: a key can't be used.
    """
    found: list[Check] = []
    if secret := settings.feedback_secret.get_secret_value():
        found.append(SecretHeader(settings.feedback_secret_header, secret))
    shared, public = settings.feedback_jwt_secret.get_secret_value(), settings.feedback_jwt_public_key
    if shared and public:
        raise SettingsError("AJO_FEEDBACK_JWT_SECRET and AJO_FEEDBACK_JWT_PUBLIC_KEY are both set: unset one")
    if shared:
        if len(shared.encode()) < LEAST_SECRET_BYTES:
            raise SettingsError(f"AJO_FEEDBACK_JWT_SECRET: must have at least {LEAST_SECRET_BYTES} bytes")
        found.append(BearerToken(shared, "HS256", settings.feedback_jwt_audience))
    if public:
        found.append(BearerToken(_public_key(public), "RS256", settings.feedback_jwt_audience))
    return tuple(found)


def renewed_checks(settings: Settings) -> Renewed[tuple[Check, ...]]:
    """The same, as the files of the secrets are now. A file that is empty opens the door to nobody: what was asked for
    before is asked for still.

    Raises:
        SettingsError: a key can't be used.
    """
    files = {name: file for name in SECRETS if (file := file_of(name)) is not None}

    def read() -> tuple[Check, ...]:
        now = settings.model_copy()
        for name, file in files.items():
            value = read_secret(name, file)
            setattr(now, name, SecretStr(value) if isinstance(getattr(now, name), SecretStr) else value)
        return checks_of(now)

    return Renewed("who may post feedback", files.values(), read, first=checks_of(settings))


def _public_key(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(
            "AJO_FEEDBACK_JWT_PUBLIC_KEY: is no public key in PEM (-----BEGIN PUBLIC KEY-----…)"
        ) from None
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_KEY_BITS:
        raise SettingsError(f"AJO_FEEDBACK_JWT_PUBLIC_KEY: must be an RSA key of {LEAST_KEY_BITS} bits or more")
    return key
