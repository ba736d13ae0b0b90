"""JSON with comments."""

import json
from contextlib import suppress
from typing import Any

import pytest
from ajo_producers.campaigns.curl.jsonc import read_json
from ajo_producers.campaigns.curl.problem import SampleError, Word
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text('ab/*,]}"\\ \n')
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab/*,"'), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "http://x//y", // it\'s "here"\n "b": 1}', {"a": "http://x//y", "b": 1}),
        ('[1, /* a "b */ 2]', [1, 2]),
        ("[1, // last\n ]", [1]),
        ('{"a": [1,],}', {"a": [1]}),
        ('{"a": ",]", "b": "// \\" /*"}', {"a": ",]", "b": '// " /*'}),
    ],
)
def test_comments_and_last_commas_are_no_part_of_the_value(text: str, value: Any) -> None:
    assert read_json(Word(text, 1)) == value


@given(VALUES, st.sampled_from([None, 1]))
def test_plain_json_is_read_as_the_standard_library_reads_it(value: Any, indent: int | None) -> None:
    assert read_json(Word(json.dumps(value, indent=indent), 1)) == value


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ('{\n // one\n "a" 1}', 12, "Expecting ':' delimiter"),
        ("hello", 10, "Expecting value"),
        ("[NaN]", 10, "a number that JSON doesn't have"),
        ("[" * 100_000, 10, "the body is not JSON"),
        ("1" * 5000, 10, "a number that JSON doesn't have"),
        ('{"a": 1, "a": 2}', 10, "the same name twice"),
        ("[1,,]", 10, "Expecting value"),
    ],
)
def test_what_is_no_json_is_told_with_the_sample_s_line(text: str, line: int, part: str) -> None:
    with pytest.raises(SampleError) as caught:
        read_json(Word(text, 10))
    (problem,) = caught.value.problems
    assert problem.line == line
    assert part in problem.text


@given(st.text('{}[],:"\\/* \n1aN', max_size=40))
def test_no_text_raises_anything_but_a_sample_error(text: str) -> None:
    with suppress(SampleError):
        read_json(Word(text, 1))
