"""Settings: read as far as they can be, and what is said of them."""

import os
from pathlib import Path
from unittest.mock import patch

import pytest
from ajo_producers.campaigns.definition import OnAmbiguous
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.settings import (
    Readable,
    examine_settings,
    judge_credentials,
    judge_hash_key,
    judge_patience,
    judge_payload_keys,
    judge_settings,
    judge_unknown,
    readable_settings,
    trust,
)
from ajo_worker.settings import Settings, read_settings
from ajo_worker.settings.listing import Checked, Setting, Unknown, check_settings, known_variables
from ajo_worker.settings.rules import BETWEEN, Rule
from ajo_worker.settings.source import SettingsError, variable_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = "hunter2-very-secret"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


def test_a_wrong_setting_leaves_the_others_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJO_PREFETCH", "many")
    monkeypatch.setenv("AJO_CLIENT_SECRET_FILE", "/nowhere/secret")
    monkeypatch.setenv("AJO_CLIENT_ID", "shop")
    readable = readable_settings()
    assert readable.wrong == {"prefetch", "client_secret"}
    assert readable.settings.client_id == "shop"
    assert readable.wrong_of("client_id", "client_secret", "prefetch") == ["AJO_CLIENT_SECRET", "AJO_PREFETCH"]


def test_a_broken_rule_between_settings_makes_those_of_the_rule_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJO_OWNER_TIMEOUT", "3")
    monkeypatch.setenv("AJO_HEARTBEAT_SECONDS", "2")
    monkeypatch.setenv("AJO_QUEUE_PREFIX", "shop")
    readable = readable_settings()
    assert readable.wrong == {"owner_timeout", "heartbeat_seconds"}
    assert readable.settings.queue_prefix == "shop"


def test_each_fault_has_its_own_check_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJO_TOKEN_URL", f"https://ada:{SECRET}@login.example.com")
    monkeypatch.setenv("AJO_CLIENT_ID", "shop")
    monkeypatch.setenv("AJO_HASH_KEY", SECRET)
    monkeypatch.setenv("AJO_DATABSE_URL", SECRET)
    checks = examine_settings(readable_settings())
    assert {check.check: check.status for check in checks} == {
        "settings": "failed",
        "unknown variables": "warning",
        "hash key": "ok",
        "payload keys": "warning",
        "time for an answer": "ok",
        "client id and secret": "failed",
    }
    assert SECRET not in repr(checks)


def setting(variable: str, source: str) -> Setting:
    return Setting(variable, 1, source, secret=False, description="")


def test_all_faults_of_settings_are_told_at_once() -> None:
    found = judge_settings(Checked(ok=False, settings=[], faults=["AJO_A: no", "AJO_B: no"], unknown=[]))
    assert (found.status, found.found) == ("failed", "AJO_A: no; AJO_B: no")


def test_good_settings_are_counted() -> None:
    settings = [setting("AJO_A", "env"), setting("AJO_B", "default"), setting("AJO_C", "file")]
    found = judge_settings(Checked(ok=True, settings=settings, faults=[], unknown=[]))
    assert (found.status, found.found) == ("ok", "all 3 can be read; 2 set, the others have their defaults")


@pytest.mark.parametrize(
    ("unknown", "status", "text"),
    [
        ([], "ok", "none"),
        ([Unknown("AJO_XYZZY", None)], "warning", "AJO_XYZZY"),
        ([Unknown("AJO_LANE", "AJO_LANES")], "warning", "AJO_LANE (did you mean AJO_LANES?)"),
    ],
)
def test_a_name_that_is_no_settings_is_a_warning(unknown: list[Unknown], status: Status, text: str) -> None:
    found = judge_unknown(unknown)
    assert (found.status, found.found) == (status, text)


@pytest.mark.parametrize(
    ("is_set", "wrong", "status"), [(True, [], "ok"), (False, [], "warning"), (False, ["AJO_HASH_KEY"], "skipped")]
)
def test_a_missing_hash_key_is_a_warning(is_set: bool, wrong: list[str], status: Status) -> None:
    assert judge_hash_key(is_set=is_set, wrong=wrong).status == status
    keys = judge_payload_keys(is_set=is_set, wrong=wrong)
    assert keys.status == status
    assert keys.status != "warning" or "ajo-dispatch keys new" in str(keys.advice)


@pytest.mark.parametrize(
    ("timeout", "on_ambiguous", "wrong", "status", "told"),
    [
        (None, "retry", [], "ok", "what is left"),
        (60.0, "retry", [], "ok", "what is left"),
        (20.0, "retry", [], "warning", "sends again"),
        (20.0, "hold", [], "warning", "leaves unconfirmed"),
        (None, "retry", ["AJO_ATTEMPT_TIMEOUT"], "skipped", "can't be read"),
    ],
)
def test_less_patience_than_adobe_needs_is_a_warning_with_its_price(
    timeout: float | None, on_ambiguous: OnAmbiguous, wrong: list[str], status: Status, told: str
) -> None:
    found = judge_patience(timeout, 60.0, on_ambiguous, wrong=wrong)
    assert found.status == status
    assert told in found.found


@pytest.mark.parametrize(
    ("missing", "wrong", "status"),
    [
        ([], [], "ok"),
        (["AJO_CLIENT_ID"], [], "failed"),
        (["AJO_CLIENT_SECRET"], ["AJO_CLIENT_SECRET"], "skipped"),
    ],
)
def test_missing_credentials_are_a_failure(missing: list[str], wrong: list[str], status: Status) -> None:
    assert judge_credentials(missing=missing, wrong=wrong).status == status


@pytest.mark.parametrize(("content", "told"), [(None, "No such file"), ("no certificate\n", "no certificates")])
def test_a_file_of_authorities_that_is_none_fails(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    found, context = trust(Readable(Settings(ca_file=file), frozenset()))
    assert (found.status, context) == ("failed", None)
    assert told in found.found


def test_without_a_file_the_system_s_authorities_are_trusted() -> None:
    found, context = trust(Readable(Settings(), frozenset()))
    assert (found.status, found.found) == ("ok", "the system's")
    assert context is not None


@pytest.mark.parametrize("rule", BETWEEN, ids=lambda rule: rule.fields[0])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the environment is set for each example
@given(data=st.data())
def test_settings_model_and_doctor_have_one_verdict_over_any_values(rule: Rule, data: st.DataObject) -> None:
    values = {name: str(data.draw(st.integers(2, 60), label=name)) for name in rule.fields}
    with patch.dict(os.environ, {variable_of(name): value for name, value in values.items()}):
        checked = check_settings(os.environ)
        readable = readable_settings()
        told = ""
        try:
            read_settings()
        except SettingsError as error:
            told = str(error)
        assert (rule.text in told) == (not checked.ok) == bool(readable.wrong)
        assert readable.wrong in (frozenset(), frozenset(rule.fields))
