"""Calls in flight never take the open files that the ledger and the broker need."""

import pytest
from ajo_producers.entrance import open_files
from ajo_worker.intake.open_files import allow_open_files


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
