"""Recipients as the ledger knows them: by keyed hashes of their ids, and never by an address. Pure."""

from collections.abc import Iterable
from hashlib import blake2b

HASH_BYTES = 16


def hashing_key(setting: str) -> bytes:
    """The key that is made of ``AJO_HASH_KEY``; empty if that is."""
    return blake2b(setting.encode()).digest() if setting else b""


def recipient_hash(identity: str, key: bytes) -> bytes:
    """The keyed hash of a user id or address, 16 bytes.

    The same address gives the same hash whatever its case, so that one person can be looked up with the key alone.
    """
    return blake2b(identity.strip().lower().encode(errors="replace"), digest_size=HASH_BYTES, key=key).digest()


def bytea_array(hashes: Iterable[bytes]) -> str:
    """Hashes as the literal of a ``bytea[]``: a parameter that holds a list of these is ``text[]``."""
    return "{" + ",".join(f'"\\\\x{digest.hex()}"' for digest in hashes) + "}"
