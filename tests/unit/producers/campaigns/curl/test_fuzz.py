"""Whatever is pasted as a sample, the import raises its own exception alone, and shows neither token nor address.

``AJO_FUZZ_EXAMPLES=100000`` tries longer.
"""

import json
from copy import deepcopy
from typing import Any

import pytest
from ajo_producers.campaigns.curl.problem import SampleError
from ajo_producers.campaigns.curl.sample import Imported, read_sample
from ajo_producers.campaigns.file import render
from ajo_producers.campaigns.rules import is_name
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.mutations import mutated, paths

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpbnZlbnRlZCI6InRva2VuIn0.c2lnbmF0dXJlLW9mLW5vYm9keQ"
ADDRESS = "grace.hopper@mail.example.com"
PERSON = "Grace Brewster"
SECRETS = (TOKEN, ADDRESS, PERSON, *(TOKEN[at : at + 16] for at in range(0, len(TOKEN) - 16, 8)))

# What is secret stands before what is kept, and far from it: no fault of a few characters makes one of the other.
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Content-Type": "application/json",
    "x-gw-ims-org-id": "ABC123@AdobeOrg",
    "x-sandbox-name": "prod",
}
BODY: dict[str, Any] = {
    "requestId": "r-1",
    "campaignId": "c-1",
    "recipients": [
        {
            "type": "aep",
            "userId": ADDRESS,
            "namespace": "email",
            "channelData": {"emailAddress": ADDRESS},
            "profile": {"person": {"name": {"firstName": PERSON}}},
            "context": {"orderId": "<orderId>", "lines": [{"sku": 1}], "total": 12.5, "gift": False, "note": None},
        }
    ],
}
URL = "https://platform.adobe.io/ajo/im/executions/unitary"


def posix(body: Any = BODY, *more: str) -> str:
    """The sample as a POSIX shell has it; ``more`` are other options."""
    headers = [f"-H '{name}: {value}'" for name, value in HEADERS.items()]
    return " \\\n".join([f"curl -X POST '{URL}'", *headers, *more, f"-d '{json.dumps(body, indent=1)}'"])


def cmd() -> str:
    """The sample as a Windows command prompt has it."""
    headers = [f'-H "{name}: {value}"' for name, value in HEADERS.items()]
    body = json.dumps(BODY).replace('"', '\\"')
    return " ^\n".join([f'curl -X POST "{URL}"', *headers, f'-d "{body}"'])


def powershell() -> str:
    """The sample as PowerShell has it."""
    headers = [f"-H '{name}: {value}'" for name, value in HEADERS.items()]
    return " `\n".join([f"curl.exe -X POST '{URL}'", *headers, f"-d '{json.dumps(BODY, indent=1)}'"])


SAMPLES = {"posix": posix(), "cmd": cmd(), "powershell": powershell()}
SIGNS = [*"'\"\\^`$@#&|<>;:,{}[]()-= \n\r\t\0/*", "\\\n", "^\n", "`\n", "$'", "\\u", "--", "@'", '""', "//", "/*"]
OBJECTS = [(), ("recipients", 0), *(path for path in paths(BODY) if path[-1] in ("context", "profile", "person"))]
"""Where an object of the body is, by the steps to it."""
pieces = st.sampled_from(SIGNS) | st.text(max_size=4)
fuzz = settings(max_examples=examples(300))


def imported(text: str) -> Imported | None:
    """What is imported, or None; in either case without a secret, and fit to be written as a file."""
    try:
        found = read_sample(text)
    except SampleError as error:
        found, told = None, f"{error}{error.problems!r}"
    else:
        told = f"{found!r}{render(found.definition)}"
        assert is_name(found.definition.name)
    assert not [secret for secret in SECRETS if secret in told]
    return found


@pytest.mark.parametrize("shell", SAMPLES)
def test_the_whole_sample_is_imported_from_every_shell(shell: str) -> None:
    assert imported(SAMPLES[shell]) == imported(SAMPLES["posix"]) is not None


@fuzz
@given(st.sampled_from([*SAMPLES]).flatmap(lambda shell: mutated(SAMPLES[shell], pieces)))
def test_a_sample_with_faults_in_it_is_imported_or_refused_without_a_secret(text: str) -> None:
    imported(text)


@fuzz
@given(st.text(max_size=200) | st.text("".join(SIGNS) + "curl.exeHdX0f", max_size=60))
@example("\ud800")
@example("curl -d " + "[" * 100_000)
@example("curl " + URL + " -d '" + '{"a":' * 100_000 + "'")
def test_text_of_any_kind_is_imported_or_refused(text: str) -> None:
    token = f"-H 'Authorization: {TOKEN}'"
    imported(text)
    imported(f"curl {text}")
    imported(f"curl {token} {URL} -d {text}")
    imported(f"curl {token} {URL} -d '{ADDRESS}{text}'")
    imported(f"curl {token} {URL} -d $'{text}'")
    imported(f"curl {token} -d '{ADDRESS}' https://{text}")


@fuzz
@given(st.permutations(range(5)), st.sets(st.integers(0, 20), max_size=3), st.sampled_from([*SAMPLES]))
def test_lines_in_any_order_or_missing_are_imported_or_refused_without_a_secret(
    order: list[int], missing: set[int], shell: str
) -> None:
    lines = SAMPLES[shell].split("\n")
    head = [lines[place] for place in order]
    imported("\n".join(line for number, line in enumerate([*head, *lines[5:]]) if number not in missing))


@fuzz
@given(st.sampled_from(OBJECTS), st.sampled_from([TOKEN, ADDRESS]), st.sampled_from([1, None, "x", {}, {"a": 1}]))
def test_a_secret_in_the_place_of_a_name_is_not_shown(place: tuple[Any, ...], secret: str, value: Any) -> None:
    body = deepcopy(BODY)
    holder = body
    for step in place:
        holder = holder[step]
    holder[secret] = value
    imported(posix(body))
    imported(posix(BODY, f"-H '{secret}: x'"))
    imported(posix(BODY, f"--{secret}"))
    imported(posix(BODY, f"--{secret}=x"))
    imported(posix(BODY, f"-{secret}"))
