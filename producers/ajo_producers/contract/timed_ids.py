"""UUIDv7 (RFC 9562): ids that begin with 48 bits of time, in milliseconds since 1970, and go on with a digest. Pure."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TIME_SHIFT, DIGEST_BITS, SHA_256_BITS = 80, 74, 256


def milliseconds_at(moment: datetime) -> int:
    """How many whole milliseconds since 1970 that is; negative before."""
    return (moment - EPOCH) // MILLISECOND


def milliseconds_of(timed: UUID) -> int:
    """The time of an id; it may lie beyond what a datetime can hold."""
    return timed.int >> TIME_SHIFT


def moment_of(timed: UUID) -> datetime:
    """The moment that an id was made at, to the millisecond."""
    return EPOCH + milliseconds_of(timed) * MILLISECOND


def floor_of(moment: datetime) -> UUID:
    """The least id that one of this moment can have; the same as ``ledger.uuid7_floor``."""
    return UUID(int=milliseconds_at(moment) << TIME_SHIFT)


def timed_id(milliseconds: int, sha256: bytes) -> UUID:
    """The id of this time, with the first 74 bits of a SHA-256."""
    digest = int.from_bytes(sha256) >> (SHA_256_BITS - DIGEST_BITS)
    return UUID(int=milliseconds << TIME_SHIFT | 7 << 76 | (digest >> 62) << 64 | 0b10 << 62 | digest & ((1 << 62) - 1))
