"""The verdict of a chaos run finds each kind of untruth, and nothing in a true story."""

from dataclasses import replace

import pytest

from tests.chaos.verdict import Evidence, Expectation, Row, figures, findings

TRUE = Evidence(
    confirmed={"a", "b", "c", "d"},
    offered={"a", "b", "c", "d", "e"},
    in_broker={"d"},
    ledger={
        "a": Row("accepted"),
        "b": Row("accepted", possible_duplicate=True, causes=("worker-crash",)),
        "c": Row("unconfirmed"),
    },
    accepted={"a": 1, "b": 2, "c": 1},
    suspects={"b", "c"},
)
ALLOWED = Expectation(states=frozenset({"accepted", "unconfirmed"}))


def with_row(key: str, row: Row) -> Evidence:
    return replace(TRUE, ledger={**TRUE.ledger, key: row})


def test_a_true_story_has_no_findings() -> None:
    assert findings(TRUE, ALLOWED) == []


@pytest.mark.parametrize(
    ("evidence", "expectation", "told"),
    [
        (replace(TRUE, in_broker=set()), ALLOWED, "lost"),
        (replace(TRUE, came_to_rest=False), ALLOWED, "left in the broker"),
        (replace(TRUE, ledger={key: row for key, row in TRUE.ledger.items() if key != "a"}), ALLOWED, "lost"),
        (with_row("x", Row("accepted")), ALLOWED, "never offered"),
        (replace(TRUE, accepted={**TRUE.accepted, "x": 1}), ALLOWED, "called, but never offered"),
        (with_row("a", Row("sending")), ALLOWED, "left sending"),
        (replace(TRUE, accepted={"b": 2, "c": 1}), ALLOWED, "accepted in the ledger, but not in the journal"),
        (with_row("a", Row("expired")), ALLOWED, "in the ledger neither accepted nor unconfirmed"),
        (replace(TRUE, accepted={**TRUE.accepted, "a": 2}), ALLOWED, "accepted more than once, and not marked"),
        (with_row("b", Row("accepted", possible_duplicate=True)), ALLOWED, "marked without a cause"),
        (replace(TRUE, suspects={"c"}), ALLOWED, "neither in flight at a fault nor answered ambiguously"),
        (replace(TRUE, late={"a"}), ALLOWED, "after the budget"),
        (TRUE, Expectation(), "a state that this fault doesn't explain"),
        (TRUE, replace(ALLOWED, duplicates=False), "where nothing may be"),
        (replace(TRUE, outages={"lane: no-answers"}), replace(ALLOWED, outages=False), "where there is none"),
        (replace(TRUE, log_faults=("log: KeyError",)), ALLOWED, "KeyError"),
        (replace(TRUE, leaks=("the planted secret is in a log",)), ALLOWED, "planted secret"),
    ],
)
def test_each_untruth_is_found(evidence: Evidence, expectation: Expectation, told: str) -> None:
    found = findings(evidence, expectation)
    assert any(told in text for text in found), found


def test_one_lost_and_another_doubled_are_found_though_the_counts_agree() -> None:
    evidence = replace(TRUE, accepted={"a": 2, "b": 2}, ledger={**TRUE.ledger, "c": Row("accepted")})
    assert len(findings(evidence, ALLOWED)) >= 2


def test_the_figures_count_states_doubles_and_causes() -> None:
    shown = figures(TRUE)
    assert (shown.confirmed, shown.doubled, shown.marked) == (4, 1, 1)
    assert shown.states == {"accepted": 2, "unconfirmed": 1}
    assert shown.causes == {"worker-crash": 1}
