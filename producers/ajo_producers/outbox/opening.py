"""A row of the outbox made a trigger again, or what is wrong with it. Pure."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ajo_producers.contract.batch import BadTrigger, decode_trigger
from ajo_producers.contract.lanes import Lane, Priority
from ajo_producers.contract.storable import storable
from ajo_producers.outbox.settings import KEYS
from ajo_producers.publishing.checked import MAX_TRIGGER_BYTES, CheckedTrigger

if TYPE_CHECKING:
    from ajo_producers.contract.sealing import Sealer


MOST_FAULT = 500
"""Characters of a fault's text."""


class Row(Protocol):
    """A row by the names of its columns, of whichever library has read it."""

    def __getitem__(self, column: str, /) -> Any: ...  # noqa: ANN401 - each column has a type of its own


class Opened(NamedTuple):
    """What can be published, by row, and what can't, with the reason, by row."""

    triggers: dict[int, CheckedTrigger]
    faults: dict[int, str]


class Faulty(ValueError):  # noqa: N818 - what the row is
    """A row that can't be published; says why, and what to do, with nothing of its content."""


def open_rows(rows: Iterable[Row], lane: Lane, priority: Priority, sealer: "Sealer | None") -> Opened:
    """Open rows of one way, each by itself: one that can't be published never costs its neighbours."""
    opened = Opened({}, {})
    for row in rows:
        try:
            opened.triggers[row["id"]] = _open(row, lane, priority, sealer)
        except Faulty as fault:
            opened.faults[row["id"]] = storable(str(fault)[:MOST_FAULT])
    return opened


def _open(row: Row, lane: Lane, priority: Priority, sealer: "Sealer | None") -> CheckedTrigger:
    payload: bytes = row["payload"]
    if row["key_id"] is not None:
        payload = _unsealed(row["key_id"], payload, sealer)
    if len(payload) > MAX_TRIGGER_BYTES:
        raise Faulty(f"it has {len(payload):,} bytes; {MAX_TRIGGER_BYTES:,} is the most")
    try:
        trigger = decode_trigger(payload, sealed=row["key_id"] is not None)
    except BadTrigger as why:
        raise Faulty(f"it can't be read as a trigger: {why}") from None
    if trigger.request_id != row["request_id"]:
        raise Faulty("its payload has another request id than its row")
    return CheckedTrigger(trigger, lane, priority, payload)


def _unsealed(key_id: str, payload: bytes, sealer: "Sealer | None") -> bytes:
    if sealer is None:
        raise Faulty(f"sealed under key {key_id}, and {KEYS} is not set: set it to the keys of the application")
    from ajo_producers.contract.sealing import BrokenSeal, UnknownKey  # noqa: PLC0415 - needs the extra `outbox`

    try:
        return sealer.open(key_id, payload)
    except (UnknownKey, BrokenSeal) as why:
        raise Faulty(str(why)) from None
