"""Campaigns: which definitions can be used, where they lead to, whether their time is over."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ajo_worker.api.request import Endpoint, ForeignHost
from ajo_worker.doctor.campaigns import Loaded, endpoints, judge_folder, judge_hosts, judge_windows, load
from ajo_worker.doctor.check import Status
from ajo_worker.settings import Settings

from tests.support.definitions import ORDER_SHIPPED, definition, write_definitions

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ONE = {"order-shipped": ORDER_SHIPPED}


def test_one_faulty_file_hides_no_other(tmp_path: Path) -> None:
    folder = write_definitions(tmp_path / "campaigns")
    (folder / "broken.toml").write_text("campaign_id = 7\n", encoding="utf-8")
    loaded = load(folder)
    assert sorted(loaded.definitions) == ["flash-sale", "order-shipped"]
    assert loaded.problems
    assert all("broken.toml" in problem for problem in loaded.problems)


def test_a_folder_that_is_not_there_is_a_problem_and_no_more(tmp_path: Path) -> None:
    loaded = load(tmp_path / "nowhere")
    assert not loaded.definitions
    assert "no such folder" in loaded.problems[0]


@pytest.mark.parametrize(
    ("loaded", "status", "text"),
    [
        (Loaded(ONE), "ok", "1 definition: order-shipped"),
        (Loaded(ONE, ("a.toml: bad", "b.toml: bad")), "failed", "a.toml: bad; b.toml: bad"),
        (Loaded({}), "failed", "the folder of AJO_CAMPAIGNS holds no definition, so every trigger would be refused"),
    ],
)
def test_a_folder_must_load_and_hold_something(loaded: Loaded, status: Status, text: str) -> None:
    found = judge_folder(loaded)
    assert (found.status, found.found) == (status, text)


@pytest.mark.parametrize(
    ("settings", "status", "text"),
    [
        (Settings(), "ok", "1 definition to platform.adobe.io"),
        (Settings(base_url="http://127.0.0.1:8080"), "ok", "1 definition to 127.0.0.1:8080"),
        (Settings(allowed_hosts=("api.example.com",)), "failed", "'platform.adobe.io' is not allowed"),
    ],
)
def test_a_definition_must_lead_to_a_host_that_may_get_credentials(
    settings: Settings, status: Status, text: str
) -> None:
    found = judge_hosts(endpoints(ONE, settings))
    assert found.status == status
    assert text in found.found


def test_a_foreign_host_is_known_as_such_and_has_no_endpoint() -> None:
    found = endpoints({"a": ORDER_SHIPPED, "b": definition(endpoint="https://evil.example.com/x")}, Settings())
    assert isinstance(found["a"], Endpoint)
    assert isinstance(found["b"], ForeignHost)


@pytest.mark.parametrize(
    ("window", "status", "text"),
    [
        ({}, "ok", "none is over"),
        ({"end": datetime(2026, 11, 26, tzinfo=UTC)}, "ok", "none is over"),
        ({"end": NOW}, "warning", "order-shipped ended at 2026-11-25T12:00:00+00:00"),
        (
            {"start": datetime(2026, 12, 1, tzinfo=UTC)},
            "ok",
            "none is over; order-shipped starts at 2026-12-01T00:00:00+00:00",
        ),
    ],
)
def test_a_campaign_whose_time_is_over_is_a_warning(window: dict[str, datetime], status: Status, text: str) -> None:
    found = judge_windows({"order-shipped": definition(**window)}, NOW)
    assert (found.status, found.found) == (status, text)


def test_without_definitions_there_is_nothing_to_judge() -> None:
    assert judge_hosts({}).status == "skipped"
    assert judge_windows({}, NOW).status == "skipped"
