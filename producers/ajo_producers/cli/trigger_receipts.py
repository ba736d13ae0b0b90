"""The file of receipts: a JSON object for what became of each line; a later one of the same line replaces the earlier.

``confirmed`` is true if the broker has it, false if it certainly has not, and null if it was on its way and may have
arrived.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from uuid import UUID

import msgspec
import typer
from msgspec import Struct


class _Receipt(Struct):
    line: int
    confirmed: bool | None
    request_id: UUID | None = None


class Receipts:
    """Writes receipts to ``file``; ``before`` are those of earlier runs over the same lines."""

    def __init__(self, file: TextIO, before: dict[int, _Receipt]) -> None:
        self._file = file
        self._before = before

    def confirmed_before(self, number: int) -> bool:
        """Whether the broker has had the line since an earlier run."""
        receipt = self._before.get(number)
        return receipt is not None and bool(receipt.confirmed)

    def again(self, number: int) -> UUID | None:
        """The request id under which an earlier run sent the line, or wanted to."""
        receipt = self._before.get(number)
        return receipt.request_id if receipt is not None else None

    def refused(self, number: int, problems: Sequence[str]) -> None:
        """The line can't be published."""
        self._write({"line": number, "confirmed": False, "problems": problems})

    def answered(self, number: int, request_id: UUID, *, confirmed: bool | None) -> None:
        """What the broker has of the line."""
        self._write({"line": number, "request_id": str(request_id), "confirmed": confirmed})

    def flush(self) -> None:
        """What is written stays known, whatever becomes of this process."""
        self._file.flush()

    def _write(self, receipt: dict[str, object]) -> None:
        self._file.write(json.dumps(receipt) + "\n")


@contextmanager
def open_receipts(new: Path | None, resume: Path | None) -> Iterator[Receipts | None]:
    """Receipts in a new file, or those of an earlier run with more after them; None for neither.

    Raises:
        typer.BadParameter: the new file exists, or the old one holds none.
    """
    if resume is not None:
        before = _read_before(resume)
        with resume.open("a", encoding="utf-8") as file:
            yield Receipts(file, before)
    elif new is not None:
        with _open_new(new) as file:
            yield Receipts(file, {})
    else:
        yield None


def _open_new(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise typer.BadParameter(
            f"{path} exists: receipts are never overwritten; --resume {path} goes on with what it says",
            param_hint="--receipts",
        ) from error


def _read_before(path: Path) -> dict[int, _Receipt]:
    """What a file of receipts says of each line; a last one that its writer was cut off in is taken away."""
    before: dict[int, _Receipt] = {}
    whole, _, rest = path.read_bytes().rpartition(b"\n")
    for number, text in enumerate(whole.splitlines(), 1):
        try:
            receipt = msgspec.json.decode(text, type=_Receipt)
        except msgspec.DecodeError as error:
            raise typer.BadParameter(f"{path}:{number}: it is no receipt", param_hint="--resume") from error
        before[receipt.line] = receipt
    if rest and not before:
        raise typer.BadParameter(f"{path}:1: it is no receipt", param_hint="--resume")
    if rest:
        os.truncate(path, path.stat().st_size - len(rest))
    return before
