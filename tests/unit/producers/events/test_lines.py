"""Events are read from lines, from one array, and from one event over several lines; a bad line costs no other."""

import io
import json

import pytest
from ajo_producers.events.event import BadEvent, Event
from ajo_producers.events.lines import UnreadableLine, read_lines

from tests.support.failing_file import FailingFile
from tests.unit.producers.events.mapped import event_json

ONE = json.dumps(event_json())
LETTER = json.dumps({"dead_letter": {"faults": []}, "event": event_json()})


def read(text: str | bytes) -> list[tuple[int, str]]:
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    kinds = {Event: "event", BadEvent: "bad"}
    return [(number, kinds[type(one)]) for number, one in read_lines(stream)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("\n\n", []),
        (f"{ONE}\n{ONE}\n", [(1, "event"), (2, "event")]),
        (f"\n{ONE}\n\n{ONE}", [(2, "event"), (4, "event")]),
        (f"{ONE}\nnonsense\n7\n{ONE}\n", [(1, "event"), (2, "bad"), (3, "bad"), (4, "event")]),
        (f"nonsense\n{ONE}\n", [(1, "bad"), (2, "event")]),
        (f"\n[{ONE},\n{ONE}]", [(2, "event"), (3, "event")]),
        (json.dumps(event_json(), indent=2), [(1, "event")]),
        (
            f"\n\n{json.dumps(event_json(), indent=2)}\n{json.dumps(event_json(), indent=2)}",
            [(3, "event"), (18, "event")],
        ),
        ("\ufeff" + ONE, [(1, "event")]),
        (f"{LETTER}\n{ONE}\n", [(1, "event"), (2, "event")]),
        ('{"dead_letter": {}, "base64": "eA=="}', [(1, "bad")]),
        (
            f"{ONE}\n{'[' * 100_000}\n".encode() + b"\xff\n" + ONE.encode(),
            [(1, "event"), (2, "bad"), (3, "bad"), (4, "event")],
        ),
    ],
)
def test_events_are_read_with_their_lines(text: str | bytes, found: list[tuple[int, str]]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "line"), [("[", 1), (f"\n[{ONE}", 2), ("{\n  broken", 2), ("[" * 100_000, 1), (b"[\xff]", 1)]
)
def test_what_can_not_be_read_to_its_end_is_told_with_its_line(text: str | bytes, line: int) -> None:
    with pytest.raises(UnreadableLine) as caught:
        read(text)
    assert caught.value.line == line


def test_a_disk_at_fault_is_told_with_the_line_and_what_came_before_is_read() -> None:
    found = []
    with pytest.raises(UnreadableLine, match="it can't be read: Input/output error") as caught:
        found.extend(read_lines(io.BufferedReader(FailingFile(f"{ONE}\n{ONE}\n".encode()))))
    assert ([number for number, _ in found], caught.value.line) == ([1, 2], 3)
