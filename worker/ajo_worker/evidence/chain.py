"""The chain: each seal is bound to the one before, so that none can be changed, left out or put in between. Pure."""

import hmac
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from uuid import UUID

import msgspec
from msgspec import Struct

from ajo_worker.evidence.chunks import Chunk

FIRST = bytes(32)
"""What the first seal is bound to."""
KEY_ID_DIGITS = 12


class Seal(Struct, frozen=True):
    """What one row of ledger.digests says, apart from the chain."""

    sealed_at: datetime
    covers_until: datetime
    revisions: int
    rows: int
    day: date
    relation: str
    from_id: UUID | None
    to_id: UUID | None
    key_id: str | None
    cause: str
    open_triggers: list[UUID]
    digest: bytes

    @property
    def chunk(self) -> Chunk:
        """What it seals."""
        return Chunk(self.day, self.relation, self.from_id, self.to_id)


class Link(Struct, frozen=True):
    """A seal in the chain."""

    digest_id: int
    seal: Seal
    previous: bytes
    chain: bytes


def key_id_of(key: bytes) -> str | None:
    """Which key it is, without telling anything of it; None without one."""
    if not key:
        return None
    return hmac.new(key, b"ajo-dispatch: id of an evidence key", sha256).hexdigest()[:KEY_ID_DIGITS]


def chained(previous: bytes, seal: Seal, key: bytes) -> bytes:
    """The chain's value after a seal. ``key`` must be the one that the seal names."""
    message = previous + facts_of(seal)
    return hmac.new(key, message, sha256).digest() if key else sha256(message).digest()


def facts_of(seal: Seal) -> bytes:
    """What a seal says, as compact JSON: texts, numbers and null only, so that it can be made anew in any language."""
    return msgspec.json.encode(
        [
            seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
            seal.covers_until.astimezone(UTC).isoformat(timespec="microseconds"),
            seal.revisions,
            seal.rows,
            seal.day.isoformat(),
            seal.relation,
            seal.from_id and str(seal.from_id),
            seal.to_id and str(seal.to_id),
            seal.key_id,
            seal.cause,
            [str(request_id) for request_id in seal.open_triggers],
            seal.digest.hex(),
        ]
    )


class Broken(Struct, frozen=True):
    """Where the chain doesn't hold, and why."""

    digest_id: int
    why: str


class NoKey(Struct, frozen=True):
    """From which seal on the chain can't be checked: it was made with a key, and there is none here."""

    digest_id: int
    key_id: str


class WrongKey(ValueError):  # noqa: N818 - says what it found
    """A key that the chain can't go on with; the text says what to set."""


def goes_on(newest: str | None, key: bytes) -> None:
    """Whether the chain may go on with this key; ``newest`` is the one that its newest seal names.

    Raises:
        WrongKey: it would break there, and nothing could mend it: seals are never deleted.
    """
    if newest not in {None, key_id_of(key)}:
        what = "another one" if key else "not set"
        raise WrongKey(f"the chain was made with key {newest}, and AJO_EVIDENCE_KEY is {what}: set it to that key")


def check(links: Sequence[Link], key: bytes) -> Broken | NoKey | None:
    """The first link that is not what it must be; None if all are.

    Without a key only what needs none is checked, and that there is none is told.
    """
    previous, own, keyed = FIRST, key_id_of(key), False
    no_key: NoKey | None = None
    for link in links:
        if link.previous != previous:
            return Broken(link.digest_id, "a seal before it is missing, or was changed")
        if link.seal.key_id is None and keyed:
            return Broken(link.digest_id, "it has no key, and seals before it had one")
        keyed = keyed or link.seal.key_id is not None
        if link.seal.key_id is not None and not key:
            no_key = no_key or NoKey(link.digest_id, link.seal.key_id)
            previous = link.chain
            continue
        if link.seal.key_id not in {None, own}:
            return Broken(link.digest_id, f"it was made with key {link.seal.key_id}, and AJO_EVIDENCE_KEY is {own}")
        expected = chained(previous, link.seal, key if link.seal.key_id else b"")
        if not hmac.compare_digest(expected, link.chain):
            return Broken(link.digest_id, "it was changed, or made with another key")
        previous = link.chain
    return no_key
