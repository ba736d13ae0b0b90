"""Who may post is what the files say now, and never everybody; the broker is asked for its health once in a while."""

from pathlib import Path

import pytest
from ajo_producers.cli.events_consume import read_events_broker
from ajo_producers.cli.events_serve import Look, _admitted
from ajo_producers.publishing.errors import SettingError

OLD, NEW = "o" * 32, "n" * 32


def test_tokens_are_those_of_the_file_and_an_empty_file_opens_no_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{OLD}\n")
    monkeypatch.delenv("AJO_EVENTS_TOKENS", raising=False)
    monkeypatch.setenv("AJO_EVENTS_TOKENS_FILE", str(file))
    admitted, found = _admitted(), []
    for text in (f"{OLD} {NEW}", NEW, "", "short", f"{OLD}\n"):
        file.write_text(text)
        found.append(admitted.now().tokens)
    assert found == [(OLD, NEW), (NEW,), (NEW,), (NEW,), (OLD,)]
    told = capsys.readouterr().err
    assert [told.count(f'"event": "{event}"') for event in ("change-taken-up", "change-not-taken-up")] == [3, 2]
    assert OLD not in told
    assert "short" not in told


def test_health_is_looked_at_once_in_a_while() -> None:
    looks: list[int] = []
    look = Look(lambda: bool(looks.append(1)) or len(looks) > 1, seconds=900)
    assert [look(), look(), look()] == [False, False, False]
    assert len(looks) == 1
    eager = Look(lambda: bool(looks.append(1)) or True, seconds=0)
    assert [eager(), eager()] == [True, True]
    assert len(looks) == 3


def test_events_come_from_a_broker_of_their_own_or_from_that_of_the_triggers() -> None:
    own = {"AJO_BROKER_URL": "redis://a/0", "AJO_EVENTS_BROKER_URL": "amqp://b"}
    assert (read_events_broker(own).host, read_events_broker({"AJO_BROKER_URL": "amqp://a"}).host) == ("b", "a")
    with pytest.raises(SettingError):
        read_events_broker({})
