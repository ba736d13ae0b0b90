"""HTTP/1.1 of the direct adapter: requests byte by byte, and answers however they are cut into pieces."""

from contextlib import suppress

import pytest
from ajo_worker.api.adapters.http1 import MOST_HEAD, NotHttp, Reading
from ajo_worker.api.adapters.http1_request import Origin, origin_of, request_bytes
from hypothesis import given
from hypothesis import strategies as st

OK = b"HTTP/1.1 202 Accepted\r\n"
SIZED = OK + b"content-length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n02\r\nlo\r\n0\r\nx-trailer: y\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"


def read(*pieces: bytes, most: int = 1000) -> Reading:
    reading = Reading(most)
    for piece in pieces:
        reading.feed(piece)
    return reading


@pytest.mark.parametrize(
    ("answer", "status", "body", "reusable"),
    [
        (SIZED, 202, b"hello", True),
        (CHUNKED, 202, b"hello", True),
        (INTERIM + SIZED, 202, b"hello", True),
        (OK + b"content-length: 0\r\n\r\n", 202, b"", True),
        (b"HTTP/1.1 202\r\ncontent-length: 0\r\n\r\n", 202, b"", True),
        (b"HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n", 599, b"", True),
        (b"HTTP/1.1 202 x\ncontent-length: 5\n\nhello", 202, b"hello", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, b"", True),
        (b"HTTP/1.0 202 Accepted\r\ncontent-length: 5\r\n\r\nhello", 202, b"hello", False),
        (OK + b"connection: keep-alive, Close\r\ncontent-length: 5\r\n\r\nhello", 202, b"hello", False),
        (OK + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello", 202, b"hello", False),
        (OK + b"content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 202, b"", False),
        (SIZED + b"x", 202, b"hello", False),
        (CHUNKED + SIZED, 202, b"hello", False),
    ],
)
def test_an_answer_is_read_to_its_end_and_no_further(answer: bytes, status: int, body: bytes, reusable: bool) -> None:
    reading = read(answer)
    assert (reading.whole, reading.status, bytes(reading.body), reading.reusable) == (True, status, body, reusable)


@given(st.sampled_from([SIZED, CHUNKED, INTERIM + SIZED, INTERIM + CHUNKED]), st.data())
def test_an_answer_is_the_same_however_it_is_cut(answer: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    pieces = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    reading = read(*pieces)
    assert (reading.whole, reading.status, bytes(reading.body), reading.reusable) == (True, 202, b"hello", True)


@given(st.sampled_from([SIZED, CHUNKED, INTERIM + SIZED]), st.data())
def test_a_part_of_an_answer_is_none(answer: bytes, data: st.DataObject) -> None:
    reading = read(answer[: data.draw(st.integers(0, len(answer) - 1))])
    assert not reading.whole
    with pytest.raises(EOFError):
        reading.ended()


@given(st.binary(max_size=200))
def test_whatever_comes_it_is_an_answer_or_not_http(noise: bytes) -> None:
    for prefix in (b"", OK, OK + b"transfer-encoding: chunked\r\n\r\n"):
        with suppress(NotHttp):
            assert read(prefix + noise).status in {None, *range(100, 1000)}


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
        b"HTTP/2 202 x\r\n\r\n",
        b"HTTP/1.1 2020 x\r\n\r\n",
        b"HTTP/1.1 099 x\r\n\r\n",
        b"HTTP/1.1  202 x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b" folded: x\r\n\r\n",
        OK + b"space : x\r\n\r\n",
        OK + b"x: a\0b\r\n\r\n",
        OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        OK + b"content-length: 5, 6\r\n\r\nhello!",
        OK + b"content-length: -1\r\n\r\n",
        OK + b"content-length: +5\r\n\r\nhello",
        OK + b"content-length: \xb2\r\n\r\nhello",
        OK + b"content-length: \r\n\r\nhello",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n-5\r\nhello",
        OK + b"transfer-encoding: chunked\r\n\r\n0x5\r\nhello",
        OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello!\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n" + b"0" * 2000,
        OK + b"x: " + b"x" * MOST_HEAD,
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 2000,
    ],
)
def test_what_is_no_answer_beyond_doubt_is_refused(answer: bytes) -> None:
    with pytest.raises(NotHttp):
        read(answer)


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    reading = read(OK + b"\r\nhello")
    assert not reading.whole
    reading.ended()
    assert (reading.whole, bytes(reading.body), reading.reusable) == (True, b"hello", False)


def test_over_tls_an_answer_without_a_length_has_to_be_ended_properly() -> None:
    with pytest.raises(EOFError):
        read(OK + b"\r\nhello").ended(properly=False)


@pytest.mark.parametrize("answer", [SIZED, CHUNKED, OK + b"\r\nhello"])
def test_a_body_beyond_the_bound_is_read_no_further(answer: bytes) -> None:
    reading = read(answer, most=2)
    assert (reading.whole, bytes(reading.body), reading.reusable) == (True, b"hel", False)


def test_of_a_header_that_comes_twice_the_first_counts_but_no_retry_after_is_broken() -> None:
    headers = read(OK + b"Retry-After: 5\r\nX: a\r\nretry-after: 7\r\nx: b\r\ncontent-length: 0\r\n\r\n").headers
    assert (headers["retry-after"], headers["x"]) == ("5, 7", "a")


def test_a_header_that_is_folded_is_one() -> None:
    reading = read(OK + b"x: a\r\n b\r\n\tc\r\ncontent-length: 5\r\n\r\nhello")
    assert (reading.headers["x"], bytes(reading.body)) == ("a b c", b"hello")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"content-le",
        b"content-length: 5, 6\r\n\r\n",
        b"content-length: -1\r\n\r\n",
        b"no colon\r\n\r\n",
        b"x: a\0b\r\n\r\n",
        b"transfer-encoding: gzip, chunked\r\n\r\n",
        b"x: " + b"x" * MOST_HEAD,
    ],
)
@pytest.mark.parametrize("before", [b"", INTERIM])
def test_what_became_of_the_call_is_known_with_the_status_line_whatever_becomes_of_the_headers(
    before: bytes, head: bytes
) -> None:
    reading = Reading(1000)
    reading.feed(before)
    reading.feed(OK[:12])
    assert reading.status is None
    reading.feed(OK[12:13])
    assert reading.status == 202
    with suppress(NotHttp):
        reading.feed(OK[13:] + head)
    assert (reading.status, reading.whole) == (202, False)


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 2020 x\r\n", b"HTTP/1.1 20\r\n", b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 202"]
)
def test_what_is_no_status_line_of_an_answer_tells_nothing(line: bytes) -> None:
    reading = Reading(1000)
    with suppress(NotHttp):
        reading.feed(line)
    assert reading.status is None


@pytest.mark.parametrize(
    ("url", "origin", "begin"),
    [
        (
            "https://platform.adobe.io/ajo?a=b",
            ("https", "platform.adobe.io", 443),
            "POST /ajo?a=b HTTP/1.1\r\nhost: platform.adobe.io\r\n",
        ),
        ("http://127.0.0.1:81", ("http", "127.0.0.1", 81), "POST / HTTP/1.1\r\nhost: 127.0.0.1:81\r\n"),
        ("http://[::1]:81/", ("http", "::1", 81), "POST / HTTP/1.1\r\nhost: [::1]:81\r\n"),
    ],
)
def test_a_request_goes_to_its_urls_host(url: str, origin: tuple[str, str, int], begin: str) -> None:
    assert origin_of(url) == Origin(*origin)
    assert request_bytes(url, {"a": "b"}, b"{}") == begin.encode() + b"a: b\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize("url", ["", "no-url", "ftp://host/", "http:///x", "http://host:99999/"])
def test_what_is_no_url_of_http_has_no_origin(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of(url)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://host/a b", {}),
        ("http://host/a\x7f", {}),
        ("http://h\u00f6st/", {}),
        ("http://host/", {"a": "b\r\nc: d"}),
        ("http://host/", {"a": "b\nc: d"}),
        ("http://host/", {"a": "b\0"}),
        ("http://host/", {"a b": "c"}),
        ("http://host/", {"a:": "c"}),
        ("http://host/", {"": "c"}),
        ("http://host/", {"a": "\u20ac"}),
    ],
)
def test_nothing_can_be_injected_into_a_request(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        request_bytes(url, headers, b"")
