"""An answer of HTTP/1.1, read piece by piece. Pure.

RFC 9112, read strictly: an answer whose end isn't beyond doubt is none.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Literal

MOST_HEAD = 65_536
"""Bytes of an answer before its body, interim answers (1xx) and trailers included."""

MOST_CHUNK_LINE = 1024
"""Bytes of a chunk's size and what may stand behind it."""

STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n]*)?")
BEGUN = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9]) ")
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
RETRY_AFTER = "retry-after"
FOLD = re.compile(rb"\n[ \t]+")
HEAD_END = re.compile(rb"\r?\n\r?\n")


class NotHttp(Exception):  # noqa: N818 - says what it is
    """The answer is none by the rules of HTTP/1.1; the text says which rule, and quotes nothing of it."""


class Reading:
    """One answer as it comes in.

    ``status`` is None until it is here, ``headers`` are empty until all of them are. Once it is
    ``whole``, ``body`` is the body, or the first ``most + 1`` bytes of a longer one, and ``reusable`` says whether
    another call may follow on the connection.
    """

    __slots__ = (
        "_buffer",
        "_chunked",
        "_head",
        "_left",
        "_most",
        "_seen",
        "_state",
        "body",
        "headers",
        "reusable",
        "status",
    )

    def __init__(self, most: int) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.reusable = False
        self._most = most
        self._buffer = bytearray()
        self._head = 0
        self._seen = 0
        self._left = 0
        self._chunked = False
        self._state: Literal["head", "body", "until-closed", "chunk", "chunk-end", "trailers", "whole"] = "head"

    @property
    def whole(self) -> bool:
        """Whether the answer is at its end."""
        return self._state == "whole"

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            NotHttp: they can't be those of an answer.
        """
        self._buffer += data
        while self._step():
            pass
        if self.whole and self._buffer:  # more than was asked for: whatever it is, the next call must not get it
            self.reusable = False

    def ended(self, *, properly: bool = True) -> None:
        """The connection was closed by the other side; over TLS ``properly``, or cut off.

        Raises:
            EOFError: in the middle of an answer.
        """
        if self._state == "until-closed" and properly:
            self._state = "whole"
        if not self.whole:
            raise EOFError

    def _step(self) -> bool:
        """Go on by one piece; False if more bytes are needed for it, or nothing is left to do."""
        match self._state:
            case "head":
                return self._read_head()
            case "chunk" | "chunk-end":
                return self._read_chunk_line()
            case "trailers":
                return self._read_trailers()
            case "body" | "until-closed":
                return self._read_body()
            case _:
                return False

    def _read_head(self) -> bool:
        if not self._buffer.startswith(b"HTTP/1."[: len(self._buffer)]):
            raise NotHttp("no status line")
        if self.status is None:
            self._read_status()
        found = HEAD_END.search(self._buffer, max(0, self._seen - 3))
        self._seen = len(self._buffer)
        self._bounded(found.end() if found else len(self._buffer))
        if not found:
            return False
        lines = bytes(self._buffer[: found.start()]).replace(b"\r\n", b"\n").split(b"\n")
        self._took_head(found.end())
        newer, status = _status_of(lines[0])
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise NotHttp("another protocol")
        headers = _fields(lines[1:])
        if status >= HTTPStatus.OK:  # what is below is an interim answer
            self._headers_are_here(status, newer, headers)
        return True

    def _read_status(self) -> None:
        """What became of the call is known with the status, whatever becomes of the reason and the headers."""
        end = self._buffer.find(b"\n", 0, MOST_HEAD)
        begun = BEGUN.match(self._buffer)
        if end >= 0:
            _, status = _status_of(bytes(self._buffer[:end]).removesuffix(b"\r"))
        elif begun:
            status = int(begun[1])
        else:
            return
        self.status = status if status >= HTTPStatus.OK else None

    def _headers_are_here(self, status: int, newer: bool, fields: list[tuple[str, str]]) -> None:
        lengths = {one.strip() for name, value in fields if name == "content-length" for one in value.split(",")}
        codings = [
            one.strip().lower() for name, value in fields if name == "transfer-encoding" for one in value.split(",")
        ]
        options = {one.strip().lower() for name, value in fields if name == "connection" for one in value.split(",")}
        if any(not length.isascii() or not length.isdigit() for length in lengths) or len(lengths) > 1:
            raise NotHttp("no content-length")
        if codings and codings != ["chunked"]:
            raise NotHttp("an unknown transfer-encoding")
        doubtful = bool(codings and lengths) or sum(name == "content-length" for name, _ in fields) > 1
        self.reusable = newer and "close" not in options and not doubtful
        self.headers = first_of_each(fields)
        if status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self._state = "whole"
        elif codings:
            self._state, self._chunked = "chunk", True
        elif lengths:
            self._left = int(lengths.pop())
            self._state = "body" if self._left else "whole"
        else:
            self._state, self.reusable = "until-closed", False

    def _read_chunk_line(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > MOST_CHUNK_LINE:
                raise NotHttp("no chunk")
            return False
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        if self._state == "chunk-end":
            if line:
                raise NotHttp("no end of a chunk")
            self._state = "chunk"
            return True
        size = CHUNK_SIZE.fullmatch(line)
        if size is None or end > MOST_CHUNK_LINE:
            raise NotHttp("no chunk")
        self._left = int(size[1], 16)
        self._state = "body" if self._left else "trailers"
        return True

    def _read_trailers(self) -> bool:
        end = self._buffer.find(b"\n")
        self._bounded(end if end >= 0 else len(self._buffer))
        if end < 0:
            return False
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        self._took_head(end + 1)
        if line:
            _fields([line])
        else:
            self._state = "whole"
        return True

    def _read_body(self) -> bool:
        if not self._buffer:
            return False
        taken = len(self._buffer) if self._state == "until-closed" else min(self._left, len(self._buffer))
        self.body += self._buffer[: min(taken, self._most + 1 - len(self.body))]
        del self._buffer[:taken]
        self._left -= taken
        if len(self.body) > self._most:
            self._state, self.reusable = "whole", False
        elif self._state == "body" and not self._left:
            self._state = "chunk-end" if self._chunked else "whole"
        return True

    def _took_head(self, length: int) -> None:
        del self._buffer[:length]
        self._head += length
        self._seen = 0

    def _bounded(self, more: int) -> None:
        if self._head + more > MOST_HEAD:
            raise NotHttp("too many headers")


def first_of_each(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first value of each header; of ``Retry-After`` all, since none of them may be broken."""
    pairs = [*fields]
    together = ", ".join(value for name, value in pairs if name == RETRY_AFTER)
    return {**dict(reversed(pairs)), **({RETRY_AFTER: together} if together else {})}


def _status_of(line: bytes) -> tuple[bool, int]:
    """Whether it is HTTP/1.1 (and not 1.0), and the status.

    Raises:
        NotHttp: it is no status line.
    """
    found = STATUS_LINE.fullmatch(line)
    if found is None:
        raise NotHttp("no status line")
    return found[1] == b"1", int(found[2])


def _fields(lines: list[bytes]) -> list[tuple[str, str]]:
    """Header fields, names in lower case; one that is folded (RFC 9112, 5.2) is one line.

    Raises:
        NotHttp: a line is none.
    """
    fields: list[tuple[str, str]] = []
    for line in FOLD.sub(b" ", b"\n".join(lines)).split(b"\n") if lines else ():
        name, colon, value = line.partition(b":")
        if not colon or not NAME.fullmatch(name) or b"\0" in value or b"\r" in value:
            raise NotHttp("a broken header")
        fields.append((name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")))
    return fields
