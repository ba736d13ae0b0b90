"""The publisher's settings from the environment: defaults, files for secrets, and faults that show no value."""

from pathlib import Path

import pytest
from ajo_producers import Publisher, SettingError
from ajo_producers.publishing.environment import read_allowed_hosts, read_before_start, read_settings


def test_a_broker_that_nobody_named_is_not_published_to() -> None:
    for env in ({}, {"AJO_BROKER_URL": " "}, {"AJO_BROKER_URL_FILE": ""}):
        with pytest.raises(SettingError, match="AJO_BROKER_URL is not set"):
            Publisher.from_env(env)
    settings = read_settings({"AJO_BROKER_URL": "amqp://guest:guest@127.0.0.1:5672//"})
    assert settings == ("amqp://guest:guest@127.0.0.1:5672//", "ajo-dispatch", 10.0, None)
    assert "guest" not in repr(settings)


def test_what_comes_before_a_campaigns_start_waits_or_is_refused_as_the_workers_have_it(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("wait\n", encoding="utf-8")
    assert read_before_start({}) == "refuse"
    assert read_before_start({"AJO_BEFORE_START": "wait"}) == "wait"
    assert read_before_start({"AJO_BEFORE_START_FILE": str(tmp_path / "word")}) == "wait"
    with pytest.raises(SettingError, match="AJO_BEFORE_START must be wait or refuse"):
        read_before_start({"AJO_BEFORE_START": "later"})


def test_the_hosts_that_definitions_may_name_are_the_workers() -> None:
    assert read_allowed_hosts({}) == ("platform.adobe.io", "*.adobe.io")
    assert read_allowed_hosts({"AJO_ALLOWED_HOSTS": "a.example.com, b.example.com,"}) == (
        "a.example.com",
        "b.example.com",
    )
    assert read_allowed_hosts({"AJO_BASE_URL": "http://127.0.0.1:8080"}) is None


def test_a_value_may_stand_in_a_file_and_the_variable_itself_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("redis://:hunter2@127.0.0.1/1\n", encoding="utf-8")
    from_file = {"AJO_BROKER_URL_FILE": str(file)}
    assert read_settings(from_file).url == "redis://:hunter2@127.0.0.1/1"
    assert read_settings({**from_file, "AJO_BROKER_URL": "amqp://127.0.0.1"}).url == "amqp://127.0.0.1"


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"AJO_PUBLISH_TIMEOUT": "soon"}, "AJO_PUBLISH_TIMEOUT must be a number of seconds"),
        ({"AJO_PUBLISH_TIMEOUT": "-1"}, "time-out must be above 0"),
        ({"AJO_PUBLISH_TIMEOUT": "nan"}, "time-out must be above 0"),
        ({"AJO_BROKER_URL_FILE": "/nowhere/url"}, "AJO_BROKER_URL_FILE: /nowhere/url can't be read"),
        ({"AJO_BROKER_URL": "amqp://ada:hunter2@"}, "the broker's URL is not like amqp://"),
        ({"AJO_BROKER_URL": "amqp://ada:hun/ter2@host"}, "does the password need percent-encoding"),
        ({"AJO_PRODUCER": "x" * 513}, "the producer's name must be text of 1 to 512 characters"),
    ],
)
def test_a_setting_that_can_t_be_used_is_named_and_not_shown(env: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError) as caught:
        Publisher.from_env({"AJO_BROKER_URL": "amqp://127.0.0.1", **env} if "AJO_BROKER_URL_FILE" not in env else env)
    assert told in str(caught.value)
    assert "hun" not in str(caught.value)
