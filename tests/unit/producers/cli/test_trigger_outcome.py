"""What is told of a file that ended before its time, and going on with its receipts."""

import json
from pathlib import Path
from uuid import UUID

import pytest
import typer
from ajo_producers.cli.trigger_outcome import FileOutcome, early_end, lines
from ajo_producers.cli.trigger_receipts import open_receipts

FILE = Path("r.jsonl")
RESUMED = [
    "to go on: the same command with --resume r.jsonl in place of --receipts r.jsonl",
    "it leaves out what is confirmed, and sends what may have arrived under the same request id: never twice",
]
DOUBLED = "what may have arrived is sent twice then, unless its line has a key: --receipts FILE would have known"
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("unsent", "doubtful", "stopped_after", "receipts", "told"),
    [
        ([], [], 7, None, ["nothing after line 7 was looked at", "to go on: the same command with --start-line 8"]),
        ([], [], 7, FILE, ["nothing after line 7 was looked at", *RESUMED]),
        (
            [3, 4, 7],
            [],
            None,
            None,
            ["not confirmed: lines 3–4, 7", "none of them was sent", "to go on: the same command with --start-line 3"],
        ),
        (
            [],
            [5],
            6,
            None,
            [
                "not confirmed: line 5",
                "they were on their way, and may have arrived",
                "nothing after line 6 was looked at",
                "to go on: the same command with --start-line 5",
                DOUBLED,
            ],
        ),
        (
            [6, 7],
            [4, 5],
            None,
            FILE,
            ["not confirmed: lines 4–7", "of these, lines 4–5 were on their way and may have arrived", *RESUMED],
        ),
    ],
)
def test_an_early_end_says_what_is_in_doubt_and_how_to_go_on(
    unsent: list[int], doubtful: list[int], stopped_after: int | None, receipts: Path | None, told: list[str]
) -> None:
    outcome = FileOutcome(stopped_after=stopped_after)
    for number in sorted([*unsent, *doubtful]):
        outcome.give_up(number, doubtful=number in doubtful)
    assert early_end(outcome, receipts) == told
    assert outcome.ended_early


def test_many_spans_are_cut() -> None:
    assert lines([(n, n) for n in range(1, 40, 2)]) == "lines 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 10 more"


def test_receipts_say_what_is_done_and_under_which_id_the_rest_went_out(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with open_receipts(path, None) as receipts:
        assert receipts is not None
        receipts.answered(1, FIRST, confirmed=True)
        receipts.answered(2, SECOND, confirmed=None)
        receipts.refused(3, ["context.orderId is missing"])
    path.write_text(path.read_text() + '{"line": 4, "req', encoding="utf-8")
    with open_receipts(None, path) as receipts:
        assert receipts is not None
        assert [receipts.confirmed_before(number) for number in range(1, 5)] == [True, False, False, False]
        assert [receipts.again(number, keyed=True) for number in range(2, 5)] == [SECOND, None, None]
        assert receipts.again(2, keyed=False) == SECOND
        receipts.answered(2, SECOND, confirmed=True)
    with open_receipts(None, path) as receipts:
        assert receipts is not None
        assert receipts.confirmed_before(2)
    assert [json.loads(line).get("line") for line in path.read_text().splitlines()] == [None, 1, 2, 3, 2]


def test_a_line_without_a_key_has_the_same_id_whenever_its_run_is_gone_on_with_whatever_the_file_lacks(
    tmp_path: Path,
) -> None:
    """Its writer may have been killed, or its disk full, before any receipt was written."""
    path, other = tmp_path / "r", tmp_path / "other"
    with open_receipts(path, None) as receipts:
        assert receipts is not None
        first = [receipts.again(number, keyed=False) for number in range(1, 50)]
    with open_receipts(None, path) as receipts:
        assert receipts is not None
        assert [receipts.again(number, keyed=False) for number in range(1, 50)] == first
    with open_receipts(other, None) as receipts:
        assert receipts is not None
        assert not {receipts.again(number, keyed=False) for number in range(1, 50)} & set(first)
    assert len(set(first)) == len(first)
    assert {one.version for one in first if one} == {7}


def test_receipts_that_cannot_be_written_any_more_are_told_and_raise_nothing(tmp_path: Path) -> None:
    with open_receipts(tmp_path / "r", None) as receipts:
        assert receipts is not None
        receipts._file = Path("/dev/full").open("w")  # noqa: SIM115 - closed by the block
        for number in range(5_000):
            receipts.answered(number, FIRST, confirmed=True)
        receipts.flush()
        assert receipts.fault == "/dev/full can't be written: No space left on device"


@pytest.mark.parametrize("text", ["to,key\n", "ada", '{"line": "x", "confirmed": true}\n', "[]\n"])
def test_what_is_no_file_of_receipts_is_refused_and_left_as_it_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(text, encoding="utf-8")
    with pytest.raises(typer.BadParameter, match="it is no receipt"), open_receipts(None, tmp_path / "r"):
        pass
    assert (tmp_path / "r").read_text() == text


def test_receipts_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("precious", encoding="utf-8")
    with pytest.raises(typer.BadParameter, match="exists"), open_receipts(tmp_path / "r", None):
        pass
    assert (tmp_path / "r").read_text() == "precious"


def test_without_a_file_there_are_no_receipts() -> None:
    with open_receipts(None, None) as receipts:
        assert receipts is None
