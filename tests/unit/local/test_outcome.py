"""When the publisher's receipts, the ledger and the simulator's journal contradict each other."""

from dataclasses import replace

import pytest
from ajo_local.outcome import Called, Recorded, contradictions

GOOD = Recorded("a", "accepted", None, 1, possible_duplicate=False, causes=())
MARKED = replace(GOOD, attempts=2, possible_duplicate=True, causes=("ambiguous-answer",))
YES, NO = Called("a", accepted=True), Called("a", accepted=False)


@pytest.mark.parametrize(
    ("row", "calls"),
    [
        (GOOD, [YES]),
        (replace(GOOD, attempts=2), [NO, YES]),
        (MARKED, [YES, YES]),
        (replace(GOOD, state="rejected"), [NO]),
        (replace(GOOD, state="expired", attempts=0), []),
        (replace(MARKED, state="unconfirmed"), [YES, NO]),
        (replace(MARKED, state="unconfirmed"), [NO, NO]),
    ],
)
def test_a_true_story_has_no_contradiction(row: Recorded, calls: list[Called]) -> None:
    assert contradictions([row], calls, {"a"}) == []


@pytest.mark.parametrize(
    ("rows", "calls", "words"),
    [
        ([GOOD], [NO], "accepted in the ledger, but not in the journal"),
        ([GOOD], [YES, YES], "not marked as a possible duplicate"),
        ([replace(GOOD, state="rejected")], [YES], "rejected or expired in the ledger, but accepted"),
        ([replace(GOOD, state="expired")], [YES], "rejected or expired in the ledger, but accepted"),
        ([replace(GOOD, state="sending")], [YES], "not finished"),
        ([GOOD], [YES, Called("b", accepted=False)], "unknown to the ledger, such as b"),
        ([], [], "confirmed by the broker, but unknown to the ledger, such as a"),
        (
            [GOOD, replace(GOOD, request_id="b")],
            [YES, Called("b", accepted=True)],
            "known to the ledger, but never confirmed, such as b",
        ),
    ],
)
def test_each_untrue_story_is_told_apart(rows: list[Recorded], calls: list[Called], words: str) -> None:
    [text] = contradictions(rows, calls, {"a"})
    assert words in text


def test_one_trigger_lost_and_another_sent_twice_are_found_though_the_counts_agree() -> None:
    rows = [GOOD, replace(GOOD, request_id="b")]
    assert len(contradictions(rows, [YES, YES], {"a", "b"})) == 2
