"""The same call, written for each shell, gives the same words."""

import shlex
from contextlib import suppress

import pytest
from ajo_producers.campaigns.curl import cmd, posix, powershell
from ajo_producers.campaigns.curl.dialect import split
from ajo_producers.campaigns.curl.problem import SampleError, Word
from hypothesis import example, given
from hypothesis import strategies as st


def texts(words: list[Word]) -> list[str]:
    return [word.text for word in words]


CALL = ["-X", "POST", "https://platform.adobe.io/a", "-H", "k: it's", "-d", '{\n "a": "x \\" & y"\n}']

SPELLINGS = {
    "posix": (
        "curl -X POST \\\n 'https://platform.adobe.io/a' -H 'k: it'\\''s' \\\n -d '{\n \"a\": \"x \\\" & y\"\n}'\n",
        [1, 1, 2, 2, 2, 3, 3],
    ),
    "posix, double quotes": (
        'curl -X POST "https://platform.adobe.io/a" \\\n-H "k: it\'s" -d "{\n \\"a\\": \\"x \\\\\\" & y\\"\n}"',
        [1, 1, 1, 2, 2, 2, 2],
    ),
    "posix, ANSI": (
        "curl -X POST https://platform.adobe.io/a -H $'k: it\\'s' \\\n -d $'{\\n \"a\": \"x \\\\\" \\u0026 y\"\\x0a}'",
        [1, 1, 1, 1, 1, 2, 2],
    ),
    "cmd": (
        'curl -X POST "https://platform.adobe.io/a" ^\n -H "k: it\'s" ^\n -d "{^\n \\"a\\": \\"x \\\\\\" & y\\"\n}"',
        [1, 1, 1, 2, 2, 3, 3],
    ),
    "cmd, carets": (
        'curl -X POST ^"https://platform.adobe.io/a^" ^\n -H ^"k: it\'s^" ^\n'
        ' -d ^"{^\n\n ^\\^"a^\\^": ^\\^"x ^\\^\\^\\^" ^& y^\\^"^\n\n}^"',
        [1, 1, 1, 2, 2, 3, 3],
    ),
    "powershell": (
        "curl.exe -X POST 'https://platform.adobe.io/a' `\n -H 'k: it''s' `\n -d '{\n \"a\": \"x \\\" & y\"\n}'",
        [1, 1, 1, 2, 2, 3, 3],
    ),
    "powershell, double quotes": (
        'curl.exe -X POST "https://platform.adobe.io/a" `\n-H "k: it\'s" -d "{`n `"a`": ""x \\`" & y`"\n}"',
        [1, 1, 1, 2, 2, 2, 2],
    ),
    "powershell, here-string": (
        'curl.exe -X POST \'https://platform.adobe.io/a\' -H "k: it\'s" -d @\'\n{\n "a": "x \\" & y"\n}\n\'@',
        [1, 1, 1, 1, 1, 1, 1],
    ),
}


@pytest.mark.parametrize(("sample", "lines"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_every_shell_s_spelling_of_a_call_gives_the_same_words_with_their_lines(sample: str, lines: list[int]) -> None:
    words = split(sample)
    assert texts(words) == CALL
    assert [word.line for word in words] == lines


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
@pytest.mark.parametrize("sample", [sample for sample, _ in SPELLINGS.values()], ids=SPELLINGS.keys())
def test_line_ends_of_other_systems_and_a_byte_order_mark_change_nothing(sample: str, ending: str) -> None:
    assert split("\ufeff" + sample.replace("\n", ending)) == split(sample)


def test_windows_powershell_s_escaped_quotes_are_plain_ones() -> None:
    assert texts(powershell.split("""curl.exe -d '{\\"a\\": 1}'""")) == ["curl.exe", "-d", '{"a": 1}']


def test_doubled_quotes_of_cmd_are_one() -> None:
    assert texts(split('curl -d "{""a"": 1}"')) == ["-d", '{"a": 1}']


def test_backslashes_of_cmd_escape_only_before_a_quote() -> None:
    assert texts(cmd.split(r'a\b \\c "d\\" "e\"f"')) == [r"a\b", r"\\c", "d\\", 'e"f']


def test_a_caret_makes_cmd_s_operators_plain() -> None:
    assert texts(cmd.split("a^&b ^^ c^>")) == ["a&b", "^", "c>"]


@pytest.mark.parametrize("placeholder", ["<orderId>", "a > b", "x | y"])
def test_placeholders_inside_cmd_s_escaped_quotes_are_no_operators(placeholder: str) -> None:
    assert texts(cmd.split(f'curl -d "{{\\"a\\": \\"{placeholder}\\"}}"'))[-1] == f'{{"a": "{placeholder}"}}'


def test_a_line_end_that_lacks_its_backslash_is_forgiven() -> None:
    assert texts(split("curl -X POST\n  -d x \\ \n  -s")) == ["-X", "POST", "-d", "x", "-s"]


def test_comments_of_the_shell_are_skipped() -> None:
    assert texts(split("# the order's campaign\ncurl -d a#b # it's all\n")) == ["-d", "a#b"]


@pytest.mark.parametrize(
    ("sample", "line", "part"),
    [
        ("", None, "beginning with curl"),
        ("\n\nwget x", 3, "beginning with curl"),
        ("curl \\\n -d 'x", 2, "the quote ' that opens here is never closed"),
        ('curl ^\n -d "x', 2, 'the quote " that opens here is never closed'),
        ("curl.exe `\n -d 'x", 2, "the quote ' that opens here is never closed"),
        ("curl x \\\n | jq .", 2, "operator |"),
        ("curl x ^\n > out", 2, "operator >"),
        ("curl.exe 'x' `\n | out", 2, "operator |"),
        ("curl -d a\n\ncurl -d b", 3, "a second curl command"),
        ("curl -d $'\\xff'", 1, "an escape in $'…' is no character"),
        ("curl -d $'\\U00110000'", 1, "an escape in $'…' is no character"),
        ("curl " + "x" * 1_000_000, None, "longer than 1,000,000 characters"),
    ],
)
def test_what_is_no_single_command_is_named_with_its_line(sample: str, line: int | None, part: str) -> None:
    with pytest.raises(SampleError) as caught:
        split(sample)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert part in problem.text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1))
def test_posix_words_are_those_of_the_standard_library(arguments: list[str]) -> None:
    assert texts(posix.split(shlex.join(arguments))) == arguments


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')), min_size=1))
def test_cmd_words_are_what_was_quoted(arguments: list[str]) -> None:
    assert texts(cmd.split(" ".join(f'"{argument}"' for argument in arguments))) == arguments


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')), min_size=1))
def test_powershell_words_are_what_was_quoted(arguments: list[str]) -> None:
    quoted = " ".join("'" + argument.replace("'", "''") + "'" for argument in arguments)
    assert texts(powershell.split(quoted)) == arguments


@given(st.text("curl.exe ^`\\'\"$@#\n\r|&x{}:/-", max_size=60))
@example("curl $'\\c")
@example("curl \\")
@example("curl ^")
@example("curl `")
def test_no_text_raises_anything_but_a_sample_error(text: str) -> None:
    for read in (split, posix.split, cmd.split, powershell.split):
        with suppress(SampleError):
            read(text)
