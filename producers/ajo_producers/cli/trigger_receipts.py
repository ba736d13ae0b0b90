"""The file of receipts: a JSON object for what became of each line; a later one of the same line replaces the earlier.

``confirmed`` is true if the broker has it, false if it certainly has not, and null if it was on its way and may have
arrived. The first line names the ``run``, of which the request ids of lines without a key are made: whatever is missing
in the file, since its disk was full or its writer killed, a line that is published again has the same one.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from uuid import UUID

import msgspec
import typer
from msgspec import Struct

from ajo_producers.contract.reading import check_regular
from ajo_producers.publishing.request_id import line_request_id, random_request_id

MAX_LINE_BYTES = 1_000_000
"""Of one receipt; what is longer is none, and must not fill the memory."""


class _Receipt(Struct):
    line: int
    confirmed: bool | None
    request_id: UUID | None = None


class _Head(Struct):
    run: UUID


class _Before:
    """What earlier receipts say, of millions of lines: which are confirmed, and the request ids of others."""

    def __init__(self) -> None:
        self.confirmed: set[int] = set()
        self.request_ids: dict[int, UUID] = {}

    def add(self, receipt: _Receipt) -> None:
        """One more; it replaces an earlier one of its line."""
        if receipt.confirmed:
            self.confirmed.add(receipt.line)
            self.request_ids.pop(receipt.line, None)
            return
        self.confirmed.discard(receipt.line)
        if receipt.request_id is None:
            self.request_ids.pop(receipt.line, None)
        else:
            self.request_ids[receipt.line] = receipt.request_id


class Receipts:
    """Writes receipts of a ``run`` to ``file``; ``before`` is what those of it said that were written earlier.

    ``fault`` is why they can't be written any more.
    """

    def __init__(self, file: TextIO, run: UUID, before: _Before) -> None:
        self._file = file
        self._run = run
        self._before = before
        self.fault: str | None = None

    def confirmed_before(self, number: int) -> bool:
        """Whether the broker has had the line since an earlier run."""
        return number in self._before.confirmed

    def again(self, number: int, *, keyed: bool) -> UUID | None:
        """The request id under which the line went out, or goes out; None for one that is made of its key."""
        if (before := self._before.request_ids.get(number)) is not None:
            return before
        return None if keyed else line_request_id(self._run, number)

    def refused(self, number: int, problems: Sequence[str]) -> None:
        """The line can't be published."""
        self._write({"line": number, "confirmed": False, "problems": problems})

    def answered(self, number: int, request_id: UUID, *, confirmed: bool | None) -> None:
        """What the broker has of the line."""
        self._write({"line": number, "request_id": str(request_id), "confirmed": confirmed})

    def flush(self) -> None:
        """What is written stays known, whatever becomes of this process."""
        with self._noting_faults():
            self._file.flush()

    def close(self) -> None:
        """Nothing more is written."""
        with suppress(OSError):  # told already
            self._file.close()

    def _write(self, receipt: dict[str, object]) -> None:
        if self.fault is None:
            with self._noting_faults():
                self._file.write(json.dumps(receipt) + "\n")

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            self.fault = f"{self._file.name} can't be written: {fault.strerror}"


@contextmanager
def open_receipts(new: Path | None, resume: Path | None) -> Iterator[Receipts | None]:
    """Receipts in a new file, or those of an earlier run with more after them; None for neither.

    Raises:
        typer.BadParameter: the new file exists or can't be written, or the old one holds none.
    """
    if resume is not None:
        run, before = _read_before(resume)
        receipts = Receipts(resume.open("a", encoding="utf-8"), run, before)
    elif new is not None:
        run = random_request_id()
        receipts = Receipts(_open_new(new, run), run, _Before())
    else:
        yield None
        return
    try:
        yield receipts
    finally:
        receipts.close()


def _open_new(path: Path, run: UUID) -> TextIO:
    """A file that says of which run it is, for good, before anything is published."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise typer.BadParameter(
            f"{path} exists: receipts are never overwritten; --resume {path} goes on with what it says",
            param_hint="--receipts",
        ) from error
    try:
        file.write(json.dumps({"run": str(run)}) + "\n")
        file.flush()
        with suppress(OSError):  # what is no file on a disk
            os.fsync(file.fileno())
    except OSError as error:
        raise typer.BadParameter(f"{path} can't be written: {error.strerror}", param_hint="--receipts") from error
    return file


def _read_before(path: Path) -> tuple[UUID, _Before]:
    """Of which run it is, and what it says of each line; a last one that its writer was cut off in is taken away."""
    check_regular(path)
    before = _Before()
    with path.open("rb") as file:
        head, end, _ = file.readline(MAX_LINE_BYTES).partition(b"\n")
        try:
            run = msgspec.json.decode(head if end else b"", type=_Head).run
        except msgspec.DecodeError as error:
            raise typer.BadParameter(f"{path}:1: it is no receipt: it names no run", param_hint="--resume") from error
        whole = file.tell()
        for number, text in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), 2):
            if not text.endswith(b"\n") and len(text) < MAX_LINE_BYTES:
                break
            try:
                receipt = msgspec.json.decode(text, type=_Receipt)
            except msgspec.DecodeError as error:
                raise typer.BadParameter(f"{path}:{number}: it is no receipt", param_hint="--resume") from error
            before.add(receipt)
            whole += len(text)
    if whole < path.stat().st_size:
        os.truncate(path, whole)
    return run, before
