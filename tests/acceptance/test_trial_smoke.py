"""A short form of the blind trial: what is late is named from the audit views alone. ``make trial`` has all of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ajo_local.processes import Processes

from tests.chaos.servers import Servers, serve
from tests.trial.judgement import mistakes
from tests.trial.play import play
from tests.trial.scenarios import scenarios


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Processes() as processes:
        yield serve(processes, ())


@pytest.mark.xdist_group("trial")
@pytest.mark.parametrize("late", ["producer-late", "mailbox-late", "departure-late"])
def test_the_late_system_is_named_and_no_other_with_its_delay(late: str, servers: Servers, tmp_path: Path) -> None:
    scenario = next(each for each in scenarios(7) if late in each.amounts)
    judgement, truth = play(servers, tmp_path, scenario)
    assert mistakes(judgement, truth) == []
