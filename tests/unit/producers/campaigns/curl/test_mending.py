"""Samples as people have them: out of terminals, chats and word processors."""

from pathlib import Path
from typing import Any

import pytest
from ajo_producers.campaigns.curl.problem import SampleError
from ajo_producers.campaigns.curl.sample import read_sample

PLAIN = (Path(__file__).parents[5] / "campaigns" / "samples" / "order-shipped.curl").read_text(encoding="utf-8")
NUMBERED = PLAIN.replace('"<eta>"', "17")
EXPECTED = read_sample(PLAIN, "x").definition

COPIED = {
    "a prompt": f"$ {PLAIN}",
    "a root's prompt": f"root@host:/srv# {PLAIN}",
    "prompts of continued lines": "ada@host:~$ " + PLAIN.replace("\n", "\n> "),
    "zsh's": "host% " + PLAIN.replace("\n", "\nquote> "),
    "PowerShell's": r"PS C:\Users\ada> " + PLAIN.replace("curl", "curl.exe").replace("\\\n", "`\n"),
    "a code fence": f"```bash\n{PLAIN}```\n",
    "a code fence and a prompt": f"~~~\n$ {PLAIN}~~~",
    "cookies": PLAIN.replace("--data-raw", "-b 'session=1' --data-raw"),
    "long cookies": PLAIN.replace("--data-raw", "--cookie session=1 \\\n--data-raw"),
    "joined cookies": PLAIN.replace("--data-raw", "-bsession=1 --user-agent x --max-time 5 --http1.1 --data-raw"),
}
MENDED = {
    "an apostrophe inside quotes": [
        PLAIN.replace("<eta>", "It's tomorrow"),
        PLAIN.replace("<eta>", "It's the customers' day, isn't it").replace("<carrier>", "l'Express"),
    ],
    "smart quotes": [
        PLAIN.replace('"', "”").replace("'", "’"),
        PLAIN.replace("'https", "‘https").replace('"orderId"', "“orderId”"),
        PLAIN.replace("<eta>", "It’s").replace("'", "’").replace('"', "„"),
    ],
    "no-break spaces": [
        PLAIN.replace("--header ", "--header\u00a0"),
        PLAIN.replace('    "', '\u00a0\u202f"'),
        PLAIN.replace("curl ", "curl\u200b "),
    ],
    "dashes in place of --": [PLAIN.replace("--", "—"), PLAIN.replace("--", "–")],
}
MADE = [
    "$(date +%s)",
    "'$(date +%s)'",
    "'\"$(date +%s)\"'",
    "'`date +%s`'",
    "'\"$NOW\"'",
    "${NOW}",
    "$(expr $(date +%s) + 1)",
]


@pytest.mark.parametrize("sample", COPIED.values(), ids=COPIED.keys())
def test_what_a_terminal_adds_changes_nothing(sample: str) -> None:
    imported = read_sample(sample, "x")
    assert (imported.definition, imported.mended) == (EXPECTED, [])


@pytest.mark.parametrize(("what", "sample"), [(what, sample) for what, samples in MENDED.items() for sample in samples])
def test_what_word_processors_and_people_write_is_mended_and_told(what: str, sample: str) -> None:
    imported = read_sample(sample, "x")
    assert imported.definition == EXPECTED
    assert what in imported.mended


@pytest.mark.parametrize("made", MADE)
def test_what_a_shell_would_put_in_counts_as_a_number(made: str) -> None:
    imported = read_sample(NUMBERED.replace("17", made), "x")
    assert imported.definition == read_sample(NUMBERED, "x").definition
    assert imported.definition.context["eta"].type == "number"
    assert imported.mended == ["values that the shell puts in, such as $(…)"]


def test_a_good_sample_is_taken_as_it_is() -> None:
    imported = read_sample(PLAIN.replace("<eta>", "“soon” — it’s $(so)"), "x")
    assert (imported.definition, imported.mended) == (EXPECTED, [])


@pytest.mark.parametrize("header", ["x-sandbox-name: ", "x-gw-ims-org-id: "])
def test_an_id_that_a_shell_would_put_in_is_none(header: str) -> None:
    line = next(line for line in PLAIN.splitlines() if header in line)
    for value in ('"$(cat secret)"', '"$SANDBOX"', "`cat`", "${SANDBOX}", "$(cat secret)"):
        with pytest.raises(SampleError, match="holds a placeholder"):
            read_sample(PLAIN.replace(line, f"--header '{header}'{value} \\"), "x")


def test_what_can_t_be_mended_is_told_by_its_word_beside_the_first_fault() -> None:
    broken = PLAIN.replace('"', "”").replace("unitary", "nothing")
    with pytest.raises(SampleError) as caught:
        read_sample(broken, "x")
    assert "line 1: the URL's path executes no campaign" in str(caught.value)
    assert "it also has smart quotes" in str(caught.value)


LIVE: dict[str, Any] = {"content-available": "number", "timestamp": "number", "event": "string"}


def test_a_live_activity_is_imported_but_for_what_is_not_sent_yet() -> None:
    payload = '{"aps": {"content-available": 1, "timestamp": 1790000000, "event": "update"}}'
    sample = PLAIN.replace('"orderId": "<orderId>",', f'"requestPayload": {payload},')
    sample = sample.replace('"namespace"', '"executionMetadata": {"parcel": "P-1"}, "namespace"')
    imported = read_sample(sample, "x")
    found = {path: variable.type for path, variable in imported.definition.context.items() if "aps" in path}
    assert found == {f"requestPayload.aps.{name}": kind for name, kind in LIVE.items()}
    assert "executionMetadata, which ajo-dispatch doesn't send yet" in imported.dropped
