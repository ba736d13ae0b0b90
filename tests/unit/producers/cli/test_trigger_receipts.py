"""The file of receipts, read again by a run that goes on: what it says of each line, and what it does not say."""

import json
import os
from pathlib import Path
from uuid import UUID

import pytest
import typer
from ajo_producers.cli.trigger_receipts import open_receipts

RUN, ID = UUID(int=1), UUID(int=2)
HEAD = json.dumps({"run": str(RUN)}) + "\n"


def receipt(line: int, *, confirmed: bool | None, request_id: UUID | None = ID) -> str:
    return json.dumps({"line": line, "request_id": request_id and str(request_id), "confirmed": confirmed}) + "\n"


def test_the_latest_receipt_of_a_line_counts(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    lines = [
        receipt(2, confirmed=True),
        receipt(3, confirmed=None),
        receipt(4, confirmed=None),
        receipt(4, confirmed=True),
        receipt(5, confirmed=False),
        receipt(5, confirmed=False, request_id=None),
    ]
    file.write_text(HEAD + "".join(lines))
    with open_receipts(None, file) as found:
        assert found is not None
        assert [number for number in range(2, 7) if found.confirmed_before(number)] == [2, 4]
        assert [found.again(number, keyed=True) for number in (3, 5, 6)] == [ID, None, None]
        assert found.again(3, keyed=False) == ID
        assert found.again(5, keyed=False) not in (None, ID), "of the run and the line's number"


def test_a_last_line_that_its_writer_was_cut_off_in_is_taken_away(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    whole = HEAD + receipt(2, confirmed=True)
    file.write_text(whole + receipt(3, confirmed=True)[:-1])
    with open_receipts(None, file) as found:
        assert found is not None
        assert not found.confirmed_before(3)
        found.answered(3, ID, confirmed=True)
    assert file.read_text() == whole + json.dumps({"line": 3, "request_id": str(ID), "confirmed": True}) + "\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: it is no receipt: it names no run"),
        (HEAD[:-1], "1: it is no receipt: it names no run"),
        (receipt(2, confirmed=True), "1: it is no receipt: it names no run"),
        (HEAD + "to,key\n", "2: it is no receipt"),
        (HEAD + receipt(2, confirmed=True) + "\n", "3: it is no receipt"),
    ],
)
def test_what_is_no_receipt_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(text)
    with pytest.raises(typer.BadParameter, match=told), open_receipts(None, tmp_path / "r"):
        raise AssertionError("it was opened")


def test_a_device_and_a_pipe_are_no_receipts(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(OSError, match="is no regular file"), open_receipts(None, place):
            raise AssertionError("it was opened")


@pytest.mark.parametrize(("begin", "line"), [("", 1), (HEAD, 2), (HEAD + receipt(2, confirmed=True), 3)])
def test_a_line_without_an_end_is_no_receipt_and_is_neither_read_to_its_end_nor_cut_off(
    begin: str, line: int, tmp_path: Path
) -> None:
    place = tmp_path / "r"
    place.write_text(begin)
    os.truncate(place, 10**12)  # sparse: it takes no room on the disk
    with pytest.raises(typer.BadParameter, match=f"{line}: it is no receipt"), open_receipts(None, place):
        raise AssertionError("it was opened")
    assert place.stat().st_size == 10**12
