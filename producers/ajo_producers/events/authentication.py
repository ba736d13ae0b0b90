"""Who may post events: a bearer token, or a signature as Standard Webhooks has it. Never tells what it expected.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

from ajo_producers.entrance.bearer import BEARER_NEEDED, Headers, bearer_of
from ajo_producers.events.settings import Admitted

TOLERANCE_SECONDS = 300
"""By how much a signature's time may differ from ours: an older one is a replay."""
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def refusal_before_body(admitted: Admitted, headers: Headers) -> str | None:
    """What is wrong with the headers alone; None if nothing is yet. Pure."""
    if headers.getlist("authorization") and admitted.tokens:
        if (token := bearer_of(headers)) is None:
            return BEARER_NEEDED
        told = token.encode("latin-1", "replace")
        matches = [hmac.compare_digest(told, one.encode()) for one in admitted.tokens]  # all, in constant time
        return None if any(matches) else "the bearer token is wrong"
    if not by_signature(admitted, headers):
        ways = ["Authorization: Bearer …"] * bool(admitted.tokens) + [", ".join(SIGNED)] * bool(admitted.secrets)
        return f"who are you? The headers {' or '.join(ways)} say it"
    return None


def by_signature(admitted: Admitted, headers: Headers) -> bool:
    """Whether it is a signature that says who the sender is, and no token."""
    by_token = bool(admitted.tokens and headers.getlist("authorization"))
    return bool(admitted.secrets and headers.getlist("webhook-signature")) and not by_token


def signature_refusal(secrets: Sequence[bytes], headers: Headers, body: bytes, now: float) -> str | None:
    """What is wrong with a signature; None if nothing is. ``now`` is in seconds since 1970. Pure."""
    values = [headers.getlist(name) for name in SIGNED]
    if any(len(given) != 1 or not given[0] for given in values):
        return f"the headers {', '.join(SIGNED)} are needed, once each"
    (message,), (stamp,), (signatures,) = values
    if not (stamp.isascii() and stamp.isdecimal()) or len(stamp) > len("9999999999"):
        return "webhook-timestamp must be whole seconds since 1970"
    signed = f"{message}.{stamp}.".encode("latin-1", "replace") + body
    expected = [hmac.digest(secret, signed, "sha256") for secret in secrets]
    given = [found for text in signatures.split(" ")[:10] if (found := _decoded(text)) is not None]
    matches = [hmac.compare_digest(one, other) for one in given for other in expected]
    if not any(matches):
        return "the signature is wrong"
    if abs(now - int(stamp)) > TOLERANCE_SECONDS:
        return f"webhook-timestamp is more than {TOLERANCE_SECONDS} s away from the time here: sign anew"
    return None


def _decoded(text: str) -> bytes | None:
    version, _, encoded = text.partition(",")
    try:
        return base64.b64decode(encoded, validate=True) if version == "v1" else None
    except (binascii.Error, ValueError):
        return None
