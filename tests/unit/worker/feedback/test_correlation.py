"""Which trigger a feedback is about: the first way that leads to any decides, and never a guess among several."""

from uuid import UUID, uuid4

import pytest
from ajo_worker.feedback.correlation import Candidates, Match, best_match, is_of_others
from hypothesis import given
from hypothesis import strategies as st

A, B = uuid4(), uuid4()
found = st.lists(st.sampled_from([A, B]), unique=True).map(tuple)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (Candidates(), Match("none")),
        (Candidates(by_execution=(A,)), Match("execution-id", A)),
        (Candidates(by_execution=(A, B)), Match("ambiguous")),
        (Candidates(by_execution=(A,), by_request=B, by_recipient=(B,)), Match("execution-id", A)),
        (Candidates(by_execution=(A, B), by_request=B), Match("ambiguous")),
        (Candidates(by_request=B), Match("request-id", B)),
        (Candidates(by_request=B, by_recipient=(A,)), Match("request-id", B)),
        (Candidates(by_recipient=(A,)), Match("recipient", A)),
        (Candidates(by_recipient=(A, B)), Match("ambiguous")),
        (Candidates(by_recipient=(A, B), by_companion=(A,)), Match("ambiguous")),
        (Candidates(by_companion=(A,)), Match("recipient", A)),
        (Candidates(by_companion=(A, B)), Match("ambiguous")),
    ],
)
def test_the_first_way_that_leads_anywhere_decides(candidates: Candidates, expected: Match) -> None:
    assert best_match(candidates) == expected


@given(st.builds(Candidates, found, st.none() | st.sampled_from([A, B]), found, found))
def test_a_trigger_is_named_only_if_it_was_the_only_one_of_its_way(candidates: Candidates) -> None:
    match = best_match(candidates)
    ways: list[tuple[UUID, ...]] = [
        candidates.by_execution,
        () if candidates.by_request is None else (candidates.by_request,),
        candidates.by_recipient,
        candidates.by_companion,
    ]
    first = next((way for way in ways if way), ())
    assert match.request_id == (first[0] if len(first) == 1 else None)
    assert (match.kind == "none") == (not first)
    apart = best_match(candidates, of_others=True)
    assert apart == (match if first else Match("apart")), "what leads to a trigger of ours is ours"


@pytest.mark.parametrize(
    ("campaign", "ours", "told", "expected"),
    [
        ("c-1", {"c-1"}, False, False),
        ("C-1", {"c-1"}, True, False),
        ("c-2", {"c-1"}, False, True),
        ("c-2", set(), False, False),
        ("c-2", set(), True, True),
        (None, {"c-1"}, False, False),
        (None, {"c-1"}, True, True),
    ],
)
def test_a_campaign_is_of_others_if_it_says_so_or_no_worker_had_its_definition(
    campaign: str | None, ours: set[str], told: bool, expected: bool
) -> None:
    assert is_of_others(campaign, frozenset(ours), told=told) is expected
