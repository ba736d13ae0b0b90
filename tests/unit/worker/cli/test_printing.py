"""What people and programs read."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from ajo_worker.cli.printing import cell, make_console, make_table, print_json, print_whole
from rich.console import Console


def test_texts_from_outside_can_neither_steer_a_terminal_nor_be_taken_for_markup() -> None:
    assert cell("[bold]\x1b[2J\n\x07").plain == "[bold]\ufffd[2J\ufffd\ufffd"


def test_a_narrow_terminal_folds_texts_and_loses_nothing() -> None:
    out = StringIO()
    table = make_table("Name", "Number", numbers=1)
    table.add_row(cell("x" * 100), "1,234")
    Console(file=out, width=40).print(table)
    assert out.getvalue().count("x") == 100
    assert "1,234" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 40


@pytest.mark.parametrize("width", [20, 80, 200])
def test_no_terminal_is_too_narrow_for_a_whole_id(width: int) -> None:
    out, request_id, execution_id = StringIO(), "01a2147b-958b-7474-b3ad-1b48d3dff350", f"UMA-{'a' * 36}"
    table = make_table("Request id", "Campaign", "Ended", "Execution id", numbers=1)
    table.add_row(cell(request_id), cell("order-shipped"), "2026-11-25 20:52:55 UTC", cell(execution_id))
    print_whole(Console(file=out, width=width), table)
    assert request_id in out.getvalue()
    assert execution_id in out.getvalue()
    assert not any(line.endswith(" ") for line in out.getvalue().splitlines())


def test_without_a_terminal_lines_are_as_long_as_they_need_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    make_console().print(cell("word " * 100))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_json_has_iso_times_nulls_and_an_indent(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": datetime(2026, 11, 24, 12, tzinfo=UTC) + timedelta(milliseconds=5), "age": None})
    assert capsys.readouterr().out == '{\n  "at": "2026-11-24T12:00:00.005000Z",\n  "age": null\n}\n'
