"""Settings of the intake of events, from ``AJO_EVENTS_…`` variables; ``AJO_X_FILE`` names a file that holds AJO_X."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from ajo_producers.contract.setting_rules import EVENTS
from ajo_producers.publishing.environment import value_of
from ajo_producers.publishing.errors import SettingError

LEAST_TOKEN = 20
"""Characters of a bearer token."""
LEAST_SECRET_BYTES = 24
"""Of a signing secret, as Standard Webhooks has it."""
TOKENS, SECRETS = "AJO_EVENTS_TOKENS", "AJO_EVENTS_SIGNING_SECRETS"

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
_WANTED = {Positive: "a whole number of 1 or more", Seconds: "a number of seconds, above 0 and at most 86,400"}


class IntakeSettings(Struct, frozen=True):
    """How much the intake takes; times are in seconds, ``pending`` are triggers that wait for the broker's confirm."""

    max_bytes: Positive = EVENTS.max_bytes
    head_seconds: Seconds = EVENTS.head_seconds
    body_seconds: Seconds = EVENTS.body_seconds
    connections: Positive = EVENTS.connections
    connections_by_address: Positive = EVENTS.connections_by_address
    pending: Positive = EVENTS.pending


class Admitted(NamedTuple):
    """Who may post: whoever has one of the tokens, or signs with one of the secrets (as bytes)."""

    tokens: tuple[str, ...]
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        """Without them."""
        return f"Admitted({len(self.tokens)} tokens, {len(self.secrets)} secrets)"

    def __bool__(self) -> bool:
        """Whether anybody may."""
        return bool(self.tokens or self.secrets)


def read_intake(env: Mapping[str, str]) -> IntakeSettings:
    """The settings that an environment holds.

    Raises:
        SettingError: one of them can't be used.
    """
    given = {}
    for name in IntakeSettings.__struct_fields__:
        variable = f"AJO_EVENTS_{name.upper()}"
        if text := value_of(env, variable):
            kind = IntakeSettings.__annotations__[name]
            try:
                given[name] = msgspec.convert(text, kind, strict=False)
            except msgspec.ValidationError:
                raise SettingError(f"{variable} must be {_WANTED[kind]}") from None
    return IntakeSettings(**given)


def read_admitted(env: Mapping[str, str]) -> Admitted:
    """Who may post, by ``AJO_EVENTS_TOKENS`` and ``AJO_EVENTS_SIGNING_SECRETS``: several are separated by blanks.

    Raises:
        SettingError: one is too short, or no secret.
    """
    tokens = tuple(value_of(env, TOKENS).split())
    if any(len(token) < LEAST_TOKEN or not token.isascii() for token in tokens):
        raise SettingError(
            f"{TOKENS}: each must have at least {LEAST_TOKEN} ASCII characters, such as openssl rand -hex 32"
        )
    secrets = tuple(map(_secret, value_of(env, SECRETS).split()))
    if any(len(secret) < LEAST_SECRET_BYTES for secret in secrets):
        least = f"each must be whsec_ and the base64 of at least {LEAST_SECRET_BYTES} bytes"
        raise SettingError(f"{SECRETS}: {least}, such as whsec_$(openssl rand -base64 32)")
    return Admitted(tokens, secrets)


def admitted_files(env: Mapping[str, str]) -> list[Path]:
    """The files that hold them, which may come to hold others."""
    return [Path(env[f"{name}_FILE"]) for name in (TOKENS, SECRETS) if not env.get(name) and env.get(f"{name}_FILE")]


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True) if text.startswith("whsec_") else b""
    except binascii.Error:
        return b""
