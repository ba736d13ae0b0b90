"""JSON that people have written: a name that stands twice in an object is refused, and everything else read."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from ajo_producers.contract.json_text import NameTwice, decode_clear
from hypothesis import given
from hypothesis import strategies as st

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_whatever_is_clear_is_read(value: Any) -> None:
    assert decode_clear(msgspec.json.encode(value).decode()) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"to": 1, "to": 1}', "to stands twice in one object"),
        ('{"context": {"orderId": 1, "a": 2, "orderId": 3}}', "orderId stands twice"),
        ('[{"a": 1}, {"a": 1, "\\u0061": 2}]', "a stands twice"),
        ('{"ada@example.com": 1, "ada@example.com": 2}', "^a name stands twice"),
        ('{"context": {"customer": {}, "customer": {}}}', "customer stands twice"),
    ],
)
def test_a_name_that_stands_twice_is_told_unless_it_may_be_a_value(text: str, told: str) -> None:
    with pytest.raises(NameTwice, match=told):
        decode_clear(text)


def test_the_same_name_in_two_objects_is_clear() -> None:
    assert decode_clear('[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


@pytest.mark.parametrize("text", ["9" * 10_000, "1" * 400 + "e-2", "[" * 5000 + "]" * 5000, '"\ud800"'])
def test_what_is_too_large_raises_no_other_fault(text: str) -> None:
    with suppress(msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        decode_clear(text)


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(msgspec.DecodeError, UnicodeEncodeError):
        decode_clear(text)
