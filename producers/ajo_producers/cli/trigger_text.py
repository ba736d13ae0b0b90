"""From a file's bytes to its lines, in the encodings and with the line ends that people's programs write."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

CHUNK = 1_000_000
MOST_WHOLE = 64_000_000
"""Characters of one line, and of JSON that is read as a whole: what has no end must not fill the memory."""
NO_TEXT = {
    b"PK\x03\x04": "it is a workbook or an archive (.xlsx, .ods, .zip): save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "it is a workbook (.xls): save the sheet as CSV UTF-8",
    b"\x1f\x8b": "it is compressed: gunzip -c FILE | ajo-dispatch trigger … --from -",
    b"BZh": "it is compressed: bunzip2 -c FILE | ajo-dispatch trigger … --from -",
    b"\xfd7zXZ": "it is compressed: xz -dc FILE | ajo-dispatch trigger … --from -",
    b"\x28\xb5\x2f\xfd": "it is compressed: zstd -dc FILE | ajo-dispatch trigger … --from -",
    b"PAR1": "it is Parquet: write it as CSV or JSON lines",
}
"""How files begin that are no text."""
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
"""Byte order marks, the longer ones first: that of UTF-32 begins with that of UTF-16."""


class BadFile(ValueError):  # noqa: N818 - what it is
    """A file that can't be read as a whole, so that nothing of it is published; ``line`` counts from 1."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


def encoding_of(head: bytes) -> str:
    """The encoding of a file that begins so. Pure.

    Raises:
        BadFile: it is no text.
    """
    if reason := next((reason for begin, reason in NO_TEXT.items() if head.startswith(begin)), None):
        raise BadFile(reason)
    if mark := next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), None):
        return mark
    if b"\0" not in head:
        return "utf-8"
    # Without a mark: nearly every other byte of a header in Latin letters is 0.
    pairs = len(head) // 2
    zeros = (head[: 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0))
    if not zeros[0] and zeros[1] > pairs * 0.9:
        return "utf-16-le"
    if not zeros[1] and zeros[0] > pairs * 0.9:
        return "utf-16-be"
    raise BadFile("it holds bytes that no text has: save it as CSV UTF-8, or as JSON lines in UTF-8")


def lines_of(file: io.BufferedReader) -> Iterator[str]:
    """The lines of a file with their ends, be these of Unix, Windows or an old Mac.

    Of UTF-8, bytes that are no text become lone surrogates, to be found later.

    Raises:
        BadFile: it is no text, at once; or while it is read, which is also told of a line that doesn't end.
    """
    try:
        encoding = encoding_of(file.peek(4096)[:4096])
    except OSError as fault:
        raise _unread(fault, 1) from fault
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    return _lines(io.TextIOWrapper(file, encoding, errors, newline=""), encoding)


def _lines(text: io.TextIOWrapper, encoding: str) -> Iterator[str]:
    number = 0
    try:
        while line := text.readline(MOST_WHOLE + 1):
            number += 1
            if len(line) > MOST_WHOLE:
                raise BadFile(f"the line has more than {MOST_WHOLE:,} characters: write a trigger a line", number)
            yield line
    except UnicodeDecodeError as error:
        raise BadFile(f"it is not {encoding.upper()} text from here on", number + 1) from error
    except OSError as fault:
        raise _unread(fault, number + 1) from fault
    finally:
        with suppress(ValueError):  # closed already
            text.detach()  # the file is its opener's to close, and may be read again


def look_through(file: BinaryIO, word: str) -> bool:
    """Read a whole file: whether it has a word anywhere. It stands at its end then.

    Raises:
        BadFile: its bytes are no text or can't be read, naming the first line of them.
    """
    chunk = _chunk(file, 1)
    encoding = encoding_of(chunk[:4096])
    decoder, line, found, tail = codecs.getincrementaldecoder(encoding)(), 1, False, ""
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(encoding, errors="ignore")
            raise BadFile(_not(encoding), line + _ends(before)) from None
        line += _ends(text)
        found = found or word in tail + text
        tail = text[-len(word) :]
        if not chunk:
            return found
        chunk = _chunk(file, line)


def _chunk(file: BinaryIO, line: int) -> bytes:
    try:
        return file.read(CHUNK)
    except OSError as fault:
        raise _unread(fault, line) from fault


def _unread(fault: OSError, line: int) -> BadFile:
    """A disk or a server at fault, which says by itself of no file that it is the one."""
    return BadFile(f"it can't be read: {fault.strerror}", line)


def _ends(text: str) -> int:
    return text.count("\n") or len(re.findall(r"\r", text))


def _not(encoding: str) -> str:
    if encoding.startswith("utf-8"):
        return (
            "it is not UTF-8 text; if it is Windows-1252 or Latin-1, as Excel's plain CSV, save it as CSV UTF-8, or: "
            "iconv -f WINDOWS-1252 -t UTF-8"
        )
    return f"it is not {encoding.upper()} text"
