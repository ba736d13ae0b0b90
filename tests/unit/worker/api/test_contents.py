"""A body as it was before gateways wrote it anew."""

import gzip
import zlib

import pytest
from ajo_worker.api.contents import json_object, uncompressed
from hypothesis import given
from hypothesis import strategies as st


def test_no_more_is_unpacked_than_is_read() -> None:
    twice = gzip.compress(gzip.compress(b"abc"))
    assert uncompressed(gzip.compress(b"abc"), "gzip", 100) == uncompressed(zlib.compress(b"abc"), " Deflate", 100)
    assert uncompressed(twice, "gzip, gzip", 100) == b"abc"
    assert len(uncompressed(gzip.compress(b"x" * 10**7), "gzip", 100)) == 100


@pytest.mark.parametrize("coding", ["", "identity", "br", "gzip"])
def test_what_is_not_what_it_says_is_left_as_it_is(coding: str) -> None:
    assert uncompressed(b"abc", coding, 100) == b"abc"


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"[" * 100_000, b'{"a":', b"\xff\xfe{", b"9" * 5000])
def test_what_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert json_object(body) == {}


@given(st.binary(max_size=300), st.text(max_size=30))
def test_nothing_raises_and_every_text_can_be_printed(body: bytes, codings: str) -> None:
    str(json_object(uncompressed(body, codings, 1000))).encode()
