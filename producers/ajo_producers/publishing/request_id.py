"""Request ids: UUIDv7 (RFC 9562), random, or always the same one for the same key.

An id with a key is built so: 48 bits of event time in milliseconds since 1970, version 7, 12 bits of digest, variant,
62 bits of digest. The digest is HMAC-SHA-256 with the campaign's name as key and the idempotency key as message, both
in UTF-8, from its first bit on. docs/message-format.md has test values for other languages.
"""

import hmac
import re
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from ajo_producers.contract.addresses import PLACEHOLDER, ROUNDED, has_placeholder, no_value
from ajo_producers.contract.timed_ids import milliseconds_at, milliseconds_of, timed_id

_ERROR = re.compile(r"#(?:N/\w+|NV|[^\W\d_][\w/]*[!?])")
"""An error of a spreadsheet; an order number such as #A1001 is none."""
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+")
"""As spreadsheets write a long number; order numbers such as 12E4 are none."""


def key_flaw(key: str) -> str | None:
    """Why a text can't name a business event; None if it can. Whatever stands in its place would do so for many."""
    if (flaw := no_value(key)) and not (key.startswith("#") and not _ERROR.fullmatch(key)):
        return flaw
    if has_placeholder(key):
        return PLACEHOLDER
    return ROUNDED if _ROUNDED.fullmatch(key) else None


def random_request_id() -> UUID:
    """A new id that carries the present time."""
    return uuid7()


def line_request_id(run: UUID, number: int) -> UUID:
    """The id of a line without a key: the same whenever the run over its file, a UUIDv7, is gone on with."""
    return timed_id(milliseconds_of(run), hmac.digest(run.bytes, str(number).encode(), "sha256"))


def keyed_request_id(campaign: str, key: str, occurred_at: datetime | None) -> UUID:
    """The id of a business event: the same for the same campaign, key and time, wherever and whenever it is asked for.

    Without a time, the id can't depend on the moment of the call, or a retry would be another trigger: it carries the
    time 0. The ledger then finds no daily partition for it, keeps it in the default one, and clears that row by row.

    Raises:
        ValueError: the time is before 1970, which a UUIDv7 can't carry.
    """
    milliseconds = 0 if occurred_at is None else milliseconds_at(occurred_at)
    if milliseconds < 0:
        raise ValueError("lies before 1970")
    return timed_id(milliseconds, hmac.digest(campaign.encode(), key.encode(), "sha256"))
