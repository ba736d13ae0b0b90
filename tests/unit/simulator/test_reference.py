"""The page on the simulator tells every kind, field and option that there is, and its scenarios are valid."""

import re
from pathlib import Path
from typing import get_args

import pytest
import typer
from ajo_simulator.cli import app
from ajo_simulator.faults import KINDS, Fault
from ajo_simulator.feedback.dataset import COLUMNS
from ajo_simulator.feedback.rules import CampaignCourse, Course, Failure, FeedbackRules, Standstill
from ajo_simulator.journal import Entry
from ajo_simulator.latency import Latency
from ajo_simulator.scenario import Campaign, Limits, Repeated, Scenario, TokenRules, parse_scenario

PAGE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")
FEEDBACK = [FeedbackRules, Course, CampaignCourse, Standstill, Failure]
STRUCTS = [Scenario, Latency, Limits, Repeated, TokenRules, Campaign, Entry, *FEEDBACK, *get_args(Fault)]
TABLES = {"latency", "token", "limits", "repeated", "campaign", "fault", "feedback", "outage"}
COMMON = {"campaign", "lane", "user_id", "share", "attempts", "from", "until", "every", "lasting"}
WORDS = set(re.findall(r"`([^`\n]+)`", PAGE))


def row(kind: str) -> str:
    """The line of the table of kinds."""
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` |"))


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_is_named(struct: type[Scenario]) -> None:
    assert set(struct.__struct_encode_fields__) - TABLES <= WORDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_row_with_the_fields_that_only_some_have(kind: str) -> None:
    struct = next(one for one in get_args(Fault) if one.__struct_config__.tag == kind)
    for name in set(struct.__struct_encode_fields__) - COMMON:
        assert f"`{name}`" in row(kind)


def test_every_option_is_named() -> None:
    command = typer.main.get_command(app)
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert len(options) > 5
    named = {word.partition(" ")[0] for word in WORDS}
    assert options - {"--help"} <= named


def test_its_scenarios_are_valid() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    for scenario in map(parse_scenario, blocks):
        assert scenario != parse_scenario("")


def test_every_column_of_an_export_is_named() -> None:
    assert {column.rpartition(".")[2] for column in COLUMNS} <= WORDS
