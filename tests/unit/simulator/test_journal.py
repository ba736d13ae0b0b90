"""The journal in memory: what counts as accepted, and which call of a request id is which."""

import json

from ajo_simulator.journal import Entry, Journal

PATH = "/ajo/im/executions/unitary"


def test_calls_of_a_request_id_are_counted_from_one() -> None:
    journal = Journal()
    assert [journal.arrival(one) for one in ("a", "a", "b", "a")] == [1, 2, 1, 3]


def test_only_accepted_calls_with_a_request_id_count_as_accepted_as_often_as_they_were() -> None:
    journal = Journal()
    journal.add(Entry(path="/ims/token/v3", status=200))
    for request_id, accepted in (("a", True), ("a", True), ("b", False), ("c", True)):
        journal.add(Entry(path=PATH, request_id=request_id, accepted=accepted))
    assert journal.accepted() == {"a": 2, "c": 1}


def test_a_line_is_one_json_document_with_every_field() -> None:
    journal = Journal()
    journal.add(Entry(arrived_at="2026-11-02T10:00:00.000000+00:00", path=PATH, request_id="a\nb"))
    [line] = journal.lines().splitlines()
    assert json.loads(line) == {
        "arrived_at": "2026-11-02T10:00:00.000000+00:00",
        "path": PATH,
        "campaign_id": None,
        "request_id": "a\nb",
        "recipients": 0,
        "attempt": 0,
        "status": None,
        "error": None,
        "fault": None,
        "accepted": False,
        "execution_id": None,
        "answered_after": None,
        "waited": 0.0,
    }


def test_a_cleared_journal_knows_nothing_and_counts_anew() -> None:
    journal = Journal()
    journal.arrival("a")
    journal.add(Entry(path=PATH, request_id="a", accepted=True))
    journal.clear()
    assert not journal.entries
    assert not journal.accepted()
    assert journal.lines() == b""
    assert journal.arrival("a") == 1
