"""From the words of a sample to the call that curl would make."""

from collections.abc import Iterator
from typing import NamedTuple

from ajo_producers.campaigns.curl.problem import Problem, SampleError, Word, shown

SHORT = {
    "X": "--request",
    "H": "--header",
    "d": "--data",
    "L": "--location",
    "k": "--insecure",
    "G": "--get",
    "I": "--head",
    "s": "--silent",
    "S": "--show-error",
    "v": "--verbose",
    "i": "--include",
    "f": "--fail",
    "g": "--globoff",
    "b": "--cookie",
    "c": "--cookie-jar",
    "A": "--user-agent",
    "e": "--referer",
    "o": "--output",
    "m": "--max-time",
    "w": "--write-out",
    "N": "--no-buffer",
    "#": "--progress-bar",
}
FILE_DATA = {"--data", "--data-ascii", "--data-binary", "--json"}
DATA = {*FILE_DATA, "--data-raw"}
DROPPED = {
    "--cookie": "the cookies (option --cookie)",
    **{
        name: f"the option {name}"
        for name in (
            *("--cookie-jar", "--user-agent", "--referer", "--output", "--write-out"),
            *("--max-time", "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time"),
        )
    },
}
"""Options with a value that don't belong to a campaign, and in what words an import says so."""
VALUED = {"--request", "--header", "--url", *DATA, *DROPPED}
HARMLESS = {
    *("--location", "--compressed", "--silent", "--show-error", "--verbose", "--include", "--fail", "--globoff"),
    *("--fail-with-body", "--no-buffer", "--progress-bar", "--no-progress-meter", "--http1.1", "--http2", "--tlsv1.2"),
    *("--ipv4", "--ipv6", "--retry-connrefused", "--path-as-is"),
}
REFUSED = {
    "--insecure": "turns off the verification of certificates, which ajo-dispatch never does; remove it",
    "--get": "makes the call a GET; a campaign is executed with POST",
    "--head": "makes the call a HEAD; a campaign is executed with POST",
}


class Header(NamedTuple):
    """One header, its name in lower case."""

    name: str
    value: str
    line: int


class Command(NamedTuple):
    """The call of a sample: ``method`` as given, or as curl chooses it; ``dropped`` says in words what is left out."""

    method: Word
    url: Word
    headers: list[Header]
    body: Word
    dropped: list[str]


def read_command(words: list[Word]) -> Command:
    """Read curl's arguments.

    Raises:
        SampleError: an unknown or refused option, data from a file, no URL or several, no body; all faults together.
    """
    problems: list[Problem] = []
    methods: list[Word] = []
    urls: list[Word] = []
    data: list[Word] = []
    headers: list[Header] = []
    dropped: dict[str, None] = {}
    for option, value in _options(words, problems):
        if option == "--request":
            methods.append(value)
        elif option == "--url":
            urls.append(value)
        elif option == "--header":
            name, colon, content = value.text.partition(":")
            if colon and name.strip():
                headers.append(Header(name.strip().lower(), content.strip(), value.line))
            else:
                problems.append(Problem(_no_header(value.text), value.line))
        elif option in DROPPED:
            dropped[DROPPED[option]] = None
        elif option in FILE_DATA and value.text.startswith("@"):
            problems.append(Problem(f"{option} reads its data from a file; paste the data itself", value.line))
        else:
            data.append(value)
    if len(urls) != 1 and not problems:
        line = urls[1].line if urls else None
        problems.append(Problem("several URLs, or an argument outside its quotes" if urls else "no URL", line))
    if not data and not problems:
        problems.append(Problem("no body: the sample has no --data", urls[0].line))
    if problems:
        raise SampleError(*problems)
    body = Word("&".join(word.text for word in data), data[0].line)
    method = methods[-1] if methods else Word("POST", urls[0].line)
    return Command(method, urls[0], headers, body, list(dropped))


def _no_header(text: str) -> str:
    if text.startswith("@"):
        return "--header reads headers from a file; paste the headers themselves"
    return "a header without a name or colon"


def _options(words: list[Word], problems: list[Problem]) -> Iterator[tuple[str, Word]]:
    """The options with values, by long name; a URL counts as ``--url``."""
    waiting: str | None = None  # an option whose value is the next word
    for word in words:
        text, line = word
        if waiting:
            yield waiting, word
            waiting = None
        elif text.startswith("--"):
            waiting = text if text in VALUED else None
            if waiting is None:
                _flag(text, line, problems)
        elif text.startswith("-") and len(text) > 1:
            for index, letter in enumerate(text[1:], 2):
                name = SHORT.get(letter, f"-{letter}")
                if name not in VALUED:
                    _flag(name, line, problems)
                    if name not in HARMLESS:
                        break
                elif text[index:]:
                    yield name, Word(text[index:], line)
                    break
                else:
                    waiting = name
        else:
            yield "--url", word
    if waiting:
        problems.append(Problem(f"{waiting} has no value", words[-1].line))


def _flag(option: str, line: int, problems: list[Problem]) -> None:
    if option in HARMLESS:
        return
    name = option.partition("=")[0]
    if name in VALUED and name != option:
        problems.append(Problem(f"write {name} and its value as two words, as curl wants it", line))
    elif reason := REFUSED.get(option):
        problems.append(Problem(f"{option} {reason}", line))
    else:
        problems.append(Problem(f"unknown option {shown(name)}; remove it if the call doesn't need it", line))
