"""curl's options, as far as samples have them."""

import pytest
from ajo_producers.campaigns.curl.dialect import split
from ajo_producers.campaigns.curl.options import Command, read_command
from ajo_producers.campaigns.curl.problem import SampleError

URL = "https://platform.adobe.io/x"
SECRET = "hunter2-very-secret"


def command(arguments: str) -> Command:
    return read_command(split(f"curl {arguments}"))


@pytest.mark.parametrize(
    "arguments",
    [
        f"-X POST {URL} -H 'A: b' -d x",
        f"-XPOST {URL} -HA:b -dx",
        f"-sXPOST -SLHA:b --url {URL} --data-raw x",
        f"--request POST --location --compressed --url {URL} --header 'a:  b ' --data-binary x",
        f"{URL} -H 'A: b' --data x",
        f"{URL} -H 'A: b' --json x",
    ],
)
def test_spellings_of_one_call_are_equal(arguments: str) -> None:
    call = command(arguments)
    assert (call.method.text, call.url.text, call.body.text) == ("POST", URL, "x")
    assert [(header.name, header.value) for header in call.headers] == [("a", "b")]


def test_several_data_options_are_joined_as_curl_does() -> None:
    assert command(f"{URL} -d a -d b --data-raw @c").body.text == "a&b&@c"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (f"{URL} -d @body.json", "--data reads its data from a file"),
        (f"{URL} -k -d x", "--insecure turns off the verification"),
        (f"{URL} --insecure -d x", "--insecure turns off the verification"),
        (f"{URL} -G -d x", "--get makes the call a GET"),
        (f"{URL} --user me:{SECRET} -d x", "unknown option --user"),
        (f"{URL} -ume:{SECRET} -d x", "unknown option -u"),
        (f"{URL} --request=POST -d x", "write --request and its value as two words"),
        (f"{URL} --oauth2-bearer={SECRET} -d x", "unknown option --oauth2-bearer"),
        (f"{URL} -d x {SECRET}", "several URLs"),
        ("-d x", "no URL"),
        (f"{URL} -X POST", "no body"),
        (f"{URL} -d x -H", "--header has no value"),
        (f"{URL} -d x -H 'Authorization Bearer {SECRET}'", "a header without a name or colon"),
        (f"{URL} -d x -H @{SECRET}", "--header reads headers from a file"),
    ],
)
def test_what_can_t_be_imported_is_named_and_its_value_is_not(arguments: str, part: str) -> None:
    with pytest.raises(SampleError) as caught:
        command(arguments)
    assert part in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_faulty_options_are_told_together_with_their_lines() -> None:
    with pytest.raises(SampleError) as caught:
        command(f"{URL} \\\n -k \\\n --proxy x \\\n -d @f")
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]
