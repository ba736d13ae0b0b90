"""Who this worker is: the same id in the ledger, in its name for Flower, and on what it takes from the broker."""

from functools import cache
from uuid import UUID

from uuid_utils.compat import uuid7


@cache
def worker_id() -> UUID:
    """This process's id as a worker: a UUIDv7."""
    return uuid7()
