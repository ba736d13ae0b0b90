"""docs/architecture.md names the files that one accepted attempt crosses: a traced worker crosses them."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from ajo_local.processes import Processes

from tests.support.delivery import Delivery
from tests.support.programs import start_worker
from tests.support.waiting import wait_until

PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"
ROOM = PAGE.parents[1] / "worker" / "ajo_worker"
PROGRAM = (sys.executable, "-m", "tests.support.crossed")
NOW_AND_THEN = ("api/adapters/", "ledger/rate_limits.py", "ledger/shared_connection.py")
"""What a trigger crosses besides, if its connection was closed meanwhile, or the block of permits is used up."""


def section() -> str:
    """That on one attempt."""
    return PAGE.read_text(encoding="utf-8").partition("## One attempt, file by file")[2]


def named(columns: slice = slice(None)) -> set[str]:
    """The files of these columns of the section's first table."""
    table = section().partition("\n|")[2].partition("\n\n")[0]
    cells = [cell for row in table.splitlines() for cell in row.strip("|").split("|")[columns]]
    return set(re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)*\.py)`", "\n".join(cells)))


def test_its_way_is_as_many_files_as_the_page_says_and_under_20() -> None:
    told = re.search(r"Its way is (\d+) files", section())
    assert told is not None
    assert len(named(slice(1))) == int(told[1]) < 20


def test_what_the_page_names_of_a_file_is_in_it() -> None:
    named = re.findall(r"`([a-z_/0-9]+\.py)` \(((?:`\w+`(?:, )?)+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 10
    for file, names in named:
        source = (ROOM / file).read_text(encoding="utf-8")
        missing = [name for name in re.findall(r"\w+", names) if not re.search(rf"(def|class) {name}\b", source)]
        assert not missing, (file, missing)


def test_an_accepted_trigger_crosses_the_files_that_the_page_names_on_its_way_and_no_others(
    rabbitmq_url: str, processes: Processes, prepare_delivery: Callable[..., Delivery], tmp_path: Path
) -> None:
    delivery = prepare_delivery(rabbitmq_url, "", CROSSED=str(tmp_path))
    start_worker(processes, delivery.env, program=PROGRAM)
    for number in "12":
        delivery.publish(1)
        wait_until((tmp_path / number).exists, what="the message is acknowledged")
    crossed = set((tmp_path / "2").read_text(encoding="utf-8").split())
    assert not named() - crossed
    assert not {file for file in crossed - named() if not file.startswith(NOW_AND_THEN)}
