"""Files as people have them: read right where there is no doubt, else refused whole, with a word on why."""

import io
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ajo_producers.campaigns.definition import Variable
from ajo_producers.cli import trigger_jsonl, trigger_text
from ajo_producers.cli.trigger_csv import read_csv
from ajo_producers.cli.trigger_jsonl import read_jsonl
from ajo_producers.cli.trigger_keys import clashes, following
from ajo_producers.cli.trigger_lines import Line
from ajo_producers.cli.trigger_text import BadFile, encoding_of, lines_of, look_through
from hypothesis import given
from hypothesis import strategies as st

from tests.support.definitions import definition
from tests.support.failing_file import FailingFile

CAMPAIGN = definition(
    context={
        "orderId": Variable(),
        "total": Variable(type="number", required=False),
        "gift": Variable(type="boolean", required=False),
        "lines": Variable(type="array", required=False),
        "requestPayload.aps": Variable(type="object", required=False),
    }
)
PLAIN = "to,key,context.orderId\nada@example.com,A-1,Ä-1\n\nbob@example.com,A-2,2\n"
EXPECTED = [(2, "ada@example.com", "Ä-1"), (4, "bob@example.com", "2")]


def read(raw: bytes | str, *, form: str = "csv") -> list[Line]:
    """The lines of a file of these bytes."""
    file = io.BufferedReader(io.BytesIO(raw.encode() if isinstance(raw, str) else raw))  # type: ignore[arg-type] # is read alike
    lines = lines_of(file)
    return list(read_csv(lines, CAMPAIGN, {}) if form == "csv" else read_jsonl(lines, {}))


def short(lines: Iterable[Line]) -> list[tuple[int, Any, Any]]:
    """Number, address and order of lines without problems."""
    found = []
    for line in lines:
        assert line.given is not None, line.problems
        assert line.problems == []
        found.append((line.number, line.given.to, (line.given.context or {}).get("orderId")))
    return found


def endless(text: str) -> Any:
    """A file that never comes to its end: the last line goes on."""

    class Endless(io.RawIOBase):
        begin = text.encode()

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            part = self.begin[: len(buffer)] or b"x" * len(buffer)
            self.begin = self.begin[len(part) :]
            buffer[: len(part)] = part
            return len(part)

    return io.BufferedReader(Endless())


def problem(raw: bytes | str, **more: Any) -> str:
    with pytest.raises(BadFile) as caught:
        read(raw, **more)
    return f"{caught.value.line}: {caught.value}"


@pytest.mark.parametrize(
    "cell",
    [
        "#N/A", "#REF!", "#WERT!", "#¿NOMBRE?", "#DIV/0!", "########", "1.23457E+12", '"1,23457E+12"', "-4E+05",
        "'00123", '"=""00123"""', "=A2", "=Sheet1!$B$7", '"=VLOOKUP(A2,Names,2)"', "\\N", "{{first_name}}", "${NAME}",
        " #N/A ",
    ],
)  # fmt: skip
def test_what_spreadsheets_databases_and_templates_leave_in_a_cell_is_sent_to_nobody(cell: str) -> None:
    [line] = read(f"to,context.orderId\nada@example.com,{cell}\n")
    assert [problem.split()[0] for problem in line.problems] == ["context.orderId"]


@pytest.mark.parametrize(
    "cell",
    [
        "#A-1",
        "#sale",
        "#1",
        "12E5",
        "1E10",
        "A1E+05",
        "E+05",
        "'t Hooft",
        "O'Neil",
        "= 5",
        "NULL",
        "$5",
        "{a}",
        "-",
        "+1",
        "##",
    ],
)
def test_whatever_may_be_somebodys_text_is_sent(cell: str) -> None:
    assert short(read(f"to,context.orderId\nada@example.com,{cell}\n")) == [(2, "ada@example.com", cell)]


def test_a_quotation_mark_that_is_never_closed_is_told_with_all_that_it_takes() -> None:
    rows = "".join(f"ada@example.com,{number}\n" for number in range(40))
    [line] = read(f'to,context.orderId\nada@example.com,"A-1\n{rows}')
    assert line.problems == ["it is no CSV: a quotation mark is never closed; it takes all lines up to 42 with it"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "array"])
def test_encodings_and_line_ends_of_other_systems_change_nothing(encoding: str, ending: str, form: str) -> None:
    objects = [{"to": to, "key": key, "context": {"orderId": order}} for to, key, order in
               (("ada@example.com", "A-1", "Ä-1"), ("bob@example.com", "A-2", "2"))]  # fmt: skip
    texts = {
        "csv": PLAIN,
        "jsonl": f"\n{json.dumps(objects[0])}\n\n{json.dumps(objects[1], ensure_ascii=False)}\n",
        "array": f"\n[{json.dumps(objects[0])},\n\n{json.dumps(objects[1], ensure_ascii=False)}]",
    }
    raw = texts[form].replace("\n", ending).encode(encoding)
    assert short(read(raw, form="csv" if form == "csv" else "jsonl")) == EXPECTED


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (PLAIN.replace(",", ";"), (2, 4)),
        (PLAIN.replace(",", "\t"), (2, 4)),
        (PLAIN.replace(",", "|"), (2, 4)),
        ("sep=;\n" + PLAIN.replace(",", ";"), (3, 5)),
        ('"sep=\t"\r\n' + PLAIN.replace(",", "\t"), (3, 5)),
        ("SEP=,\n" + PLAIN, (3, 5)),
        (PLAIN.replace("\n", ",,\n"), (2, 4)),
        (PLAIN.replace("orderId\n", "orderId,,\n"), None),
        (PLAIN.replace("\n\n", "\n,,,\n"), (2, 4)),
        (PLAIN + ",,\n\u00a0,,\n", (2, 4)),
        (PLAIN.replace(",", " , "), (2, 4)),
        (PLAIN.replace("to,key", "to\u00a0,\ufeffkey"), (2, 4)),
        ('"to","key","context.orderId"\n"ada@example.com","A-1","Ä-1"\n\nbob@example.com,A-2,"2"', (2, 4)),
    ],
)
def test_what_spreadsheets_write_is_read_right(text: str, numbers: tuple[int, int] | None) -> None:
    lines = read(text)
    if numbers is None:  # the header's two empty columns are missing in the rows
        numbers = (2, 4)
    found = [(number, to, str(order).strip()) for number, to, order in short(lines)]
    assert found == [(number, to, order) for number, (_, to, order) in zip(numbers, EXPECTED, strict=True)]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("ada@example.com,A-1,1,,x", "it has 5 cells, and the header 3 columns"),
        ("ada@example.com,A-1,1,x", "its cell 4 has a value, and the column no name"),
        ("ada@example.com,A-1", "it has 2 cells, and the header 3 columns"),
        ("x", "it has 1 cell, and the header 3 columns"),
        ('ada@example.com,"A-1"x,1', "it is no CSV: "),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_the_next_is_read(row: str, told: str) -> None:
    lines = read(f"to,key,context.orderId,\n{row}\nbob@example.com,A-2,2\n")
    assert [line.number for line in lines] == [2, 3]
    assert lines[0].problems[0].startswith(told)
    assert short(lines[1:]) == [(3, "bob@example.com", "2")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: the first line must name the columns"),
        ('"to,key\n', "1: the header is no CSV: a quotation mark is in the wrong place"),
        (",,\n", "1: the first line must name the columns"),
        ("to,context.orderid\n", "1: column context.orderid is unknown; did you mean context.orderId?"),
        ("to;context.orderid\n", "did you mean context.orderId? (semicolons separate the columns)"),
        ("ada@example.com:A-1\n", "commas, semicolons, tabs or bars separate columns"),
        ("sep=;\nto,key\n", "2: line 1 says sep=;, but commas separate the columns"),
        ("sep=:\nto,key\n", "2: line 1 says sep=:, but commas separate the columns"),
        ("sep=;\nto;kei\n", "2: column kei is unknown; did you mean key?"),
        ("to,to\n", "1: column to stands there twice"),
        (b"PK\x03\x04 workbook", "1: it is a workbook or an archive"),
        (b"\x1f\x8b\x08", "1: it is compressed: gunzip"),
        (b"to,key\n\0\0\0\0\0\0\0\0", "1: it holds bytes that no text has"),
    ],
)
def test_a_file_that_can_t_be_read_right_is_refused_whole_with_a_word_on_it(text: bytes | str, told: str) -> None:
    assert told in problem(text)


@pytest.mark.parametrize("cut", range(1, 60))
def test_never_half_an_array(cut: int) -> None:
    whole = '[{"to": "ada@example.com"},\n {"to": "bob@example.com"}]'
    if 0 < cut < len(whole):
        assert "it is a JSON array that can't be read to its end" in problem(whole[:cut], form="jsonl")
    assert [line.number for line in read(whole, form="jsonl")] == [1, 2]


def test_objects_over_several_lines_are_read_one_after_another() -> None:
    text = "\n" + "\n".join(
        json.dumps({"to": to, "context": {"orderId": "1"}}, indent=2) for to in ("a@b.co", "c@d.co")
    )
    assert short(read(text, form="jsonl")) == [(2, "a@b.co", "1"), (8, "c@d.co", "1")]
    assert "JSON over several lines that can't be read to its end" in problem(text[:-3], form="jsonl")


@pytest.mark.parametrize("item", ["1", "null", "[]", '"x"'])
def test_what_is_no_object_is_named_by_its_line(item: str) -> None:
    array = read(f'[{{"to": "ada@example.com"}},\n{item}]', form="jsonl")
    assert (array[1].number, array[1].problems) == (2, ["it is no JSON object"])


@pytest.mark.parametrize(("form", "begin"), [("{}\n{}\n", "{"), ("[{},\n{}]", "{"), ("\n{}\n\n{}", "{\n")])
def test_a_name_that_stands_twice_in_an_object_is_named_by_its_line_and_the_next_is_read(form: str, begin: str) -> None:
    """Most programs would take the last one: who gets the message must not depend on that."""
    good = json.dumps({"to": "bob@example.com", "context": {"orderId": "1"}})
    for twice in (
        '{"to": "ada@example.com", "to": "bob@example.com"}',
        '{"to": "a@b.co", "context": {"a": 1, "a": 1}}',
    ):
        bad, read_right = read(form.format(twice.replace("{", begin, 1), good), form="jsonl")
        assert (bad.given, len(bad.problems)) == (None, 1)
        assert "stands twice in one object" in bad.problems[0]
        assert short([read_right])[0][1:] == ("bob@example.com", "1")


def test_a_json_string_that_looks_like_a_spreadsheets_is_what_it_says() -> None:
    line = json.dumps({"to": "ada@example.com", "context": {"orderId": "#N/A"}})
    assert short(read(line, form="jsonl")) == [(1, "ada@example.com", "#N/A")]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_line_without_an_end_is_told_and_not_read_on(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigger_text, "MOST_WHOLE", 100)
    assert problem("x" * 101, form=form) == "1: the line has more than 100 characters: write a trigger a line"
    lines = lines_of(endless("to\nada@example.com\n"))
    assert [next(lines), next(lines)] == ["to\n", "ada@example.com\n"]
    with pytest.raises(BadFile) as caught:
        next(lines)
    assert caught.value.line == 3


def test_an_array_is_read_as_a_whole_up_to_a_size_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigger_jsonl, "MOST_WHOLE", 100)
    item = '{"to": "ada@example.com"}'
    assert len(read(f"[{item},\n{item}]", form="jsonl")) == 2
    told = "2: it is read as a whole, and has more than 100 characters: write a trigger a line"
    assert problem(f"\n[{item},\n{item},\n{item},\n{item}]", form="jsonl") == told
    assert len(read(f"{item}\n" * 10, form="jsonl")) == 10, "an object a line is read line by line"


def test_a_file_in_another_encoding_is_refused_with_its_line_before_anything_is_read() -> None:
    raw = "to,context.orderId\nada@example.com,1\nbob@example.com,Müller\n".encode("latin-1")
    with pytest.raises(BadFile, match="not UTF-8 text; if it is Windows-1252") as caught:
        look_through(io.BytesIO(raw), "key")
    assert caught.value.line == 3
    odd = "to\nada@example.com\n".encode("utf-16") + b"\x00"
    with pytest.raises(BadFile, match="not UTF-16 text"):
        look_through(io.BytesIO(odd), "key")
    assert read(raw)[1].problems == ["it is not UTF-8 text"]  # of a pipe, line by line


@pytest.mark.parametrize(("text", "has"), [("to,key\n", True), ("to,context.orderId\n", False), ("k\ney", False)])
def test_a_file_is_looked_through_for_a_word(text: str, has: bool) -> None:
    assert look_through(io.BytesIO(text.encode("utf-16")), "key") == has


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_a_bad_file(raw: bytes) -> None:
    for look in (encoding_of, lambda raw: look_through(io.BytesIO(raw), "key"), read, lambda raw: read(raw, form="j")):
        with suppress(BadFile):
            look(raw)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("context.total", "12.50", 12.5),
        ("context.total", " 1790000000 ", 1790000000),
        ("context.total", "-0.5", -0.5),
        ("context.total", ".5", 0.5),
        ("context.gift", "TRUE", True),
        ("context.gift", "false", False),
        ("context.lines", '[1, "two"]', [1, "two"]),
        ("context.requestPayload.aps", '{"timestamp": 1}', {"requestPayload": {"aps": {"timestamp": 1}}}),
        ("context.requestPayload.aps.timestamp", "1790000000", {"requestPayload": {"aps": {"timestamp": 1790000000}}}),
        ("context.requestPayload.aps.event", "update", {"requestPayload": {"aps": {"event": "update"}}}),
        ("context.orderId", "0012", "0012"),
    ],
)
def test_values_have_the_type_that_the_definition_says(column: str, text: str, value: Any) -> None:
    cell = text.replace('"', '""')
    [line] = read(f'to;{column}\nada@example.com;"{cell}"\n')
    assert line.problems == []
    assert line.given is not None
    context = line.given.context or {}
    found = context if isinstance(value, dict) else context[column.removeprefix("context.")]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("context.total", "12,50", "context.total must be a number such as 12.5, with a point and no comma"),
        ("context.total", "1.234,50", "context.total must be a number such as 12.5, with a point and no comma"),
        ("context.total", "007", "its type is string"),
        ("context.total", "1_000", "must be a number"),
        ("context.total", "nan", "must be a number"),
        ("context.total", "1e999", "must be a number"),
        ("context.gift", "1", "context.gift must be true or false"),
        ("context.gift", "WAHR", "context.gift must be true or false"),
        ("context.lines", "[1", "context.lines must be JSON: an array"),
        ("context.lines", "{}", "context.lines must be JSON: an array"),
        ("context.lines", '[{"a": 1, "a": 2}]', "context.lines is not clear: a stands twice in one object"),
    ],
)
def test_what_is_no_value_of_its_type_is_told(column: str, text: str, told: str) -> None:
    [line] = read(f"to;{column}\nada@example.com;{text}\n")
    assert told in line.problems[0]


KEYED = """to,key,context.orderId,occurred_at
ann@example.com,A,1,
bill@example.com,A,1,
ann@example.com,B,1,
ann@example.com,B,1,
ann@example.com,C,1,
ann@example.com,C,2,
ann@example.com,D,1,2026-11-01T08:00:00Z
bill@example.com,D,1,2026-11-02T08:00:00Z
ann@example.com,,1,
bill@example.com,,1,
ann@example.com,A,1,
"""


def test_one_key_for_two_messages_is_found_before_anything_is_published() -> None:
    lines = read(KEYED)
    clash = clashes(lines)
    assert {line.number: told.split("that of ")[1].split(",")[0] for line in lines if (told := clash(line))} == {
        2: "line 3",
        3: "line 2",
        6: "line 7",
        7: "line 6",
        12: "line 3",
    }
    clash = following()
    assert [line.number for line in lines if clash(line)] == [3, 7]


def test_the_word_is_looked_for_over_the_borders_of_what_is_read_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ajo_producers.cli.trigger_text.CHUNK", 5)
    assert look_through(io.BytesIO(b"to,ike,key,a"), "key")


def test_a_disk_at_fault_is_told_with_the_line_and_what_came_before_is_read() -> None:
    """By itself the error names no file, and nothing would be told of what went out."""
    for content, line in ((b"", 1), (PLAIN.encode(), PLAIN.count("\n") + 1)):
        file = io.BufferedReader(FailingFile(content))
        with pytest.raises(BadFile, match="it can't be read: Input/output error") as caught:
            look_through(file, "key")
        found = []
        with pytest.raises(BadFile, match="it can't be read: Input/output error") as read_again:
            found.extend(lines_of(io.BufferedReader(FailingFile(content))))
        assert "".join(found) == content.decode()
        assert caught.value.line <= read_again.value.line == line
