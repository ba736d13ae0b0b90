"""Calls in flight never take the open files that the ledger and the broker need."""

import resource

import pytest
from ajo_producers.entrance import open_files
from ajo_worker.intake.open_files import allow_open_files, too_few_open_files


@pytest.mark.parametrize(
    ("short", "room"),
    [(None, 1000), ((1199, 1200), 999), ((1024, 1200), 824), ((256, 1200), 64), ((64, 1200), 16), ((3, 1200), 1)],
    ids=str,
)
def test_there_is_room_for_as_many_connections_as_leave_the_others_theirs(
    short: tuple[int, int] | None, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_files, "allow_open_files", lambda _: short)
    assert allow_open_files(1000, "AJO_MAX_IN_FLIGHT") == room


@pytest.mark.parametrize(
    ("soft", "hard", "refused"), [(45, 45, True), (45, 64, False), (64, 64, False), (1024, -1, False)]
)
def test_a_worker_that_could_not_record_what_it_sends_is_refused(
    soft: int, hard: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    assert (too_few_open_files() is not None) == refused
