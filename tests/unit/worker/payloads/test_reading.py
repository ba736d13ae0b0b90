"""Held payloads, opened; their shape tells paths and types, and no value."""

from typing import Any

import msgspec
import pytest
from ajo_producers.contract.sealing import Sealer, key_id_of, new_key
from ajo_worker.payloads.reading import Part, UnreadablePayload, read_payload, shape
from hypothesis import given
from hypothesis import strategies as st

KEY = new_key()
SEALER, STRANGER = Sealer.from_keys(KEY), Sealer.from_keys(new_key())
PAYLOAD = b'{"to":"ada@example.com"}'

SECRET, NUMBER = "secret-value", 987654321
values = st.recursive(
    st.none() | st.booleans() | st.just(NUMBER) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1, "b": {"c": "x", "d": None}}, [("a", "number", 1), ("b.c", "string", 1), ("b.d", "null", 1)]),
        ({"r": [{"id": "x"}, {"id": "y", "n": 1.5}]}, [("r[].id", "string", 2), ("r[].n", "number", 1)]),
        ([[1], [True, "x"]], [("[][]", "number boolean string", 3)]),
        ({"a": {}, "b": []}, [("a", "empty object", 1), ("b", "empty array", 1)]),
        ({"ada@example.com": 1, "\x1b[2J": 2, "x" * 65: 3}, [("…", "number", 3)]),
        ({"first-name_2": 4}, [("first-name_2", "number", 1)]),
        ("ada@example.com", [("", "string", 1)]),
    ],
)  # fmt: skip
def test_paths_are_told_once_with_their_types_and_counts(value: Any, expected: list[tuple[str, str, int]]) -> None:
    found = [(part.path, " ".join(part.types), part.times) for part in shape(value)]
    for (path, types, times), (wanted_path, wanted_types, wanted_times) in zip(found, expected, strict=True):
        assert (path, types, times) == (wanted_path, wanted_types, wanted_times)


@given(values)
def test_no_value_of_a_payload_is_in_its_shape(value: Any) -> None:
    told = " ".join(word for part in shape(value) for word in (part.path, *part.types))
    assert SECRET not in told
    assert str(NUMBER) not in told


def test_a_payload_is_read_under_its_key_and_told_as_a_line_with_its_own_numbers() -> None:
    written = b'{\r\n "amount": 1.10,\n "big": 123456789012345678901234567890,\n "text": "a\\nb"}'
    line, value = read_payload(SEALER, *SEALER.seal(written))
    assert b"\n" not in line
    assert b"\r" not in line
    assert b"1.10" in line
    assert b"123456789012345678901234567890" in line
    assert msgspec.json.decode(line) == msgspec.json.decode(written) == value


@pytest.mark.parametrize(
    ("key_id", "held", "told"),
    [
        (*STRANGER.seal(PAYLOAD), f"sealed under key {STRANGER.newest}, which AJO_PAYLOAD_KEYS does not have"),
        (key_id_of(KEY), b"not a seal", "can't be opened with its key"),
        (None, b'{"to":"ada@example.com"', "it is no JSON"),
        (None, b"[" * 100_000 + b"]" * 100_000, "it is nested too deeply"),
        (None, b'"\xff"', "it is no JSON"),
        (None, b"", "it is no JSON"),
    ],
    ids=["another key", "no seal", "cut off", "too deep", "no UTF-8", "empty"],  # keys differ from run to run
)
def test_what_cannot_be_read_is_told_without_what_is_in_it(key_id: str | None, held: bytes, told: str) -> None:
    with pytest.raises(UnreadablePayload, match=told) as problem:
        read_payload(SEALER, key_id, held)
    assert "ada@" not in str(problem.value)


@pytest.mark.parametrize("calls", [0, 200, 400])
def test_what_a_worker_has_read_is_read_however_deep_the_calls_are_that_ask_for_it(calls: int) -> None:
    held = b"[" * 900 + b"]" * 900  # of some 1,000 that Python allows

    def within(calls: int) -> bytes:
        return within(calls - 1) if calls else read_payload(SEALER, None, held)[0]

    assert within(calls) == held


def test_a_deep_payload_has_a_shape() -> None:
    value: Any = "x"
    for _ in range(5_000):
        value = [value]
    assert shape(value) == [Part("[]" * 5_000, ["string"], 1)]
