"""Finding what asks Adobe, and telling differences in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import typer
from ajo_producers.campaigns.live import Compared, Difference
from ajo_producers.cli import live_check
from ajo_producers.cli.live_check import NotInstalled, find_live_check, problems_of


@dataclass
class Entry:
    """Stands for an entry point."""

    load: Callable[[], Any]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def put(*entries: Callable[[], Any]) -> None:
        monkeypatch.setattr(live_check, "entry_points", lambda **_group: [Entry(load) for load in entries])

    return put


def missing(name: str) -> Callable[[], Any]:
    def load() -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return load


def test_the_first_that_is_installed_is_taken(install: Callable[..., None]) -> None:
    install(lambda: sorted)
    assert find_live_check() is sorted


@pytest.mark.parametrize("entries", [[], [missing("httpx2")], [missing("pydantic")]])
def test_without_the_workers_packages_it_is_told_how_to_get_them(
    install: Callable[..., None], entries: list[Callable[[], Any]]
) -> None:
    install(*entries)
    with pytest.raises(NotInstalled, match=r"install ajo-dispatch\[worker\]") as told:
        find_live_check()
    assert isinstance(told.value, typer.TyperException)
    assert told.value.exit_code == 2


def test_a_module_of_ours_that_is_missing_is_a_fault_of_ours(install: Callable[..., None]) -> None:
    install(missing("ajo_worker.nothing"))
    with pytest.raises(ModuleNotFoundError):
        find_live_check()


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        (Difference("status", None, "STOPPED", "look"), "a: status is STOPPED in Journey Optimizer: look"),
        (Difference("status", None, None, "look"), "a: status is not told by Journey Optimizer: look"),
        (
            Difference("lane", "standard", "high-throughput", "import"),
            "a: lane is standard in the definition and high-throughput in Journey Optimizer: import",
        ),
    ],
)
def test_a_difference_has_a_line_with_what_to_do(difference: Difference, told: str) -> None:
    assert list(problems_of(Compared(name="a", differences=(difference,)))) == [told]


def test_what_could_not_be_read_has_a_line_and_what_agrees_has_none() -> None:
    assert list(problems_of(Compared(name="a", problem="no answer (status 500)"))) == ["a: no answer (status 500)"]
    assert list(problems_of(Compared(name="a", live={"status": "live"}))) == []
