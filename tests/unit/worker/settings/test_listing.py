"""All settings at once: values, sources, faults, and names that are none."""

import contextlib
import os
from pathlib import Path
from unittest.mock import patch

import pytest
from ajo_producers.contract.setting_rules import OUTBOX, RULES
from ajo_producers.outbox.settings import read_relay
from ajo_producers.publishing import environment
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.publisher import Publisher
from ajo_worker.settings import read_settings
from ajo_worker.settings.listing import check_settings, known_variables, unknown_variables
from ajo_worker.settings.source import variable_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = "hunter2-very-secret"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)


def values() -> dict[str, object]:
    checked = check_settings([])
    assert (checked.ok, checked.faults) == (True, [])
    return {setting.variable: setting.value for setting in checked.settings}


def faults() -> list[str]:
    checked = check_settings([])
    assert (checked.ok, checked.settings) == (False, [])
    return checked.faults


def test_each_setting_says_where_its_value_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("AJO_CLIENT_SECRET_FILE", str(file))
    monkeypatch.setenv("AJO_PREFETCH", "7")
    monkeypatch.setenv("AJO_PRODUCER", "")
    found = {setting.variable: (setting.value, setting.source) for setting in check_settings([]).settings}
    assert found["AJO_CLIENT_SECRET"] == ("(hidden)", "file")
    assert found["AJO_PREFETCH"] == (7, "env")
    assert found["AJO_PRODUCER"] == (None, "default")
    assert found["AJO_BUDGET_SECONDS"] == (60, "default")


def test_values_are_as_json_has_them_and_what_is_not_set_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJO_CAMPAIGNS", "/campaigns")
    monkeypatch.setenv("AJO_AMBIGUOUS_STATUSES", "504, 408,502")
    found = values()
    assert found["AJO_LANES"] == ["standard", "high-throughput"]
    assert found["AJO_AMBIGUOUS_STATUSES"] == [408, 502, 504]
    assert found["AJO_CAMPAIGNS"] == "/campaigns"
    assert [found[name] for name in ("AJO_CLIENT_ID", "AJO_CLIENT_SECRET", "AJO_CA_FILE")] == [None, None, None]


@pytest.mark.parametrize("field", RULES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_publishers_workers_and_settings_have_one_verdict_on_what_they_share(field: str, data: st.DataObject) -> None:
    texts = st.sampled_from(["amq.x", "shop", "a b", " shop ", "x" * 201, "0", "-1", "1e9", "nan", "12.5", "x" * 600])
    text = data.draw(texts | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
    text = text if text.strip() else ""  # a blank is no value to publishers, and what is unset is so to all
    with patch.dict(os.environ, {variable_of(field): text}):
        checked = check_settings([])
        try:
            given = environment.read_settings({**os.environ, "AJO_BROKER_URL": "amqp://broker.example.com"})
            environment.check_settings(queue_prefix=given.queue_prefix, timeout=given.timeout, producer=given.producer)
        except SettingError:
            assert checked.faults
        else:
            assert checked.faults == []
            if field == "queue_prefix":
                assert read_settings().queue_prefix == given.queue_prefix


def test_all_faults_are_told_at_once_whatever_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AJO_PREFETCH": "0",
        "AJO_LANES": "fast",
        "AJO_CLIENT_SECRET_FILE": "/nowhere/secret",
        "AJO_HASH_KEY": SECRET,
        "AJO_HASH_KEY_FILE": "/nowhere/key",
        "AJO_OWNER_TIMEOUT": "5",
        "AJO_PUBLISH_TIMEOUT": "inf",
        "AJO_AMBIGUOUS_STATUSES": "a,b",
    }.items():
        monkeypatch.setenv(name, value)
    told = faults()
    assert [text.replace(":", " ").split()[0] for text in told] == [
        "AJO_LANES",
        "AJO_CLIENT_SECRET_FILE",
        "AJO_AMBIGUOUS_STATUSES",
        "AJO_PREFETCH",
        "AJO_HASH_KEY",
        "AJO_PUBLISH_TIMEOUT",
        "AJO_OWNER_TIMEOUT",
    ]
    assert "AJO_CLIENT_SECRET_FILE: /nowhere/secret: No such file or directory" in told
    assert "AJO_HASH_KEY and AJO_HASH_KEY_FILE are both set: unset one" in told
    assert SECRET not in "".join(told)


def test_a_rule_between_two_settings_is_not_tried_on_one_that_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJO_HEARTBEAT_SECONDS", "often")
    monkeypatch.setenv("AJO_OWNER_TIMEOUT", "1")
    assert len(faults()) == 1


def test_a_wrong_value_of_a_file_is_told_with_the_variable_that_names_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "prefetch").write_text("many", encoding="utf-8")
    monkeypatch.setenv("AJO_PREFETCH_FILE", str(tmp_path / "prefetch"))
    assert faults()[0].startswith("AJO_PREFETCH_FILE: should be a valid integer")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AJO_DATABSE_URL", "AJO_DATABASE_URL"),
        ("AJO_BUDGET", "AJO_BUDGET_SECONDS"),
        ("AJO_CLIENT_SECRET_FIEL", "AJO_CLIENT_SECRET_FILE"),
        ("AJO_DEBUGG", "AJO_DEBUG"),
        ("ajo_prefetch", "AJO_PREFETCH"),
        ("AJO_", None),
        ("AJO_XYZZY", None),
    ],
)
def test_a_name_that_is_no_settings_is_reported_with_the_one_that_is_alike(name: str, meant: str | None) -> None:
    found = list(unknown_variables(["PATH", "AJO_PREFETCH", name, "MAJOR"]))
    assert [(unknown.variable, unknown.did_you_mean) for unknown in found] == [(name, meant)]


@pytest.mark.parametrize(
    "name",
    [
        "AJO_PUBLISH_TIMEOUT",
        "AJO_PRODUCER_FILE",
        "AJO_DEBUG",
        "AJO_SIMULATOR_CLIENT_SECRET",
        "AJO_DATABASE_URL_FILE",
        "AJO_CA_FILE",
        "AJO_TEST_RABBITMQ_URL",
    ],
)
def test_variables_of_other_programs_are_known(name: str) -> None:
    assert list(unknown_variables([name])) == []


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "nan", "86401", "soon", "86400", "2.5"])
def test_a_publishers_time_out_is_refused_here_if_the_publisher_refuses_it(
    seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AJO_PUBLISH_TIMEOUT", seconds)
    monkeypatch.setenv("AJO_BROKER_URL", "amqp://127.0.0.1")
    try:
        Publisher.from_env().close()
    except SettingError:
        assert faults()[0].startswith("AJO_PUBLISH_TIMEOUT: ")
    else:
        assert values()["AJO_PUBLISH_TIMEOUT"] == float(seconds)


@pytest.mark.parametrize("field", OUTBOX)
def test_what_is_beyond_the_limits_of_an_outbox_is_refused_by_its_relay_and_here(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, limits = f"AJO_OUTBOX_{field.upper()}", OUTBOX[field]
    for seconds, taken in ((limits.least, True), (limits.most, True), (limits.least - 0.01, False), (1e9, False)):
        monkeypatch.setenv(variable, str(seconds))
        env = {"AJO_OUTBOX_URL": "postgresql://h/d", variable: str(seconds)}
        with contextlib.nullcontext() if taken else pytest.raises(SettingError):
            read_relay(env)
        assert check_settings([]).ok == taken
