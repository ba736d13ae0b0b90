"""Recipients and content as the ledger knows them: by keyed hashes, and never by an address or a text. Pure."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

HASH_BYTES = 16
KEY_MARK_BYTES = 2
"""How much of a content's digest says which key it was made with: what two keys make can't be compared."""


def hashing_key(setting: str) -> bytes:
    """The key that is made of ``AJO_HASH_KEY``; empty if that is."""
    return blake2b(setting.encode()).digest() if setting else b""


def recipient_hash(identity: str, key: bytes) -> bytes:
    """The keyed hash of a user id or address, 16 bytes.

    The same address gives the same hash whatever its case, so that one person can be looked up with the key alone, and
    is found in whichever case producers wrote it. Where recipients are compared, the case before an @ counts.
    """
    return blake2b(identity.strip().lower().encode(errors="replace"), digest_size=HASH_BYTES, key=key).digest()


def keyed_digest(content: bytes, request_id: UUID, key: bytes) -> bytes:
    """The keyed digest of a message's content, 16 bytes, which begin with the key's mark.

    Other triggers with the same content have another one: it tells copies of one trigger from each other, and no more.
    """
    return (
        _mark(key) + blake2b(content, digest_size=HASH_BYTES - KEY_MARK_BYTES, key=key, salt=request_id.bytes).digest()
    )


@lru_cache(maxsize=4)
def _mark(key: bytes) -> bytes:
    return blake2b(b"content", digest_size=KEY_MARK_BYTES, key=key).digest()


def is_other_content(one: bytes | None, other: bytes | None) -> bool:
    """Whether two digests of one trigger are of different content; not if one is missing, or made with another key."""
    if one is None or other is None or one[:KEY_MARK_BYTES] != other[:KEY_MARK_BYTES]:
        return False
    return one != other


def bytea_array(hashes: Iterable[bytes]) -> str:
    """Hashes as the literal of a ``bytea[]``: a parameter that holds a list of these is ``text[]``."""
    return "{" + ",".join(f'"\\\\x{digest.hex()}"' for digest in hashes) + "}"
