"""What README and docs show works as it is printed: each command is typed, and prints what is shown."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.docs.place import Place, letter
from tests.acceptance.docs.stages import set_stage
from tests.support import programs
from tests.support.documents import FILES, ROOT, Block, blocks
from tests.support.likeness import differences
from tests.support.terminal import Terminal

RUN = {"console", "sh"}
PROGRAMS = {"curl", "jq"}
"""What documents use beside our own programs; a local stack brings psql."""
ID = re.compile(r"01[0-9a-f]{6}-[0-9a-f…-]+")


def shown_by(file: Path) -> list[Block]:
    """What a document wants to be run; programs of the first page too."""
    languages = RUN | {"python"} if file == ROOT / "README.md" else RUN
    return [block for block in blocks(file) if block.language in languages and "not run" not in block.marks]


SHOWN = {file: found for file in FILES if (found := shown_by(file))}


@pytest.fixture
def place(
    tmp_path: Path,
    database_url: str,
    valkey_url: str,
    queue_prefix: str,
    worker: Callable[..., programs.Worker],
    simulator: Callable[..., programs.Simulator],
    request: pytest.FixtureRequest,
) -> Iterator[Place]:
    with programs.WarmProcesses() as processes, ExitStack() as closing:
        folder = tmp_path / "reader"
        folder.mkdir()
        (tmp_path / ".curlrc").write_text("silent\n")  # as at a terminal, where it shows no progress
        settings = {"AJO_BROKER_URL": valkey_url, "AJO_QUEUE_PREFIX": queue_prefix}
        terminal = Terminal(processes, folder, {"HOME": str(tmp_path)})
        made = Place(folder, terminal, worker, simulator, database_url, settings, closing)
        made.rabbitmq_url = lambda: str(request.getfixturevalue("rabbitmq_url"))
        terminal.answer = lambda words: [answer(made, words, word) for word in words]
        yield made
    for link in tmp_path.glob("*/data/postgres"):
        if link.is_symlink():  # root's server can't enter a test's folder
            shutil.rmtree(link.resolve())


def answer(place: Place, words: list[str], word: str) -> str:
    """An id that is there, in place of an example's."""
    if not ID.fullmatch(word) or word in place.terminal.instead.values():
        return word
    if word not in place.known:
        newest = "select request_id from ledger.triggers where state = 'accepted' order by enqueued_at limit 1"
        place.known[word] = str(letter(place) if words[0] == "dead" else place.rows(newest)[0]["request_id"])
    return place.known[word]


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_a_document_shows_works_and_prints_that(file: Path, place: Place) -> None:
    used = {command.split()[0] for block in SHOWN[file] for command, _ in block.steps() if command.strip()}
    for program in sorted(used & PROGRAMS):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing (apt-get install {program})")
    wrong: list[str] = []
    for block in SHOWN[file]:
        if stage := block.marks.get("stage"):
            set_stage(place, stage)
        wrong += list(faults(block, place)) if block.language in RUN else run_python(block, place)
    assert not wrong, "\n".join(wrong)


def run_python(block: Block, place: Place) -> list[str]:
    """What a program of a document ends with, if not well."""
    (place.terminal.cwd / "example.py").write_text(block.text, encoding="utf-8")
    done = place.terminal.type("python example.py")
    return [f"{block}: {done.err}"] if done.code else []


def faults(block: Block, place: Place) -> Iterator[str]:
    """What of a block is not as it is shown."""
    codes = [int(code) for code in block.marks.get("exit", "").split()]
    for number, (command, shown) in enumerate(block.steps()):
        failing = any(line.startswith("error:") for line in shown)
        done = place.terminal.type(command, fails=failing)
        printed = f"{done.out}{done.err}"
        for example, own in place.terminal.instead.items():
            printed = printed.replace(own, example)
        expected = codes[number] if codes else int(failing)
        if done.code != expected and not (failing and done.code == 2):
            yield f"{block}: {command!r} ended with {done.code} and not {expected}:\n{printed}"
        if shown and (unlike := differences(shown, printed, by_example="by example" in block.marks)):
            yield f"{block}: {command!r} prints something else:\n" + "\n".join(unlike)
