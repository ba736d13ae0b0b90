"""A row of the outbox is a trigger again, or has a fault that says what to do and nothing of its content."""

from typing import Any
from uuid import UUID

import pytest
from ajo_producers.contract.batch import encode_trigger
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_producers.outbox.opening import MOST_FAULT, open_rows
from ajo_producers.outbox.settings import KEYS
from ajo_producers.publishing.checked import MAX_TRIGGER_BYTES

UNKNOWN_FIELD = "it can't be read as a trigger: Object contains an unknown field"
REQUEST_ID = UUID("01a1961f-5c00-73fe-a636-947fdb6ac011")
OLD, NEW = new_key(), new_key()
PLAIN = encode_trigger(
    Trigger(request_id=REQUEST_ID, campaign="order-shipped", recipients=(Recipient(user_id="ada@example.com"),))
)
SEALED = Sealer.from_keys(OLD).seal(PLAIN)[1]


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"id": number, "request_id": REQUEST_ID, "key_id": None, "payload": PLAIN, **changes}


FAULTY = [
    ({"payload": b""}, OLD, "it can't be read as a trigger: Input data was truncated"),
    ({"payload": b'{"request_id":"ada@example.com"}'}, OLD, "it can't be read as a trigger: Invalid UUID"),
    ({"payload": b"\xff"}, OLD, "it can't be read as a trigger: it is not UTF-8 text (byte 0)"),
    ({"payload": b"x" * (MAX_TRIGGER_BYTES + 1)}, OLD, "it has 15,990,001 bytes; 15,990,000 is the most"),
    ({"request_id": UUID(int=1)}, OLD, "its payload has another request id than its row"),
    ({"key_id": key_id_of(OLD), "payload": SEALED}, NEW, f"sealed under key {key_id_of(OLD)}, which {KEYS} does not"),
    ({"key_id": key_id_of(OLD), "payload": SEALED}, None, f"sealed under key {key_id_of(OLD)}, and {KEYS} is not set"),
    ({"key_id": key_id_of(OLD), "payload": SEALED[:-1]}, OLD, f"can't be opened with its key {key_id_of(OLD)}"),
]
FAULTS = ["empty", "bad-id", "not-utf-8", "too-long", "another-id", "unknown-key", "no-key", "cut-off"]


@pytest.mark.parametrize(("changes", "key", "fault"), FAULTY, ids=FAULTS)
def test_a_faulty_row_is_told_and_its_neighbours_are_opened(
    changes: dict[str, Any], key: str | None, fault: str
) -> None:
    sealer = Sealer.from_keys(key, KEYS) if key else None
    opened = open_rows([row(1), row(2, **changes), row(3)], "standard", "urgent", sealer)
    assert list(opened.triggers) == [1, 3]
    assert (opened.triggers[3].lane, opened.triggers[3].priority) == ("standard", "urgent")
    assert opened.triggers[3].encoded == PLAIN
    assert list(opened.faults) == [2]
    assert opened.faults[2].startswith(fault)
    assert "ada@example.com" not in opened.faults[2]


@pytest.mark.parametrize("keys", [OLD, f"{NEW},{OLD}"], ids=["its-own", "beside-a-newer"])
def test_a_sealed_row_is_opened_with_any_of_the_keys(keys: str) -> None:
    sealed = row(key_id=key_id_of(OLD), payload=SEALED)
    opened = open_rows([sealed], "standard", "normal", Sealer.from_keys(keys, KEYS))
    assert (opened.triggers[1].encoded, opened.faults) == (PLAIN, {})


def test_a_fault_quotes_nothing_of_a_sealed_payload_not_even_a_name() -> None:
    key_id, payload = Sealer.from_keys(OLD).seal(PLAIN[:-1] + b',"Ada":1}')
    opened = open_rows([row(key_id=key_id, payload=payload)], "standard", "normal", Sealer.from_keys(OLD, KEYS))
    assert opened.faults == {1: UNKNOWN_FIELD}


@pytest.mark.parametrize("name", ["a\\u0000b", "z" * 300_000, "ada@example.com"], ids=["nul", "long", "address"])
def test_a_fault_quotes_no_name_that_is_none(name: str) -> None:
    opened = open_rows([row(payload=PLAIN[:-1] + f',"{name}":1}}'.encode())], "standard", "normal", None)
    assert opened.faults == {1: UNKNOWN_FIELD}


def test_every_fault_can_be_stored_and_is_short_whatever_stands_in_its_row() -> None:
    opened = open_rows([row(key_id="k\0" + "\ud800" * 2 * MOST_FAULT, payload=SEALED)], "standard", "normal", None)
    assert len(opened.faults[1].encode()) <= 3 * MOST_FAULT
    assert "\0" not in opened.faults[1]
